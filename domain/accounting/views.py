"""What a reader of the books is shown: entries, the trial balance, the audit trail. Frozen rows.

Amounts are integers of minor units.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class JournalLineView:
    """One side of an entry: an amount above nothing on one ledger account."""

    account: str
    side: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class JournalEntryView:
    """One balanced entry: the one numbered `entry` of those that the event `event_id` posted.

    It counts on `value_date`, and was posted `at` an instant of the business day `posted_on`.
    """

    event_id: UUID
    entry: int
    loan_id: UUID
    branch_id: UUID | None
    payment_id: UUID | None
    memo: str
    currency: str
    value_date: date
    at: datetime
    posted_on: date
    lines: tuple[JournalLineView, ...]


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """All that was posted on one ledger account in one currency."""

    currency: str
    account: str
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        """What stands on the account: debits above nothing, credits below."""
        return self.debit_minor - self.credit_minor


@dataclass(frozen=True, slots=True)
class TrialBalanceView:
    """Every ledger account at the end of the day `on`; the balances of a currency are nothing.

    Of what was posted until the end of the day `posted_until`, None for all that is known.
    """

    on: date
    balances: tuple[AccountBalance, ...]
    posted_until: date | None = None


@dataclass(frozen=True, slots=True)
class AuditView:
    """One line of the audit trail: who did what to which thing, under which request."""

    id: UUID
    at: datetime
    actor_id: UUID | None
    action: str
    entity_type: str
    entity_id: UUID | None
    branch_id: UUID | None
    request_id: str
    address: str
    before: dict[str, object] | None
    after: dict[str, object] | None
    currency: str | None = None  # of the loan that it is about

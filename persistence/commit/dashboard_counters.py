"""The dashboard's figures, kept by adding: what a change of a loan, payment or user adds to them.

Pure. The rows go into `tally_deltas` in the transaction of the change, and are folded into
`tallies` now and then (persistence/commit/compaction.py); the truth is the sum of both. One kind a
figure:

* loans: by branch, currency, status and oldest unpaid due date; how many, all that is owed, and the
  principal of it.
* dues: by branch, currency and due date; what is still owed of it then, unless it was written off.
* payments: by branch, currency and value date; how many that stand, and how much.
* users: by branch; how many.

A key has no NULL: NO_BRANCH, NO_DAY and the empty text stand for it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from domain.events.events import MoneyReceived, PaymentReversed
from domain.identifiers import BranchId
from domain.loan.decision import Decision
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.reports.upcoming_dues import Due
from domain.schedule.instalment import Instalment

NO_BRANCH: Final = UUID(int=0)
NO_DAY: Final = date(9999, 12, 31)
LOANS: Final = "loans"
DUES: Final = "dues"
PAYMENTS: Final = "payments"
USERS: Final = "users"


class TallyKey(NamedTuple):
    """To which figure something is added."""

    kind: str
    branch_id: UUID
    currency: str
    status: str
    day: date


Sums = list[int]
"""How many, the total, and the principal."""
Deltas = dict[TallyKey, Sums]


def loan_deltas(
    before: Loan | None,
    decision: Decision,
    dues_before: tuple[Due, ...] | None,
    dues: tuple[Due, ...] | None,
) -> Deltas:
    """What a decision on a loan adds; nothing is in it that adds nothing.

    The dues to come, as they were added and as they are now, stand for the rows' where there are
    any.
    """
    deltas: Deltas = defaultdict(lambda: [0, 0, 0])
    after = decision.loan
    if before is not None:
        _add(deltas, loan_key(before), -1, *_negative(before))
    owed = after.outstanding
    _add(deltas, loan_key(after), 1, owed.total_minor, owed.principal_minor)
    _add_dues(deltas, (before, dues_before), (after, dues))
    _add_payments(deltas, decision)
    return {key: sums for key, sums in deltas.items() if any(sums)}


def user_deltas(before: BranchId | None, after: BranchId | None, *, is_new: bool) -> Deltas:
    """What a new user adds, or one who moved from one branch to another."""
    deltas: Deltas = defaultdict(lambda: [0, 0, 0])
    if not is_new:
        _add(deltas, _key(USERS, before), -1)
    _add(deltas, _key(USERS, after), 1)
    return {key: sums for key, sums in deltas.items() if any(sums)}


def delta_rows(deltas: Deltas) -> list[dict[str, object]]:
    """The rows of tally_deltas."""
    return [
        {**key._asdict(), "rows": sums[0], "total_minor": sums[1], "principal_minor": sums[2]}
        for key, sums in deltas.items()
    ]


def loan_key(loan: Loan) -> TallyKey:
    """Where a loan is counted."""
    due = loan.next_due
    return TallyKey(
        LOANS,
        loan.branch_id or NO_BRANCH,
        loan.terms.currency,
        loan.status.value,
        NO_DAY if due is None else due.due_date,
    )


def _negative(loan: Loan) -> tuple[int, int]:
    owed = loan.outstanding
    return -owed.total_minor, -owed.principal_minor


def _key(kind: str, branch_id: BranchId | None, currency: str = "", day: date = NO_DAY) -> TallyKey:
    return TallyKey(kind, branch_id or NO_BRANCH, currency, "", day)


def _add(deltas: Deltas, key: TallyKey, rows: int, total: int = 0, principal: int = 0) -> None:
    sums = deltas[key]
    sums[0] += rows
    sums[1] += total
    sums[2] += principal


def _asked_for(loan: Loan | None) -> tuple[Instalment, ...]:
    """The instalments that somebody waits for: of a loan that was written off nobody does."""
    if loan is None or loan.status is LoanStatus.WRITTEN_OFF:
        return ()
    return loan.instalments


def _add_dues(
    deltas: Deltas,
    before: tuple[Loan | None, tuple[Due, ...] | None],
    after: tuple[Loan, tuple[Due, ...] | None],
) -> None:
    """What is owed by due date; of instalments only those that are not the same on both sides."""
    stood, stands = _asked_for(before[0]), _asked_for(after[0])
    shared = {id(row) for row in stood} & {id(row) for row in stands}
    same = shared if before[1] is None and after[1] is None else set()
    for (loan, ahead), sign, rows in ((before, -1, stood), (after, 1, stands)):
        if loan is None:
            continue
        dues = ahead
        if dues is None:
            asked = [row for row in rows if id(row) not in same and row.outstanding_minor]
            dues = tuple((row.due_date, row.outstanding_minor) for row in asked)
        for day, minor in dues:
            key = _key(DUES, loan.branch_id, loan.terms.currency, day)
            _add(deltas, key, 0, sign * minor)


def _add_payments(deltas: Deltas, decision: Decision) -> None:
    amounts = {payment.id: payment for payment in decision.payments}
    for event in decision.events:
        if isinstance(event, MoneyReceived | PaymentReversed):
            payment = amounts[event.payment_id]
            sign = 1 if isinstance(event, MoneyReceived) else -1
            key = _key(PAYMENTS, decision.loan.branch_id, payment.currency, payment.value_date)
            _add(deltas, key, sign, sign * payment.amount_minor)

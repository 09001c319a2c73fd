"""What a reader is shown: frozen rows without behaviour, as stores answer and the web renders them.

Amounts are integers of minor units. Rows that fill pages are named tuples, which cost a tenth of
a frozen dataclass to make. The order of the fields of `LoanView` and `PaymentView` is the
order of the columns in the statements that read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from domain.access.roles import Role
from domain.identifiers import (
    AnnouncementId,
    BranchId,
    CommentId,
    LoanId,
    PaymentId,
    ProductId,
    UserId,
)
from domain.loan.arrears import DelinquencyTerms
from domain.reports.charges import ChargeStand
from domain.reports.interest_lines import InterestLine
from domain.schedule.instalment import Instalment
from domain.schedule.state import Tranche
from domain.terms.terms import Terms

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list; `next_after` is the id to go on from, None at the end.

    `next_part` says from which of the rows of that id, where it has several.
    """

    items: tuple[Row, ...]
    next_after: UUID | None
    total: int | None = None
    next_part: int = 0


class LoanView(NamedTuple):
    """A loan as lists and single reads show it.

    `delinquency` says how its lateness is counted, None as usual; `terms` are there when a single
    loan was asked for.
    """

    id: LoanId
    number: str
    customer_id: UserId
    branch_id: BranchId | None
    product_id: ProductId | None
    principal_minor: int
    currency: str
    annual_rate_percent: Decimal
    instalments: int
    frequency_every: int
    frequency_unit: str
    interest_method: str
    amortization: str
    interest_calc_period: str
    days_in_month: str
    days_in_year: str
    start_date: date | None
    first_due_date: date | None
    purpose: str | None
    status: str
    outstanding_principal_minor: int
    outstanding_interest_minor: int
    outstanding_fees_minor: int
    outstanding_penalties_minor: int
    credit_minor: int
    next_due_date: date | None
    next_due_minor: int | None
    disbursed_on: date | None
    version: int
    sync_status: str
    created_at: datetime
    updated_at: datetime
    product_version: int | None = None
    delinquency: DelinquencyTerms | None = None
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A loan's schedule with what is paid; planned, not yet binding, while it is not disbursed.

    `interest_lines` explain the interest of the instalments, one by one; `disbursements` are what
    stands before the first of them, `charges` what there is of fees and penalties.
    """

    loan_id: LoanId
    version: int
    as_of: date
    currency: str
    planned: bool
    instalments: tuple[Instalment, ...]
    interest_lines: tuple[InterestLine, ...]
    disbursements: tuple[Tranche, ...] = ()
    charges: tuple[ChargeStand, ...] = ()


class PaymentView(NamedTuple):
    """A payment as lists and single reads show it."""

    id: PaymentId
    loan_id: LoanId
    amount_minor: int
    currency: str
    value_date: date
    status: str
    allocated_principal_minor: int
    allocated_interest_minor: int
    allocated_fees_minor: int
    allocated_penalties_minor: int
    allocated_excess_minor: int
    outstanding_after_minor: int
    method: str | None
    reference: str | None
    note: str | None
    recorded_by: UserId
    reversed_at: datetime | None
    sync_status: str
    version: int
    created_at: datetime
    type: str = "payment"
    reversal_reason: str | None = None


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment on a loan."""

    id: CommentId
    loan_id: LoanId
    author_id: UserId
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AnnouncementView:
    """What everybody was told of maintenance; None where it was not said."""

    id: AnnouncementId
    message: str
    starts_at: datetime | None
    ends_at: datetime | None
    announced_by: UserId
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EventView:
    """One line of a loan's history; `data` is the event's own fields as JSON values.

    Amounts in it are minor units of `currency`, the loan's.
    """

    id: UUID
    version: int
    type: str
    at: datetime
    value_date: date
    by: UserId
    data: dict[str, object]
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class PortfolioLine:
    """The book of one currency: what is out, what is overdue, what is out on loans 30 days late."""

    currency: str
    outstanding_minor: int
    overdue_minor: int
    at_risk_30_minor: int


@dataclass(frozen=True, slots=True)
class PaymentTotals:
    """How many payments of one currency came in, and how much."""

    currency: str
    count: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class StatisticsView:
    """The dashboard's figures as of one business day."""

    as_of: date
    loans_by_status: dict[str, int]
    portfolio: tuple[PortfolioLine, ...]
    payments_today: tuple[PaymentTotals, ...]
    payments_last_30_days: tuple[PaymentTotals, ...]
    users_total: int
    users_connected: int = 0
    sync_pending: int = 0
    sync_failed: int = 0
    sync_conflict: int = 0


@dataclass(frozen=True, slots=True)
class NetworkView:
    """The link to the head office: standalone, online, degraded or offline; `reason` in words."""

    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class SyncSummaryView:
    """How far two sides agree: operations by status, and why nothing moves when nothing does."""

    state: str
    reason: str
    by_status: dict[str, int]


@dataclass(frozen=True, slots=True)
class ConnectionsView:
    """Who is connected: counts of sockets, of distinct users, and of sockets by worker."""

    connections: int
    users: int
    by_worker: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PresentUser:
    """Somebody who is present: connected, or gone so briefly (`left_at`) that he may come back.

    `since` is when he came, over all his sockets and whatever flapped between.
    """

    user_id: UserId
    full_name: str
    role: Role
    branch_id: BranchId | None
    connections: int
    since: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """A place in the change feed: `seq` is dense in `epoch`; a restore begins another one."""

    epoch: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class Sweepings:
    """What one sweep removed: expired sessions, refresh tokens and idempotency records."""

    sessions: int
    refresh_tickets: int
    idempotency_keys: int


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """`state` is ok, degraded or down; `detail` is for people and names no secret."""

    state: str
    detail: str

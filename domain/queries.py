"""What somebody may ask to be told; answers are in `domain/reports/views.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.identifiers import LoanId, PaymentId, ProductId, UserId
from domain.loan.lifecycle import LoanStatus
from domain.loan.payment import PaymentStatus, PaymentType
from domain.simulation.hypotheses import Supposition
from domain.simulation.payment_preview import ForeseePayment
from domain.terms.terms import Terms


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list: after the row with the id `after`, in order of id (of creation).

    `limit` is 1 to 200. `with_total` asks for the count of all rows in sight. Where one id has
    several rows, `after_part` says after which of them.
    """

    limit: int = 50
    after: UUID | None = None
    after_part: int = 0
    descending: bool = False
    with_total: bool = False


@dataclass(frozen=True, slots=True)
class ReadLoan:
    """One loan."""

    loan_id: LoanId


@dataclass(frozen=True, slots=True)
class ListLoans:
    """Loans in sight, narrowed by customer, status or branch."""

    page: PageRequest
    customer_id: UserId | None = None
    status: LoanStatus | None = None
    branch_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReadSchedule:
    """The schedule of a loan with what is paid, as of a business day (default today)."""

    loan_id: LoanId
    as_of: date | None


@dataclass(frozen=True, slots=True)
class ReadPayoff:
    """What would end a loan on a business day (default today)."""

    loan_id: LoanId
    on: date | None


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """All that moved a loan's balance on business days from the first to the last, both in it.

    By default from its beginning to today; never beyond.
    """

    loan_id: LoanId
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class QuoteTerms:
    """What terms that nobody has agreed to come to, and what would be if."""

    terms: Terms
    scenarios: tuple[tuple[Supposition, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class SupposeOfLoan:
    """What would come of a loan if, scenario by scenario."""

    loan_id: LoanId
    scenarios: tuple[tuple[Supposition, ...], ...]


@dataclass(frozen=True, slots=True)
class ListLoanEvents:
    """The history of a loan: its events in the order in which they were kept."""

    loan_id: LoanId
    page: PageRequest


@dataclass(frozen=True, slots=True)
class ReadPayment:
    """One payment."""

    payment_id: PaymentId


@dataclass(frozen=True, slots=True)
class ListPayments:
    """Payments in sight, narrowed by loan, by what they are and by what has become of them."""

    page: PageRequest
    loan_id: LoanId | None = None
    status: PaymentStatus | None = None
    type: PaymentType | None = None


@dataclass(frozen=True, slots=True)
class ListComments:
    """The comments on one loan."""

    loan_id: LoanId
    page: PageRequest


@dataclass(frozen=True, slots=True)
class ReadProduct:
    """A version of a product, by default the latest: `ProductView`."""

    product_id: ProductId
    version: int | None = None


@dataclass(frozen=True, slots=True)
class ListProducts:
    """The lender's products, each in its latest version: `Page[ProductView]`."""

    page: PageRequest


@dataclass(frozen=True, slots=True)
class ReadUser:
    """One user."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class ListUsers:
    """Users in sight."""

    page: PageRequest


@dataclass(frozen=True, slots=True)
class ReadMyself:
    """The account of whoever asks."""


@dataclass(frozen=True, slots=True)
class ListMySessions:
    """The live sessions of whoever asks."""


@dataclass(frozen=True, slots=True)
class ReadStatistics:
    """The figures of the dashboard, over what the reader may see."""


@dataclass(frozen=True, slots=True)
class ListJournalEntries:
    """Entries of the books in sight, narrowed by loan, account, value date and day of posting.

    Both days are in it.
    """

    page: PageRequest
    loan_id: LoanId | None = None
    account: str | None = None
    since: date | None = None
    until: date | None = None
    posted_since: date | None = None
    posted_until: date | None = None


@dataclass(frozen=True, slots=True)
class ReadTrialBalance:
    """The balance of every ledger account at the end of a business day (default today).

    With `posted_until` as the books stood then: of what was posted until the end of that day.
    """

    on: date | None
    branch_id: UUID | None = None
    posted_until: date | None = None


@dataclass(frozen=True, slots=True)
class ListAudit:
    """The audit trail in sight: who did what, narrowed by actor, action, thing and day (UTC).

    Both days are in it.
    """

    page: PageRequest
    actor_id: UUID | None = None
    action: str | None = None
    entity_type: str | None = None
    entity_id: UUID | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class ReadArrears:
    """How late the loans in sight are at the end of a day (default today), of all or a branch."""

    as_of: date | None
    branch_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReadNetworkStatus:
    """The state of the link to the head office, as the connectivity prober knows it."""


@dataclass(frozen=True, slots=True)
class ReadSyncSummary:
    """How far this node and its head office agree, as the sync coordinator knows it."""


@dataclass(frozen=True, slots=True)
class ReadConnections:
    """How many sockets and users are connected."""


@dataclass(frozen=True, slots=True)
class ListPresent:
    """Who is present, of the users in sight."""

    page: PageRequest


@dataclass(frozen=True, slots=True)
class ReadTree:
    """The living supervision tree of the whole node."""


@dataclass(frozen=True, slots=True)
class ReadActor:
    """One child of the tree more closely."""

    path: str


@dataclass(frozen=True, slots=True)
class ReadRestartEffect:
    """What else would stop, if the child at `path` were restarted."""

    path: str


@dataclass(frozen=True, slots=True)
class ReadDrainEffect:
    """What this node has in hand, which a drain would end."""


@dataclass(frozen=True, slots=True)
class ReadFigures:
    """The figures for the metrics."""


@dataclass(frozen=True, slots=True)
class ConfirmOperator:
    """Whether whoever asks may operate the node: for what goes on after it was allowed."""


LoanQuery = ReadSchedule | ReadPayoff | ReadStatement | QuoteTerms | SupposeOfLoan | ReadArrears
BooksQuery = ListJournalEntries | ReadTrialBalance | ListAudit
OperatingQuery = (
    ReadTree | ReadActor | ReadRestartEffect | ReadDrainEffect | ReadFigures | ConfirmOperator
)
LendingQuery = (
    ReadLoan
    | ListLoans
    | ListLoanEvents
    | ReadPayment
    | ListPayments
    | ListComments
    | ForeseePayment
    | ReadProduct
    | ListProducts
    | ReadUser
    | ListUsers
    | ReadMyself
    | ListMySessions
    | ReadStatistics
    | ReadNetworkStatus
    | ReadSyncSummary
    | ReadConnections
    | ListPresent
    | BooksQuery
    | LoanQuery
)
Query = LendingQuery | OperatingQuery

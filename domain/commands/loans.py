"""What somebody may ask to be done: imperative, frozen. Questions are in `queries.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from domain.access.roles import Principal, Role
from domain.commands.products import ProductCommand
from domain.commands.workouts import WorkoutCommand
from domain.identifiers import (
    AnnouncementId,
    BranchId,
    CommentId,
    DisbursementId,
    EventId,
    LoanId,
    PaymentId,
    ProductId,
    SessionId,
    UserId,
)
from domain.operations.operating import TreeOrder
from domain.terms.product import Product
from domain.terms.terms import Terms


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """A caller's promise that a repeated request is one and the same.

    Scope: user, method, path and key. `fingerprint` is the SHA-256 of the canonical body without
    its secrets: a quick hash of a password could be guessed at a thousand million times a second.
    """

    user_id: UserId
    method: str
    path: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class CommandContext:
    """Everything around a command that its decision may read: who, when, under which request.

    `event_id` is minted for the event that the command may cause; `today` is the business day.
    `access_number` is that of the account on whose authority is judged: what is written is written
    only while the account still has it. None is for whoever has no account: the terminal.
    `four_eyes` and `four_eyes_reversals` are the lender's will: what needs a second person.
    """

    principal: Principal
    at: datetime
    today: date
    event_id: EventId
    request_id: str
    address: str
    four_eyes: bool
    idempotency: IdempotencyClaim | None
    access_number: int | None = None
    four_eyes_reversals: bool = False


@dataclass(frozen=True, slots=True)
class SubmitLoan:
    """Apply for a loan. Without `branch_id` it belongs to the branch of whoever applies.

    `product` is the latest version of what `product_id` names, None when it names nothing.
    """

    loan_id: LoanId
    customer_id: UserId
    branch_id: BranchId | None
    product_id: ProductId | None
    terms: Terms
    purpose: str | None
    product: Product | None = None


@dataclass(frozen=True, slots=True)
class AmendLoan:
    """Change terms or purpose of an application that was not decided yet.

    `product` is the version of the product on which the loan was made.
    """

    loan_id: LoanId
    expected_version: int
    terms: Terms
    purpose: str | None
    product: Product | None = None


@dataclass(frozen=True, slots=True)
class ApproveLoan:
    """Approve an application."""

    loan_id: LoanId
    note: str | None


@dataclass(frozen=True, slots=True)
class RejectLoan:
    """Reject an application."""

    loan_id: LoanId
    reason: str


@dataclass(frozen=True, slots=True)
class WithdrawLoan:
    """Withdraw an application; with `expected_version` only when it is still that version."""

    loan_id: LoanId
    expected_version: int | None


@dataclass(frozen=True, slots=True)
class DisburseLoan:
    """Pay out an approved loan: `amount` (default all), on `date` (default today)."""

    loan_id: LoanId
    disbursement_id: DisbursementId
    amount: Decimal | None
    date: date | None


@dataclass(frozen=True, slots=True)
class RecordPayment:
    """Record money that came in. `amount` is exact, in the loan's currency.

    What was `already_received` cannot be sent back: where the loan cannot have it, it is kept in
    suspense instead of refused.
    """

    payment_id: PaymentId
    loan_id: LoanId
    amount: Decimal
    currency: str | None
    value_date: date | None
    method: str | None
    reference: str | None
    already_received: bool = False


@dataclass(frozen=True, slots=True)
class ReversePayment:
    """Undo a payment by a further fact; `reason` is kept with it."""

    payment_id: PaymentId
    loan_id: LoanId
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ApplySuspense:
    """Let money that is kept in suspense pay the loan after all."""

    payment_id: PaymentId
    loan_id: LoanId


@dataclass(frozen=True, slots=True)
class AnnotatePayment:
    """Change what is written beside a payment, not its money. None leaves a field as it is."""

    payment_id: PaymentId
    expected_version: int | None
    method: str | None
    reference: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class AddComment:
    """Say something on a loan."""

    comment_id: CommentId
    loan_id: LoanId
    body: str


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Make a user. The password comes in clear and leaves the session actor only as a hash."""

    user_id: UserId
    email: str
    password: str = field(repr=False)
    full_name: str
    role: Role
    branch_id: BranchId | None


@dataclass(frozen=True, slots=True)
class UpdateUser:
    """Change a user; None leaves a field as it is."""

    user_id: UserId
    expected_version: int
    email: str | None
    full_name: str | None
    role: Role | None
    branch_id: BranchId | None
    is_active: bool | None


@dataclass(frozen=True, slots=True)
class DeactivateUser:
    """Take away a user's access; his history stays."""

    user_id: UserId
    expected_version: int


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Set a password. `current` is required when a user changes his own."""

    user_id: UserId
    current: str | None = field(repr=False)
    new: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndSession:
    """End one of one's own sessions; None ends the one that asks."""

    session_id: SessionId | None


@dataclass(frozen=True, slots=True)
class AnnounceMaintenance:
    """Tell everybody that the system will be worked on, from and until when if that is known."""

    announcement_id: AnnouncementId
    message: str
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderActor:
    """Restart, suspend or resume the child of the supervision tree at `path`."""

    path: str
    order: TreeOrder
    reason: str


@dataclass(frozen=True, slots=True)
class DrainNode:
    """Empty this node of its connections, and end it."""

    reason: str


LoanCommand = (
    AmendLoan
    | ApproveLoan
    | RejectLoan
    | WithdrawLoan
    | DisburseLoan
    | RecordPayment
    | ReversePayment
    | ApplySuspense
    | WorkoutCommand
)
LendingCommand = (
    SubmitLoan
    | ProductCommand
    | LoanCommand
    | AnnotatePayment
    | AddComment
    | CreateUser
    | UpdateUser
    | DeactivateUser
    | ChangePassword
    | EndSession
    | AnnounceMaintenance
)
OperatingCommand = OrderActor | DrainNode
Command = LendingCommand | OperatingCommand

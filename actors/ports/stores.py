"""What the actors need of the world, as Protocols: stores, the clock, tokens, the sessions.

What only feed and hub need is in `actors/ports/feed.py`.

`persistence`, `gateways` and `web` satisfy these by shape, without importing this module;
`server/wiring.py` knows both sides, and the type checker proves the fit there. Every method of a
store may raise an `Outage` (`domain/outages.py`): that is the weather, not a bug. Each runs under
the deadline of the ask that is being answered (`trio.current_effective_deadline()`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from actors.runtime.address import Address
from domain.access.account import Access, Account, SignInSession
from domain.access.roles import Sight
from domain.access.sign_in import Credentials, RefreshReused, RefreshTicket, Rotated
from domain.clocks import ClocksApart
from domain.commands.loans import (
    AddComment,
    AnnotatePayment,
    AnnounceMaintenance,
    CommandContext,
    CreateUser,
    UpdateUser,
)
from domain.commands.products import CreateProduct, ReplaceProduct
from domain.identifiers import LoanId, PaymentId, ProductId, SessionId, UserId
from domain.loan.decision import Committed, Judge, Permit, SubmitJudge
from domain.operations.leadership import Deposed, Term
from domain.queries import ListProducts, ListUsers
from domain.rejections import Rejected
from domain.reports.views import (
    AnnouncementView,
    CommentView,
    LoanView,
    Page,
    PaymentView,
    Sweepings,
)
from domain.terms.product import ProductView


class Clock(Protocol):
    """The time that all machines on one database agree on, for stamps, expiry and business days.

    Never for time-outs.
    """

    def now(self) -> datetime:
        """The instant, in UTC."""

    def today(self) -> date:
        """The business day, in the time zone of the settings."""


class IdentitySource(Protocol):
    """Where new identifiers come from."""

    def new_id(self) -> UUID:
        """A UUID version 7."""


class LoanBook(Protocol):
    """The loans and their payments: each call is one unit of work, committed or not at all."""

    async def open_loan(
        self, customer_id: UserId, judge: SubmitJudge, context: CommandContext
    ) -> Committed[LoanView] | Rejected:
        """Mint a number, let `judge` decide, and keep what it decided."""

    async def change_loan(
        self,
        loan_id: LoanId,
        judge: Judge,
        context: CommandContext,
        *,
        made_id: UUID | None = None,
    ) -> Committed[LoanView] | Rejected:
        """Lock the loan, let `judge` decide, keep what it decided; NOT_FOUND when there is none.

        `made_id` names what is made: a disbursement, a charge, a recovery. When the loan has it
        already, the same again is a replay, and another of that id is refused with ID_TAKEN.
        """

    async def change_payment(
        self, loan_id: LoanId, payment_id: PaymentId, judge: Judge, context: CommandContext
    ) -> Committed[PaymentView] | Rejected:
        """Do the same as `change_loan`, and answer with the payment `payment_id` as it then stands.

        A `payment_id` that already exists is answered as a replay when loan, amount and value date
        are the same, and refused with ID_TAKEN when not, unless `judge` asks for the reversal.
        """

    async def annotate_payment(
        self, command: AnnotatePayment, permit: Permit, context: CommandContext
    ) -> Committed[PaymentView] | Rejected:
        """Write beside a payment."""

    async def add_comment(
        self, command: AddComment, permit: Permit, context: CommandContext
    ) -> Committed[CommentView] | Rejected:
        """Keep a comment and tell those who may see the loan."""


class Products(Protocol):
    """The lender's products, each with all its versions. Every method may raise an Outage."""

    async def create(
        self, command: CreateProduct, context: CommandContext
    ) -> Committed[ProductView] | Rejected:
        """Keep the first version; ID_TAKEN when there is such a product already."""

    async def replace(
        self, command: ReplaceProduct, context: CommandContext
    ) -> Committed[ProductView] | Rejected:
        """Keep a further version, when the caller has seen the latest; else STALE."""

    async def product(self, product_id: ProductId, version: int | None) -> ProductView | None:
        """One version, by default the latest."""

    async def products(self, query: ListProducts) -> Page[ProductView]:
        """A page of the products, each in its latest version."""


class Accounts(Protocol):
    """Users, their sessions and their refresh tokens."""

    async def access(self, user_id: UserId) -> Access | None:
        """The account and its live sessions."""

    async def credentials(self, email: str) -> Credentials | None:
        """What a sign-in with this (normalised) e-mail is checked against."""

    async def password_hash(self, user_id: UserId) -> str | None:
        """The hash that a user's current password is checked against."""

    async def open_session(
        self, session: SignInSession, ticket: RefreshTicket, request_id: str
    ) -> None:
        """Keep a new session and its first refresh token; audited."""

    async def refuse_sign_in(self, email: str, address: str, request_id: str, at: datetime) -> None:
        """Write a failed sign-in into the audit trail."""

    async def rotate(
        self, spent: UUID, successor: RefreshTicket, *, grace_s: int, idle_s: int, request_id: str
    ) -> Rotated | RefreshReused | None:
        """Exchange the refresh token `spent` in one step; None when it is unknown or over."""

    async def end_session(
        self, user_id: UserId, session_id: SessionId, context: CommandContext
    ) -> bool:
        """End one session of this user; False when it was not alive."""

    async def touch_sessions(self, seen: Sequence[tuple[SessionId, datetime]]) -> None:
        """Remember when sessions were used last."""

    async def keep_password(self, user_id: UserId, password_hash: str) -> None:
        """Replace a hash made with older parameters; not a change of the password."""

    async def user(self, user_id: UserId, sight: Sight) -> Account | None:
        """One user in sight."""

    async def users(self, query: ListUsers, sight: Sight) -> Page[Account]:
        """A page of users in sight."""

    async def create_user(
        self, command: CreateUser, password_hash: str, context: CommandContext
    ) -> Committed[Account] | Rejected:
        """Make a user; without `branch_id` he belongs to his creator's branch, or the node's."""

    async def update_user(
        self,
        command: UpdateUser,
        judge: Callable[[Account], Rejected | None],
        context: CommandContext,
    ) -> Committed[Account] | Rejected:
        """Change a user, when `judge` does not object to the one that is there now."""

    async def change_password(
        self,
        user_id: UserId,
        password_hash: str,
        judge: Callable[[Account], Rejected | None],
        context: CommandContext,
        *,
        keep_session: SessionId | None = None,
    ) -> Committed[Account] | Rejected:
        """Set a password and end every session of the user but `keep_session`."""


class TryLedger(Protocol):
    """The wrong tries that all workers know of. Every method may raise an Outage."""

    async def wait_s(self, email: str, tries_max: int, window_s: float) -> float | None:
        """For how long `tries_max` or more wrong tries are in the window; None when there are less.

        `email` is in its normal spelling; whether there is such an account makes no difference.
        """

    async def add(self, email: str) -> None:
        """Note a wrong try."""

    async def places(self, email: str) -> frozenset[str]:
        """The places from which somebody signed in to this account, while that is remembered."""


class Announcements(Protocol):
    """What is told to everybody. May raise an Outage."""

    async def announce(
        self, command: AnnounceMaintenance, context: CommandContext
    ) -> Committed[AnnouncementView] | Rejected:
        """Keep an announcement in the audit trail, and tell it, in one unit of work."""


class Upkeep(Protocol):
    """What has to be done now and then, by the one who leads."""

    async def sweep(self, now: datetime, term: Term) -> Sweepings | Deposed | ClocksApart:
        """Remove what has expired, unless another term than `term` has begun.

        `now` is what this machine's clock says: nothing is removed where the store's says another.
        """


class Leadership(Protocol):
    """Who leads, of all workers on all machines that share one database."""

    async def campaign(self) -> Term | None:
        """Take the lead, or confirm it; None while somebody else has it."""

    async def resign(self) -> None:
        """Let go of it, so that another worker need not wait. Raises nothing."""


class Passwords(Protocol):
    """Argon2id in threads, never more than a few at once."""

    async def hash(self, password: str) -> str:
        """Hash a password."""

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Check a password; None costs as much and is always False."""

    def is_outdated(self, password_hash: str) -> bool:
        """Say whether a hash was made with older parameters."""


class Tokens(Protocol):
    """Minting and reading tokens; pure but for the key."""

    def access_token(
        self, account: Account, session_id: SessionId, now: datetime
    ) -> tuple[str, int]:
        """A new access token, and for how many seconds it holds."""

    def refresh_token(self, ticket: RefreshTicket) -> str:
        """The refresh token of a ticket: the same ticket gives the same token."""

    def read_refresh_token(self, token: str, now: datetime) -> RefreshTicket | None:
        """The ticket that a token was minted from, when it is genuine and has not expired."""


class SessionDirectory(Protocol):
    """Where the actor of a user is found."""

    async def session(self, user_id: UserId) -> Address[Any]:
        """The address of the user's session actor on this worker, started when there was none.

        ActorStopped when the core is not running; MailboxFull when too many are.
        """

    def active(self, user_id: UserId) -> Address[Any] | None:
        """The same, only when there is one."""

    async def answer_apart(self, user_id: UserId, question: object) -> object:
        """Answer as the user's session actor would, without one, for while none can run.

        In the caller's task and within his deadline; an error of the handler is raised as it is.
        """

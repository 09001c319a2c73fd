"""Stand-ins for what is beyond the web's doors: they answer from a table and note what came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from actors.messages.user_session import Admit, Answer, AttachSocket, CarryOut, IssueTicket
from actors.runtime.address import Address
from actors.runtime.envelope import MailboxFull
from domain.access.account import Account, SignInSession
from domain.access.roles import Role
from domain.identifiers import BranchId, CommentId, LoanId, PaymentId, SessionId, UserId
from domain.reports.interest_lines import explained_lines
from domain.reports.views import (
    CommentView,
    ComponentHealth,
    EventView,
    LoanView,
    PaymentView,
    PresentUser,
    ScheduleView,
)
from domain.schedule.instalment import Instalment
from domain.terms.terms import Frequency, FrequencyUnit, Terms
from tests.web.fake_node import FakeDeparture, FakeTree
from web.dependencies import Doors, WebOptions
from web.security.tokens import JwtTokens

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
KEY = bytes(range(64))


def an_id(number: int) -> UUID:
    return UUID(int=(0x7 << 76) | (0x8 << 60) | number)


USER_ID = UserId(an_id(1))
OTHER_USER_ID = UserId(an_id(2))
SESSION_ID = SessionId(an_id(3))
BRANCH_ID = BranchId(an_id(4))
LOAN_ID = LoanId(an_id(5))
PAYMENT_ID = PaymentId(an_id(6))
COMMENT_ID = CommentId(an_id(7))

ACCOUNT = Account(
    USER_ID, "olga@lender.example", "Olga Officer", Role.OFFICER, BRANCH_ID, True, 3, "local",
    NOW, NOW,
)  # fmt: skip
SESSION = SignInSession(
    SESSION_ID, USER_ID, NOW, NOW, NOW + timedelta(days=7), "192.0.2.1", "a browser"
)
LOAN = LoanView(
    id=LOAN_ID,
    number="L-000001",
    customer_id=OTHER_USER_ID,
    branch_id=BRANCH_ID,
    product_id=None,
    principal_minor=125_000,
    currency="EUR",
    annual_rate_percent=Decimal("12.50"),
    instalments=12,
    frequency_every=1,
    frequency_unit="MONTHS",
    interest_method="DECLINING_BALANCE",
    amortization="EQUAL_INSTALLMENTS",
    interest_calc_period="SAME_AS_REPAYMENT_PERIOD",
    days_in_month="ACTUAL",
    days_in_year="365",
    start_date=None,
    first_due_date=None,
    purpose="a plough",
    status="active",
    outstanding_principal_minor=120_000,
    outstanding_interest_minor=1_005,
    outstanding_fees_minor=0,
    outstanding_penalties_minor=0,
    credit_minor=0,
    next_due_date=date(2026, 11, 20),
    next_due_minor=11_137,
    disbursed_on=date(2026, 10, 20),
    version=7,
    sync_status="local",
    created_at=NOW,
    updated_at=NOW,
    terms=Terms(125_000, "EUR", Decimal("12.50"), 12, Frequency(1, FrequencyUnit.MONTHS)),
)
INSTALMENT = Instalment(
    1,
    date(2026, 10, 20),
    date(2026, 11, 20),
    31,
    9_835,
    1_302,
    0,
    0,
    115_165,
    125_000,
    Decimal("0.0104"),
    Decimal("1302.08"),
)
SCHEDULE = ScheduleView(
    LOAN_ID, 7, TODAY, "EUR", False, (INSTALMENT,), explained_lines((INSTALMENT,), None)
)
EVENT = EventView(an_id(8), 1, "LoanSubmitted", NOW, TODAY, USER_ID, {"purpose": "a plough"})
PAYMENT = PaymentView(
    PAYMENT_ID,
    LOAN_ID,
    11_137,
    "EUR",
    TODAY,
    "posted",
    9_835,
    1_302,
    0,
    0,
    0,
    115_165,
    "cash",
    None,
    None,
    USER_ID,
    None,
    "local",
    1,
    NOW,
)
PRESENT = PresentUser(USER_ID, ACCOUNT.full_name, ACCOUNT.role, ACCOUNT.branch_id, 2, NOW, None)
COMMENT = CommentView(COMMENT_ID, LOAN_ID, USER_ID, "looks sound", NOW)

Teller = Callable[[Any], Any]


class FixedClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.instant = NOW

    def now(self) -> datetime:
        return self.instant

    def today(self) -> date:
        return self.instant.date()


class CountingIdentities:
    """Identifiers one after the other."""

    def __init__(self) -> None:
        self.last = 1000

    def new_id(self) -> UUID:
        self.last += 1
        return an_id(self.last)


@dataclass
class FakeActor:
    """Answers an ask by the type of what was asked; an exception in the table is raised.

    `asked` and `told` hold what came, in order, but for the question whether a sign-in lives, which
    `refusal` answers.
    """

    table: dict[type, Any] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)
    refuses_told: int = 0
    admissions: int = 0
    refusal: Any = None

    async def ask(self, message: Any, timeout_s: float) -> Any:
        assert timeout_s > 0
        if isinstance(message, Admit):
            self.admissions += 1
            refusal = self.refusal(message) if callable(self.refusal) else self.refusal
            if isinstance(refusal, Exception):
                raise refusal
            return refusal
        self.asked.append(message)
        subject = message
        if isinstance(message, Answer):
            subject = message.query
        elif isinstance(message, CarryOut):
            subject = message.command
        answer = self.table[type(subject)]
        if callable(answer):
            answer = answer(message)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def tell(self, message: Any, timeout_s: float | None = None) -> None:
        assert timeout_s is None or timeout_s > 0
        if self.refuses_told:
            self.refuses_told -= 1
            raise MailboxFull("/root/core/sessions/x")
        self.told.append(message)

    @property
    def last(self) -> Any:
        """The query or command that came last."""
        message = self.asked[-1]
        if isinstance(message, AttachSocket | IssueTicket):
            return message
        return message.query if isinstance(message, Answer) else message.command


class FakeDirectory:
    """One session actor for everybody, and one beside the tree."""

    def __init__(self, actor: FakeActor) -> None:
        self.actor = actor
        self.apart = FakeActor()
        self.trouble: list[Exception] = []

    async def session(self, user_id: UserId) -> Address[Any]:
        del user_id
        if self.trouble:
            raise self.trouble.pop(0)
        return cast("Address[Any]", self.actor)

    def active(self, user_id: UserId) -> Address[Any] | None:
        del user_id
        return None if self.trouble else cast("Address[Any]", self.actor)

    async def answer_apart(self, user_id: UserId, question: object) -> object:
        assert user_id == USER_ID
        return await self.apart.ask(question, 1)


@dataclass
class FakeHealth:
    """Components as the test sets them."""

    states: dict[str, ComponentHealth]

    async def components(self) -> dict[str, ComponentHealth]:
        return self.states


class House:
    """The doors, and what is behind each."""

    def __init__(self, **options: Any) -> None:
        self.session = FakeActor()
        self.gatekeeper = FakeActor()
        self.hub = FakeActor()
        self.directory = FakeDirectory(self.session)
        self.health = FakeHealth({})
        self.tree = FakeTree()
        self.departure = FakeDeparture()
        self.clock = FixedClock()
        self.tokens = JwtTokens(KEY, timedelta(minutes=30))
        self.options = WebOptions(
            **{
                "api_title": "Lendwire",
                "api_description": "A loan server",
                "api_version": "0.1.0",
                "cursor_key": KEY,
                "allowed_origins": ("https://desk.lender.example",),
                "trusted_proxies": ("10.0.0.0/8",),
                **options,
            }
        )
        self.doors = Doors(
            sessions=self.directory,
            gatekeeper=cast("Address[Any]", self.gatekeeper),
            hub=cast("Address[Any]", self.hub),
            health=self.health,
            tree=self.tree,
            departure=self.departure,
            tokens=self.tokens,
            clock=self.clock,
            identities=CountingIdentities(),
            options=self.options,
        )
        self.tidy()

    def tidy(self) -> None:
        """Put everything behind the doors in order; the doors stay the same."""
        for actor in (self.session, self.directory.apart, self.gatekeeper, self.hub):
            actor.table, actor.asked, actor.told = {}, [], []
        self.directory.trouble = []
        self.tree.running = True
        self.departure.drain_view = None
        self.clock.instant = NOW
        self.health.states = {
            "database": ComponentHealth("ok", "answers"),
            "redis": ComponentHealth("ok", "answers"),
        }

    def token(self, account: Account = ACCOUNT, session_id: SessionId = SESSION_ID) -> str:
        """An access token."""
        return self.tokens.access_token(account, session_id, self.clock.now())[0]

    @property
    def bearer(self) -> dict[str, str]:
        """The header of somebody who has signed in."""
        return {"Authorization": f"Bearer {self.token()}"}

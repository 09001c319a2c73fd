"""What a user's session actor understands: commands take turns by loan, queries take none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from actors.messages.replies import Unavailable
from actors.ports.feed import FrameSink
from actors.ports.tree_views import ActorView, DrainView, NodeView, OrderTaken, Sample, WorkInHand
from domain.access.account import Account, SignInSession
from domain.accounting.views import AuditView, JournalEntryView, TrialBalanceView
from domain.commands.loans import Command, IdempotencyClaim
from domain.identifiers import SessionId, UserId
from domain.loan.decision import Committed
from domain.queries import Query
from domain.rejections import Rejected
from domain.reports.loan_reports import PayoffView, StatementView
from domain.reports.portfolio_arrears import ArrearsView
from domain.reports.views import (
    AnnouncementView,
    CommentView,
    ConnectionsView,
    EventView,
    FeedPosition,
    LoanView,
    NetworkView,
    Page,
    PaymentView,
    PresentUser,
    ScheduleView,
    StatisticsView,
    SyncSummaryView,
)
from domain.simulation.payment_preview import ForesightView
from domain.simulation.quote import QuoteView, WhatIfView
from domain.terms.product import ProductView


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Under which sign-in, request and address a message came; `idempotency` only for commands."""

    session_id: SessionId
    request_id: str
    address: str
    idempotency: IdempotencyClaim | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer a query. Interleaved: it takes no turn. Replies with `Answered`."""

    context: RequestContext
    query: Query


@dataclass(frozen=True, slots=True)
class Admit:
    """Say whether this sign-in lives. Interleaved. Replies with None, or why it does not."""

    context: RequestContext


@dataclass(frozen=True, slots=True)
class CarryOut:
    """Carry out a command: one at a time on a loan. Replies with `CarriedOut`."""

    context: RequestContext
    command: Command


@dataclass(frozen=True, slots=True)
class AttachSocket:
    """Count a socket as this user's. Replies with `Attached`, or why not.

    `watched` is whom he wants to hear in place of himself; `replaces` is his connection that this
    one takes the place of, wherever it is.
    Its lane is quiet until the hub is told where it is to begin.
    """

    context: RequestContext
    connection_id: UUID
    lane: FrameSink
    watched: UserId | None = None
    replaces: UUID | None = None


@dataclass(frozen=True, slots=True)
class IssueTicket:
    """Make a connect ticket for this sign-in. Replies with `TicketIssued`, or why not.

    `access_until` is the end of the access token with which it is asked for.
    """

    context: RequestContext
    access_until: datetime


@dataclass(frozen=True, slots=True)
class TicketIssued:
    """A ticket that lets in once within `expires_in_s` seconds."""

    ticket: str = field(repr=False)
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class Attached:
    """A socket may hear as `account` from `position` on; its sign-in with its end is `session`."""

    account: Account
    session: SignInSession
    position: FeedPosition


@dataclass(frozen=True, slots=True)
class DetachSocket:
    """The socket is gone."""

    connection_id: UUID


@dataclass(frozen=True, slots=True)
class AccessChanged:
    """The account or its sessions changed: read them again, and close what lost its right."""


UserSessionMessage = (
    Admit | Answer | CarryOut | AttachSocket | IssueTicket | DetachSocket | AccessChanged
)

Told = (
    LoanView
    | Page[LoanView]
    | ScheduleView
    | PayoffView
    | StatementView
    | QuoteView
    | WhatIfView
    | ArrearsView
    | Page[EventView]
    | Page[JournalEntryView]
    | TrialBalanceView
    | Page[AuditView]
    | PaymentView
    | Page[PaymentView]
    | Page[CommentView]
    | ForesightView
    | ProductView
    | Page[ProductView]
    | Account
    | Page[Account]
    | tuple[SignInSession, ...]
    | StatisticsView
    | NetworkView
    | SyncSummaryView
    | ConnectionsView
    | Page[PresentUser]
    | NodeView
    | ActorView
    | WorkInHand
    | tuple[str, ...]
    | tuple[Sample, ...]
)
Made = (
    LoanView
    | ProductView
    | PaymentView
    | CommentView
    | AnnouncementView
    | Account
    | OrderTaken
    | DrainView
    | None
)
Answered = Told | Rejected | Unavailable
CarriedOut = Committed[Made] | Rejected | Unavailable

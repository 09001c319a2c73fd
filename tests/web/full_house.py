"""A house in which every question has an answer, and a good body for every command."""

from __future__ import annotations

import dataclasses
import itertools
import re

from actors.messages.broadcast_hub import GoLive, Narrow, TellPosition
from actors.messages.gatekeeper import Grant, Refresh, SignIn
from actors.messages.user_session import Attached, AttachSocket, IssueTicket, TicketIssued
from actors.ports.tree_views import DrainView, OrderTaken, Sample, WorkInHand
from domain.commands.loans import (
    AddComment,
    AmendLoan,
    AnnotatePayment,
    AnnounceMaintenance,
    ApplySuspense,
    ApproveLoan,
    ChangePassword,
    CreateUser,
    DeactivateUser,
    DisburseLoan,
    DrainNode,
    EndSession,
    OrderActor,
    RecordPayment,
    RejectLoan,
    ReversePayment,
    SubmitLoan,
    UpdateUser,
    WithdrawLoan,
)
from domain.commands.workouts import PayOff
from domain.identifiers import AnnouncementId, ChargeId
from domain.loan.decision import Committed
from domain.queries import (
    ConfirmOperator,
    ListComments,
    ListLoanEvents,
    ListLoans,
    ListMySessions,
    ListPayments,
    ListPresent,
    ListUsers,
    ReadActor,
    ReadConnections,
    ReadDrainEffect,
    ReadFigures,
    ReadLoan,
    ReadMyself,
    ReadNetworkStatus,
    ReadPayment,
    ReadRestartEffect,
    ReadSchedule,
    ReadStatistics,
    ReadSyncSummary,
    ReadTree,
    ReadUser,
)
from domain.rejections import AccessRefusal, Rejected
from domain.reports.charges import ChargeStand
from domain.reports.views import (
    AnnouncementView,
    ConnectionsView,
    FeedPosition,
    NetworkView,
    Page,
    PaymentTotals,
    PortfolioLine,
    StatisticsView,
    SyncSummaryView,
)
from domain.terms.choices import ChargeKind
from tests.web import a_product, workout_orders
from tests.web.a_tree import HUB, HUB_CLOSELY, ROOT
from tests.web.standins import (
    ACCOUNT,
    COMMENT,
    EVENT,
    LOAN,
    LOAN_ID,
    NOW,
    OTHER_USER_ID,
    PAYMENT,
    PAYMENT_ID,
    PRESENT,
    SCHEDULE,
    SESSION,
    SESSION_ID,
    TODAY,
    USER_ID,
    House,
    an_id,
)
from tests.web.told_of_loans import TOLD_OF_LOANS

STATISTICS = StatisticsView(
    TODAY,
    {"active": 3, "closed": 1},
    (PortfolioLine("EUR", 100, 50, 25), PortfolioLine("KWD", 5, 0, 0)),
    (PaymentTotals("EUR", 2, 11_137),),
    (PaymentTotals("EUR", 2, 11_137), PaymentTotals("JPY", 1, 500)),
    12,
    3,
    1,
    2,
    4,
)
ANNOUNCEMENT = AnnouncementView(AnnouncementId(an_id(9)), "a release", NOW, None, USER_ID, NOW)
CHARGE = ChargeStand(ChargeId(workout_orders.MADE), ChargeKind.PENALTY, TODAY, 1, 1_250, 0, 0)
GRANT = Grant("access", "refresh", 1800, ACCOUNT)
WORDS = {
    "user_id": str(USER_ID),
    "session_id": str(SESSION_ID),
    "loan_id": str(LOAN_ID),
    "payment_id": str(PAYMENT_ID),
    "customer_id": str(OTHER_USER_ID),
    "product_id": str(a_product.PRODUCT_ID),
    "status": "active",
    "asset": "start.js",
    "path": HUB.path.removeprefix("/"),
}


def everything(house: House) -> None:
    """Let every question have an answer and every command succeed."""
    refusal = Rejected(AccessRefusal.NOT_ALLOWED, "no longer")
    confirmations = itertools.cycle((ACCOUNT, refusal))
    loan, payment, user = Committed(LOAN), Committed(PAYMENT), Committed(ACCOUNT)
    house.session.table = {
        ReadMyself: ACCOUNT,
        ReadUser: ACCOUNT,
        ListUsers: Page((ACCOUNT,), an_id(1), 7),
        ListMySessions: (SESSION, dataclasses.replace(SESSION, id=an_id(99))),
        CreateUser: user,
        UpdateUser: user,
        DeactivateUser: user,
        ChangePassword: user,
        EndSession: Committed(None),
        SubmitLoan: loan,
        AmendLoan: loan,
        WithdrawLoan: loan,
        ApproveLoan: loan,
        RejectLoan: loan,
        DisburseLoan: loan,
        **dict.fromkeys(workout_orders.LOAN_ORDERS, loan),
        ReadLoan: LOAN,
        ListLoans: Page((LOAN,), None),
        ReadSchedule: dataclasses.replace(SCHEDULE, charges=(CHARGE,)),
        **TOLD_OF_LOANS,
        ListLoanEvents: Page((EVENT,), EVENT.id, 9),
        RecordPayment: payment,
        PayOff: payment,
        ReversePayment: payment,
        ApplySuspense: payment,
        AnnotatePayment: payment,
        ReadPayment: PAYMENT,
        ListPayments: Page((PAYMENT,), None),
        **a_product.ANSWERS,
        AddComment: Committed(COMMENT),
        AnnounceMaintenance: Committed(ANNOUNCEMENT),
        ListComments: Page((COMMENT,), None),
        ReadStatistics: STATISTICS,
        ReadNetworkStatus: NetworkView("standalone", "no head office is configured"),
        ReadSyncSummary: SyncSummaryView("standalone", "no wish", {"pending": 2, "failed": 1}),
        ReadConnections: ConnectionsView(3, 2, {"worker-1": 2, "worker-2": 1}),
        ListPresent: Page((PRESENT,), None),
        ReadTree: ROOT,
        # Every second answer ends a stream that is watched.
        ConfirmOperator: lambda _: next(confirmations),
        ReadFigures: (Sample("actor_up", "gauge", 1.0, {"path": HUB.path}),),
        ReadActor: HUB_CLOSELY,
        ReadRestartEffect: ("/root/core/gatekeeper",),
        ReadDrainEffect: WorkInHand(4, 2, 1, 3),
        OrderActor: Committed(OrderTaken(HUB.path)),
        DrainNode: Committed(DrainView("release 7", NOW, NOW)),
        AttachSocket: _attach_and_end,
        IssueTicket: TicketIssued("a-ticket", 30),
    }
    house.hub.table = {TellPosition: FeedPosition(an_id(9), 41), Narrow: None, GoLive: True}
    house.gatekeeper.table = {SignIn: GRANT, Refresh: GRANT}


def _attach_and_end(message: AttachSocket) -> Attached:
    """Whoever listens is sent away at once, so that a stream ends."""
    message.lane.close(4401, "signed out")
    return Attached(ACCOUNT, SESSION, FeedPosition(an_id(9), 41))


def filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: WORDS[found[1]], path)

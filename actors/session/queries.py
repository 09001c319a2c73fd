"""The query desk: answers questions from the store, limited to what the reader may see.

Stateless: one for all session actors of a worker.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from actors.messages.connectivity_prober import ConnectivityProberMessage, DescribeLink
from actors.messages.replies import Unavailable
from actors.messages.sync_coordinator import SummariseSync, SyncCoordinatorMessage
from actors.messages.user_session import Answered
from actors.ports.readings import Readings
from actors.ports.stores import Accounts, Clock
from actors.runtime.address import Address
from actors.runtime.envelope import ActorError
from actors.session.ledger import BooksDesk
from actors.session.loan_decisions import not_allowed, not_found
from actors.session.loan_queries import LoanDesk
from actors.session.presence import PresenceDesk
from actors.session.products import ProductsDesk
from domain.access.account import Account
from domain.access.roles import Action, Scope, Sight, sight
from domain.identifiers import UserId
from domain.queries import (
    BooksQuery,
    LendingQuery,
    ListComments,
    ListLoanEvents,
    ListLoans,
    ListMySessions,
    ListPayments,
    ListPresent,
    ListProducts,
    ListUsers,
    LoanQuery,
    ReadConnections,
    ReadLoan,
    ReadMyself,
    ReadNetworkStatus,
    ReadPayment,
    ReadProduct,
    ReadStatistics,
    ReadSyncSummary,
    ReadUser,
)
from domain.reports.views import SyncSummaryView
from domain.simulation.payment_preview import ForeseePayment

ASK_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class QueryDesk:
    """Answers queries on the authority of an account."""

    readings: Readings
    accounts: Accounts
    loans: LoanDesk
    books: BooksDesk
    products: ProductsDesk
    clock: Clock
    presence: PresenceDesk
    coordinator: Address[SyncCoordinatorMessage]
    prober: Address[ConnectivityProberMessage]

    async def answer(self, account: Account, query: LendingQuery) -> Answered:  # noqa: C901, PLR0911, PLR0912 - one arm a question
        """Answer `query`. May raise an Outage."""
        if isinstance(query, BooksQuery):
            return await self.books.answer(account, query)
        principal = account.principal
        seen = sight(principal, Action.READ)
        match query:
            case ReadMyself():
                return account
            case ReadUser() if query.user_id == account.id:
                return account
            case ReadProduct() | ListProducts():
                return await self.products.answer(account, query)
            case ReadUser() | ListUsers():
                return await self._users(account, query)
            case ListPresent():
                return await self.presence.present(account, query)
            case ReadNetworkStatus() | ReadSyncSummary() | ReadConnections():
                return await self._operation(account, query)
        if seen is None:
            return not_allowed(principal, "read loans and payments")
        if isinstance(query, ForeseePayment):
            return await self.loans.foresee(account, query, seen)
        if isinstance(query, LoanQuery):
            return await self.loans.answer(query, seen)
        match query:
            case ReadLoan():
                return await self.readings.loan(query.loan_id, seen) or not_found("loan")
            case ListLoans():
                return await self.readings.loans(query, seen)
            case ListLoanEvents():
                return await self.readings.events(query, seen) or not_found("loan")
            case ReadPayment():
                return await self.readings.payment(query.payment_id, seen) or not_found("payment")
            case ListPayments():
                return await self.readings.payments(query, seen)
            case ListComments():
                return await self.readings.comments(query, seen) or not_found("loan")
            case ReadStatistics():
                return await self._statistics(seen)
            case ListMySessions():
                raise AssertionError("the session actor itself knows its sessions")
            case _:
                assert_never(query)

    async def _users(self, account: Account, query: ReadUser | ListUsers) -> Answered:
        reach = sight(account.principal, Action.MANAGE_USERS)
        if reach is None:
            reach = Sight(Scope.OWN, account.id, account.branch_id)
        if isinstance(query, ListUsers):
            return await self.accounts.users(query, reach)
        return await self.accounts.user(UserId(query.user_id), reach) or not_found("user")

    async def _operation(
        self, account: Account, query: ReadNetworkStatus | ReadSyncSummary | ReadConnections
    ) -> Answered:
        """Ask the actor that knows; whoever may read anything, or operates the node, may know."""
        principal = account.principal
        if sight(principal, Action.READ) is None and sight(principal, Action.OPERATE) is None:
            return not_allowed(principal, "see how the node is")
        try:
            match query:
                case ReadNetworkStatus():
                    answer = await self.prober.ask(DescribeLink(), timeout_s=ASK_TIMEOUT_S)
                case ReadSyncSummary():
                    answer = await self.coordinator.ask(SummariseSync(), timeout_s=ASK_TIMEOUT_S)
                case ReadConnections():
                    return await self.presence.connected()
                case _:
                    assert_never(query)
        except ActorError:
            return Unavailable("The part that knows is restarting. Try again.", 1.0)
        return answer  # type: ignore[no-any-return] # an address answers Any; the protocol says what

    async def _statistics(self, seen: Sight) -> Answered:
        figures = await self.readings.statistics(seen, self.clock.today())
        try:
            connected = await self.presence.connected()
            summary = await self.coordinator.ask(SummariseSync(), timeout_s=ASK_TIMEOUT_S)
        except ActorError:
            return Unavailable("The part that knows is restarting. Try again.", 1.0)
        assert isinstance(summary, SyncSummaryView)
        counts = summary.by_status
        return replace(
            figures,
            users_connected=connected.users,
            sync_pending=counts.get("pending", 0) + counts.get("syncing", 0),
            sync_failed=counts.get("failed", 0),
            sync_conflict=counts.get("conflict", 0),
        )

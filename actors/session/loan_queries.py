"""The loan desk: answers what only the engine knows of a loan on a day, from its state or events.

Stateless: one for all session actors of a worker. It decides nothing and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import assert_never

from actors.messages.user_session import Answered
from actors.ports.readings import Readings, Reckoner
from actors.ports.stores import Clock
from actors.session.loan_decisions import judge, not_found
from domain.access.account import Account
from domain.access.roles import Sight
from domain.commands.loans import CommandContext
from domain.events.events import LoanEvent
from domain.identifiers import EventId, LoanId
from domain.loan.as_of import carried_to, loan_as_of
from domain.loan.decision import HistoryNeeded
from domain.loan.loan import Loan
from domain.loan.replay import replay
from domain.queries import (
    LoanQuery,
    QuoteTerms,
    ReadArrears,
    ReadPayoff,
    ReadSchedule,
    ReadStatement,
    SupposeOfLoan,
)
from domain.rejections import Rejected, WorkoutRefusal
from domain.reports.loan_reports import payoff_view, schedule_view, statement_view
from domain.reports.portfolio_arrears import TooManyLoans, book_arrears
from domain.simulation.payment_preview import ForeseePayment, ForesightView, foresight
from domain.simulation.quote import quote, what_if_view


@dataclass(frozen=True, slots=True)
class LoanDesk:
    """Answers about loans that are in sight; what is out of sight is not there."""

    readings: Readings
    reckoner: Reckoner
    clock: Clock

    async def answer(self, query: LoanQuery, seen: Sight) -> Answered:
        """Answer `query`. May raise an Outage."""
        today = self.clock.today()
        match query:
            case ReadSchedule():
                as_of = query.as_of or today
                loan = await self._loan(query.loan_id, as_of, seen)
                return loan if isinstance(loan, Rejected) else schedule_view(loan, as_of, today)
            case ReadPayoff():
                on = query.on or today
                loan = await self._loan(query.loan_id, on, seen)
                return loan if isinstance(loan, Rejected) else payoff_view(loan, on)
            case ReadStatement():
                return await self._statement(query, seen)
            case QuoteTerms():
                work = partial(quote, query.terms, query.scenarios, today)
                return await self.reckoner.reckon(work)
            case ReadArrears():
                return await self._arrears(query, seen)
            case SupposeOfLoan():
                return await self._supposed(query, seen)
            case _:
                assert_never(query)

    async def foresee(self, account: Account, query: ForeseePayment, seen: Sight) -> Answered:
        """Tell what a payment, or its reversal, would change, to whoever might do it."""
        events = await self.readings.history(query.loan_id, seen)
        if events is None:
            return not_found("loan")
        context = CommandContext(
            principal=account.principal,
            at=self.clock.now(),
            today=self.clock.today(),
            # Nothing is kept of it: the payment's own id says as well where it belongs in its day.
            event_id=EventId(query.order.payment_id),
            request_id="",
            address="",
            four_eyes=False,
            idempotency=None,
        )
        return await self.reckoner.reckon(partial(_foreseen, query, context, events))

    async def _loan(self, loan_id: LoanId, day: date, seen: Sight) -> Loan | Rejected:
        """The loan as it stands on `day`: from its state where that tells, else from its events."""
        kept = await self.readings.loan_state(loan_id, seen)
        if kept is None:
            return not_found("loan")
        carried = carried_to(kept, day)
        if carried is not None:
            return carried
        events = await self.readings.history(loan_id, seen)
        if events is None:
            return not_found("loan")
        history = await self.reckoner.reckon(partial(loan_as_of, events, day))
        return replace(history.loan, version=len(events))

    async def _arrears(self, query: ReadArrears, seen: Sight) -> Answered:
        as_of = query.as_of or self.clock.today()
        book = await self.readings.book_on(as_of, query.branch_id, seen)
        if isinstance(book, TooManyLoans):
            return Rejected(
                WorkoutRefusal.BAD_DATE,
                f"More than {book.most} loans would have to be brought to {as_of} one by one."
                " Ask for one branch (branch_id), or for a day nearer to today.",
                facts={"loans_max": book.most},
            )
        return await self.reckoner.reckon(partial(book_arrears, book, as_of))

    async def _supposed(self, query: SupposeOfLoan, seen: Sight) -> Answered:
        kept = await self.readings.loan_state(query.loan_id, seen)
        events = await self.readings.history(query.loan_id, seen)
        if kept is None or events is None:
            return not_found("loan")
        today = self.clock.today()
        return await self.reckoner.reckon(
            partial(what_if_view, kept, events, query.scenarios, today)
        )

    async def _statement(self, query: ReadStatement, seen: Sight) -> Answered:
        kept = await self.readings.loan_state(query.loan_id, seen)
        events = await self.readings.history(query.loan_id, seen)
        if kept is None or events is None:
            return not_found("loan")
        until = min(query.until or self.clock.today(), self.clock.today())
        return await self.reckoner.reckon(partial(statement_view, kept, events, query.since, until))


def _foreseen(
    query: ForeseePayment, context: CommandContext, events: tuple[LoanEvent, ...]
) -> ForesightView | Rejected:
    loan = replay(events)[0]
    outcome = judge(query.order, context)(loan, events)
    assert not isinstance(outcome, HistoryNeeded), "it has the history"
    return outcome if isinstance(outcome, Rejected) else foresight(loan, outcome)

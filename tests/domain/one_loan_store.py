"""A store of one loan, in memory: it keeps what was decided, and checks that everything agrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

from hypothesis.stateful import RuleBasedStateMachine, invariant

from domain.accounting.journal import JournalMemo, Side, by_day, post
from domain.commands.loans import CommandContext
from domain.events.events import LoanEvent
from domain.identifiers import PaymentId
from domain.loan.decision import Decision, HistoryNeeded
from domain.loan.ledger_amounts import LedgerAccount, implied_balances
from domain.loan.lifecycle import TRANSITIONS, LoanMove, LoanStatus, allows
from domain.loan.loan import Loan
from domain.loan.payment import Payment
from domain.loan.replay import movements, replay
from domain.loan.working_loan import resumed, stopped
from domain.notifications.rules import notices
from domain.rejections import LoanRefusal, Rejected
from tests.domain.lending_scenes import NOON, TELLER, TODAY, context
from tests.domain.soundness import check_entries, check_loan, check_payments, check_to_come

Outcome = Decision | HistoryNeeded | Rejected
Known = tuple[LoanEvent, ...] | None


class OneLoanStore(RuleBasedStateMachine):
    """What every machine over one loan does with a decision, and what then must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[LoanEvent] = []
        self.payments: dict[PaymentId, Payment] = {}
        self.sums: Counter[LedgerAccount] = Counter()
        self.by_day: Counter[tuple[date, LedgerAccount]] = Counter()
        self.loan: Loan | None = None
        self.clock, self.days = 0, 0

    @property
    def today(self) -> date:
        return TODAY + timedelta(days=self.days)

    def now(self, principal: object = TELLER) -> CommandContext:
        self.clock += 1
        return context(
            principal,
            event=1000 + self.clock,
            today=self.today,
            at=NOON + timedelta(days=self.days, minutes=self.clock),
            four_eyes=False,
        )

    def keep(self, decision: Decision, before: Loan | None) -> None:
        (event,) = decision.events
        notices(event, before, decision)
        lines = post(event, before, decision)
        check_entries(lines)
        for line in lines:
            sign = 1 if line.side is Side.DEBIT else -1
            self.sums[line.account] += sign * line.amount_minor
            self.by_day[line.value_date, line.account] += sign * line.amount_minor
            assert line.value_date <= self.today
            assert line.memo is not JournalMemo.CORRECTION, "one engine has nothing to correct"
        for stood in decision.payments_before:
            assert self.payments[stood.id] == stood
        self.payments.update({changed.id: changed for changed in decision.payments})
        self.events.append(event)
        self.loan = decision.loan

    def attempt(self, move: LoanMove, decide: Callable[[Loan, Known], Outcome]) -> None:
        before = self.loan
        outcome = decide(before, None)
        if isinstance(outcome, HistoryNeeded):
            outcome = decide(before, tuple(self.events))
        assert not isinstance(outcome, HistoryNeeded)
        if isinstance(outcome, Rejected):
            if outcome.reason is LoanRefusal.WRONG_STATE:
                assert not allows(before.status, move)
            return
        # Money in suspense may come, and go back, in any state.
        assert allows(before.status, move) or move in {LoanMove.PAY, LoanMove.REVERSE}
        if allows(before.status, move):
            assert outcome.loan.status in TRANSITIONS[move][before.status]
        self.keep(outcome, before)

    @invariant()
    def the_replay_is_the_loan(self) -> None:
        if self.loan is None:
            return
        loan, payments = replay(reversed(self.events))
        assert loan == self.loan
        assert {one.id: one for one in payments} == self.payments

    @invariant()
    def the_books_agree(self) -> None:
        if self.loan is None:
            return
        implied = implied_balances(self.loan)
        assert sum(self.sums.values()) == 0
        assert {a: m for a, m in self.sums.items() if m} == {a: m for a, m in implied.items() if m}
        if self.loan.status is LoanStatus.ACTIVE:
            out = self.sums[LedgerAccount.LOANS_RECEIVABLE]
            assert out == self.loan.outstanding.principal_minor

    @invariant()
    def the_books_agree_on_every_day(self) -> None:
        """U2: what counts until a day is what the loan of that day implies."""
        if self.loan is None:
            return
        rightly = {
            (day, account): amount
            for day, amounts in by_day(movements(self.events)).items()
            for account, amount in amounts.items()
            if amount
        }
        assert {key: amount for key, amount in self.by_day.items() if amount} == rightly

    @invariant()
    def every_part_is_sound(self) -> None:
        if self.loan is None:
            return
        check_loan(self.loan)
        check_payments(self.loan, self.payments.values())

    @invariant()
    def what_is_kept_is_enough_to_go_on(self) -> None:
        if self.loan is not None and self.loan.book is not None:
            assert stopped(resumed(self.loan)) == self.loan

    @invariant()
    def it_is_as_sound_on_days_to_come(self) -> None:
        if self.loan is None or self.loan.disbursed_on is None:
            return
        for days in (0, 17, 500):
            check_to_come(self.loan, self.today + timedelta(days=days))

    def check_invariants_now(self) -> None:
        """What hypothesis does after each step, for those who live without it."""
        self.the_replay_is_the_loan()
        self.the_books_agree()
        self.the_books_agree_on_every_day()
        self.every_part_is_sound()
        self.what_is_kept_is_enough_to_go_on()
        self.it_is_as_sound_on_days_to_come()

"""A store of one loan, in memory: it keeps what was decided, and checks that everything agrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from hypothesis.stateful import RuleBasedStateMachine, invariant

from domain.commands import CommandContext
from domain.decision import Decision, HistoryNeeded
from domain.events import LoanEvent
from domain.identifiers import PaymentId
from domain.journal import LedgerAccount, Side, implied_balances, post
from domain.lifecycle import TRANSITIONS, LoanMove, LoanStatus, allows
from domain.loan import Loan
from domain.loan_history import replay
from domain.noticing import notices
from domain.payment import Payment, PaymentStatus, PaymentType
from domain.rejections import LoanRefusal, Rejected
from tests.domain.lending_scenes import NOON, TELLER, TODAY, context

Outcome = Decision | HistoryNeeded | Rejected
Known = tuple[LoanEvent, ...] | None


class OneLoanStore(RuleBasedStateMachine):
    """What every machine over one loan does with a decision, and what then must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[LoanEvent] = []
        self.payments: dict[PaymentId, Payment] = {}
        self.sums: Counter[LedgerAccount] = Counter()
        self.loan: Loan | None = None
        self.clock, self.days = 0, 0

    def now(self, principal: object = TELLER) -> CommandContext:
        self.clock += 1
        return context(
            principal,
            event=1000 + self.clock,
            today=TODAY + timedelta(days=self.days),
            at=NOON + timedelta(days=self.days, minutes=self.clock),
            four_eyes=False,
        )

    def keep(self, decision: Decision, before: Loan | None) -> None:
        (event,) = decision.events
        notices(event, before, decision)
        for line in post(event, before, decision):
            assert line.amount_minor > 0
            sign = 1 if line.side is Side.DEBIT else -1
            self.sums[line.account] += sign * line.amount_minor
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
    def every_part_is_sound(self) -> None:
        for one in self.payments.values():
            if one.status is PaymentStatus.POSTED and one.type is PaymentType.PAYMENT:
                assert one.allocation.total_minor == one.amount_minor
            else:
                assert one.allocation.total_minor == 0
        for row in () if self.loan is None else self.loan.instalments:
            assert row.outstanding_minor >= 0
            assert row.paid_principal_minor <= row.principal_minor
            assert row.paid_interest_minor <= row.interest_minor

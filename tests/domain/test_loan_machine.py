"""The life of a loan under random commands, against a model that knows only sums and order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.access.roles import Principal
from domain.accounting.journal import JournalLine, Side, post
from domain.commands.loans import (
    AmendLoan,
    ApproveLoan,
    CommandContext,
    RejectLoan,
    ReversePayment,
    WithdrawLoan,
)
from domain.decisions.origination import amend, approve, disburse, reject, submit, withdraw
from domain.decisions.servicing import pay, reverse
from domain.events.events import (
    LoanApproved,
    LoanDisbursed,
    LoanEvent,
    LoanSubmitted,
    PaymentRecorded,
)
from domain.identifiers import PaymentId
from domain.loan.decision import Decision, HistoryNeeded
from domain.loan.ledger_amounts import LedgerAccount, implied_balances
from domain.loan.lifecycle import TRANSITIONS, LoanMove, LoanStatus, allows
from domain.loan.loan import Loan
from domain.loan.payment import Payment, PaymentStatus
from domain.loan.replay import replay
from domain.notifications.rules import notices
from domain.rejections import LoanRefusal, Rejected
from domain.terms.terms import Terms
from tests.domain.lending_scenes import (
    BRANCH,
    LOAN,
    MANAGER,
    NOON,
    OFFICER,
    TELLER,
    TODAY,
    all_terms,
    application,
    context,
    decided,
    disbursement,
    major,
    payment,
    reversal,
)

Outcome = Decision | HistoryNeeded | Rejected
people = st.sampled_from([OFFICER, MANAGER, TELLER])


class LoanMachine(RuleBasedStateMachine):
    """A store of one loan that does what is decided, and checks it after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[LoanEvent] = []
        self.payments: dict[PaymentId, Payment] = {}
        self.journal: list[JournalLine] = []
        self.clock = 0

    @initialize(
        terms=all_terms(instalments_max=5),
        four_eyes=st.booleans(),
        forgetful=st.booleans(),
        paid_out=st.booleans(),
    )
    def apply(self, terms: Terms, *, four_eyes: bool, forgetful: bool, paid_out: bool) -> None:
        self.four_eyes = four_eyes
        self.forgetful = forgetful
        terms = replace(terms, first_due_date=None)
        decision = decided(submit(application(terms), "L-1", self.now(OFFICER), branch_id=BRANCH))
        self.keep(decision, None)
        if paid_out:
            self.approve(MANAGER)
            self.disburse(TELLER, 2)
            assert self.loan.status is LoanStatus.ACTIVE

    def now(self, principal: Principal) -> CommandContext:
        """The clock moves a day every third command, so that some things happen on one day."""
        self.clock += 1
        return context(
            principal,
            event=1000 + self.clock,
            today=TODAY + timedelta(days=self.clock // 3),
            at=NOON + timedelta(minutes=self.clock),
            four_eyes=self.four_eyes,
        )

    def keep(self, decision: Decision, before: Loan | None) -> None:
        (event,) = decision.events
        notices(event, before, decision)
        self.journal.extend(post(event, before, decision))
        for stood in decision.payments_before:
            assert self.payments[stood.id] == stood
        self.payments.update({changed.id: changed for changed in decision.payments})
        self.events.append(event)
        self.loan = decision.loan
        if self.forgetful:
            self.loan = replace(self.loan, last_payment_event_id=None)

    def attempt(
        self, move: LoanMove, decide: Callable[[Loan, tuple[LoanEvent, ...] | None], Outcome]
    ) -> None:
        before = self.loan
        outcome = decide(before, None)
        if isinstance(outcome, HistoryNeeded):
            outcome = decide(before, tuple(self.events))
        assert not isinstance(outcome, HistoryNeeded)
        if isinstance(outcome, Rejected):
            if outcome.reason is LoanRefusal.WRONG_STATE:
                assert not allows(before.status, move)
                assert outcome.facts == {"event": move.value, "state": before.status.value}
            return
        assert outcome.loan.status in TRANSITIONS[move][before.status]
        assert outcome.loan.version == before.version + 1
        self.keep(outcome, before)

    @rule(who=people, terms=all_terms(instalments_max=5))
    def amend(self, who: Principal, terms: Terms) -> None:
        command = AmendLoan(LOAN, self.loan.version, replace(terms, first_due_date=None), None)
        moment = self.now(who)
        self.attempt(LoanMove.AMEND, lambda loan, _: amend(loan, command, moment))

    @rule(who=people)
    def try_to_approve(self, who: Principal) -> None:
        self.approve(who)

    def approve(self, who: Principal) -> None:
        moment = self.now(who)
        self.attempt(
            LoanMove.APPROVE,
            lambda loan, events: approve(loan, ApproveLoan(LOAN, None), moment, events),
        )

    @rule(chance=st.integers(0, 5))
    def reject_or_withdraw(self, chance: int) -> None:
        moment = self.now(MANAGER)
        if chance == 0:
            self.attempt(
                LoanMove.REJECT, lambda loan, _: reject(loan, RejectLoan(LOAN, "no"), moment)
            )
        if chance == 1:
            command = WithdrawLoan(LOAN, None)
            self.attempt(LoanMove.WITHDRAW, lambda loan, _: withdraw(loan, command, moment))

    @rule(who=people, days_ago=st.integers(0, 3))
    def try_to_disburse(self, who: Principal, days_ago: int) -> None:
        self.disburse(who, days_ago)

    def disburse(self, who: Principal, days_ago: int) -> None:
        moment = self.now(who)
        command = disbursement(day=moment.today - timedelta(days=days_ago))
        self.attempt(LoanMove.DISBURSE, lambda loan, _: disburse(loan, command, moment))

    @rule(percent=st.integers(1, 120), days_ago=st.integers(0, 6))
    def pay(self, percent: int, days_ago: int) -> None:
        moment = self.now(TELLER)
        owed = self.loan.outstanding.total_minor
        amount = major(max(1, owed * percent // 100), self.loan.terms.currency)
        command = payment(amount, 5000 + self.clock, day=moment.today - timedelta(days=days_ago))
        self.attempt(LoanMove.PAY, lambda loan, past: pay(loan, command, moment, past))

    @rule()
    def pay_all(self) -> None:
        owed = self.loan.outstanding.total_minor
        if owed == 0 or owed > 10**15:
            return
        moment = self.now(TELLER)
        command = payment(major(owed, self.loan.terms.currency), 5000 + self.clock)
        self.attempt(LoanMove.PAY, lambda loan, past: pay(loan, command, moment, past))
        assert self.loan.status in {LoanStatus.CLOSED, LoanStatus.OVERPAID}

    @rule(which=st.integers(0, 20))
    def reverse(self, which: int) -> None:
        moment = self.now(TELLER)
        known = list(self.payments)
        command = ReversePayment(known[which % len(known)], LOAN) if known else reversal(77)
        self.attempt(LoanMove.REVERSE, lambda loan, past: reverse(loan, command, moment, past))

    @invariant()
    def the_replay_is_the_loan(self) -> None:
        if not self.events:
            return
        loan, payments = replay(reversed(self.events))
        if self.forgetful:
            loan = replace(loan, last_payment_event_id=None)
        assert loan == self.loan
        assert {one.id: one for one in payments} == self.payments

    @invariant()
    def the_model_agrees(self) -> None:
        """Every cent owed, in its order, is paid by every cent that came in, in its order."""
        if not self.events:
            return
        received = {e.payment_id: e for e in self.events if isinstance(e, PaymentRecorded)}
        owed = [
            (kind, row.number, amount)
            for row in self.loan.instalments
            for kind, amount in (
                ("interest", row.interest_minor),
                ("principal", row.principal_minor),
            )
        ]
        standing = [p for p in self.payments.values() if p.status is PaymentStatus.POSTED]
        standing.sort(key=lambda p: (p.value_date, received[p.id].event_id))
        for one in standing:
            left, paid = one.amount_minor, Counter[str]()
            for index, (kind, number, amount) in enumerate(owed):
                part = min(left, amount)
                owed[index] = (kind, number, amount - part)
                paid[kind] += part
                left -= part
            split = one.allocation
            assert (split.interest_minor, split.principal_minor, split.excess_minor) == (
                paid["interest"],
                paid["principal"],
                left,
            )
            assert one.outstanding_after_minor == sum(amount for _, _, amount in owed)
        outstanding = Counter[str]()
        for kind, _, amount in owed:
            outstanding[kind] += amount
        assert self.loan.outstanding.interest_minor == outstanding["interest"]
        assert self.loan.outstanding.principal_minor == outstanding["principal"]

    @invariant()
    def the_books_agree(self) -> None:
        if not self.events:
            return
        sums: Counter[LedgerAccount] = Counter()
        for line in self.journal:
            assert line.amount_minor > 0
            sums[line.account] += (
                line.amount_minor if line.side is Side.DEBIT else -line.amount_minor
            )
        assert sum(sums.values()) == 0
        assert all(sums[account] == due for account, due in implied_balances(self.loan).items())
        assert sums[LedgerAccount.LOANS_RECEIVABLE] == self.loan.outstanding.principal_minor
        assert -sums[LedgerAccount.CUSTOMER_CREDIT] == self.loan.credit_minor

    @invariant()
    def the_life_cycle_holds(self) -> None:
        out = [event for event in self.events if isinstance(event, LoanDisbursed)]
        assert len(out) <= 1
        for event in self.events:
            if isinstance(event, PaymentRecorded):
                assert out
                assert event.value_date >= out[0].value_date
        if self.events and self.four_eyes:
            applied = next(e.by for e in self.events if isinstance(e, LoanSubmitted))
            approvals = [e.by for e in self.events if isinstance(e, LoanApproved)]
            assert applied not in approvals
            assert not {event.by for event in out} & set(approvals)

    @invariant()
    def a_loan_is_paid_off_when_nothing_is_due(self) -> None:
        if not self.events or not self.loan.disbursed_minor:
            return
        done = all(row.outstanding_minor == 0 for row in self.loan.instalments)
        assert done == (self.loan.status in {LoanStatus.CLOSED, LoanStatus.OVERPAID})
        assert (self.loan.credit_minor > 0) == (self.loan.status is LoanStatus.OVERPAID)


LoanMachine.TestCase.settings = settings(stateful_step_count=25)
TestLoanMachine = LoanMachine.TestCase

"""A loan under every command there is: the books agree, the replay agrees, the table is obeyed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from domain.commands.loans import ApplySuspense, ApproveLoan, ReversePayment
from domain.commands.workouts import (
    AddCharge,
    ChangeRate,
    ChargeOverdue,
    PayOff,
    ReAgeLoan,
    RecordRecovery,
    RefundCredit,
    RescheduleLoan,
    UndoDisbursal,
    WaiveCharge,
    WaiveInterest,
    WriteOffLoan,
)
from domain.decisions.closing import (
    pay_off,
    recover,
    refund,
    undo_approval,
    undo_disbursal,
    undo_write_off,
    write_off,
)
from domain.decisions.origination import approve, disburse, submit
from domain.decisions.servicing import pay, reverse, take_as_fact
from domain.decisions.suspense import apply_suspense
from domain.decisions.tranches import disburse_further
from domain.decisions.workout import (
    add_charge,
    change_rate,
    charge_overdue,
    re_age,
    reamortize,
    reschedule,
    waive_charge,
    waive_interest,
)
from domain.events.events import LoanDisbursed
from domain.identifiers import ChargeId, DisbursementId, PaymentId
from domain.loan.decision import Decision
from domain.loan.lifecycle import LoanMove
from domain.loan.payment import PaymentStatus, PaymentType
from domain.terms.choices import ChargeBase, ChargeKind
from domain.terms.terms import Frequency, FrequencyUnit, Terms
from tests.domain.lending_scenes import (
    BRANCH,
    LOAN,
    MANAGER,
    OFFICER,
    application,
    decided,
    disbursement,
    major,
    payment,
)
from tests.domain.one_loan_store import OneLoanStore
from tests.domain.rich_terms import rich_terms

MONTHLY = Frequency(1, FrequencyUnit.MONTHS)
days_back = st.one_of(st.just(0), st.integers(0, 50))


class WorkoutMachine(OneLoanStore):
    """Everything that may be asked of a loan, in any order, on any terms."""

    @initialize(terms=rich_terms(instalments_max=4), part=st.integers(1, 4))
    def begin(self, terms: Terms, part: int) -> None:
        self.charges: list[ChargeId] = []
        terms = replace(terms, start_date=None)
        applied = submit(application(terms), "L-1", self.now(OFFICER), branch_id=BRANCH)
        self.keep(decided(applied), None)
        self.part = part
        self.approve()
        self.disburse()

    def money(self, minor: int) -> Decimal:
        return major(minor, self.loan.terms.currency)

    def day(self, days_ago: int) -> date:
        """So many days before today, but not before the loan began."""
        return self.today - timedelta(days=min(days_ago, self.days))

    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        self.days += days

    @rule()
    def approve(self) -> None:
        moment = self.now(MANAGER)
        self.attempt(
            LoanMove.APPROVE, lambda loan, _: approve(loan, ApproveLoan(LOAN, None), moment)
        )

    @rule()
    def disburse(self) -> None:
        moment = self.now()
        terms = self.loan.terms
        whole = terms.tranches_max == 1
        amount = terms.principal_minor if whole else max(1, terms.principal_minor // self.part)
        made = DisbursementId(UUID(int=self.clock))
        command = replace(disbursement(self.money(amount)), disbursement_id=made)
        self.attempt(LoanMove.DISBURSE, lambda loan, _: disburse(loan, command, moment))

    @rule(percent=st.integers(1, 100), days_ago=days_back)
    def disburse_more(self, percent: int, days_ago: int) -> None:
        moment = self.now()
        left = self.loan.terms.principal_minor - self.loan.disbursed_minor
        amount = max(1, left * percent // 100)
        made = DisbursementId(UUID(int=self.clock))
        command = disbursement(self.money(amount), self.day(days_ago))
        command = replace(command, disbursement_id=made)
        self.attempt(
            LoanMove.DISBURSE_FURTHER,
            lambda loan, past: disburse_further(loan, command, moment, past),
        )

    @rule(which=st.integers(0, 3))
    def take_back(self, which: int) -> None:
        moment = self.now()
        outs = [one for one in self.events if isinstance(one, LoanDisbursed)]
        if which == 0:
            self.attempt(
                LoanMove.UNDO_APPROVAL, lambda loan, past: undo_approval(loan, moment, past)
            )
        elif outs and which == 1:
            command = UndoDisbursal(LOAN, outs[-1].disbursement_id)
            self.attempt(
                LoanMove.UNDO_DISBURSAL,
                lambda loan, past: undo_disbursal(loan, command, moment, past),
            )

    @rule(percent=st.integers(1, 130), short=st.sampled_from([0, 0, 1, 2]), days_ago=days_back)
    def pay(self, percent: int, short: int, days_ago: int) -> None:
        moment = self.now()
        amount = max(1, self.loan.outstanding.total_minor * percent // 100 - short)
        command = payment(self.money(amount), 5000 + self.clock, day=self.day(days_ago))
        self.attempt(LoanMove.PAY, lambda loan, past: pay(loan, command, moment, past))

    @rule(amount=st.integers(1, 5000), days_ago=st.integers(0, 20))
    def take_at_a_branch(self, amount: int, days_ago: int) -> None:
        moment = self.now()
        day = moment.today - timedelta(days=days_ago)
        command = payment(self.money(amount), 5000 + self.clock, day=day)
        before = self.loan
        outcome = take_as_fact(before, command, moment, tuple(self.events))
        assert isinstance(outcome, Decision), "money that has come in is never refused"
        self.keep(outcome, before)

    @rule(which=st.integers(0, 20))
    def apply_suspense(self, which: int) -> None:
        moment = self.now()
        kept = [one.id for one in self.payments.values() if one.status is PaymentStatus.SUSPENSE]
        if kept:
            command = ApplySuspense(kept[which % len(kept)], LOAN)
            self.attempt(
                LoanMove.PAY, lambda loan, past: apply_suspense(loan, command, moment, past)
            )

    @rule(days_ago=days_back)
    def pay_it_off(self, days_ago: int) -> None:
        moment = self.now()
        made = PaymentId(UUID(int=5000 + self.clock))
        command = PayOff(made, LOAN, None, self.day(days_ago), "cash", None)
        self.attempt(LoanMove.PAY, lambda loan, past: pay_off(loan, command, moment, past))

    @rule(which=st.integers(0, 20))
    def reverse(self, which: int) -> None:
        moment = self.now()
        known = [one.id for one in self.payments.values() if one.type is PaymentType.PAYMENT]
        if known:
            command = ReversePayment(known[which % len(known)], LOAN)
            self.attempt(LoanMove.REVERSE, lambda loan, past: reverse(loan, command, moment, past))

    @rule(kind=st.sampled_from(ChargeKind), amount=st.integers(1, 900), days=st.integers(-30, 60))
    def charge(self, kind: ChargeKind, amount: int, days: int) -> None:
        moment = self.now()
        charge = ChargeId(UUID(int=7000 + self.clock))
        self.charges.append(charge)
        due = moment.today + timedelta(days=days)
        command = AddCharge(charge, LOAN, kind, self.money(amount), due)
        self.attempt(LoanMove.CHARGE, lambda loan, past: add_charge(loan, command, moment, past))

    @rule(base=st.sampled_from(ChargeBase))
    def charge_what_is_late(self, base: ChargeBase) -> None:
        moment = self.now()
        command = ChargeOverdue(LOAN, Decimal(2), base, None)
        self.attempt(
            LoanMove.CHARGE, lambda loan, past: charge_overdue(loan, command, moment, past)
        )

    @rule(which=st.integers(0, 9), amount=st.integers(1, 50))
    def waive(self, which: int, amount: int) -> None:
        moment = self.now()
        if self.charges and which < 5:
            waiver = WaiveCharge(LOAN, self.charges[which % len(self.charges)])
            self.attempt(
                LoanMove.WAIVE, lambda loan, past: waive_charge(loan, waiver, moment, past)
            )
        else:
            command = WaiveInterest(LOAN, self.money(amount))
            self.attempt(
                LoanMove.WAIVE, lambda loan, past: waive_interest(loan, command, moment, past)
            )

    @rule(percent=st.integers(0, 30), days=st.integers(-20, 60), whole=st.booleans())
    def change_the_rate(self, percent: int, days: int, whole: bool) -> None:
        moment = self.now()
        day = moment.today + timedelta(days=days)
        other = RescheduleLoan(LOAN, day, Decimal(percent))
        change = ChangeRate(LOAN, day, Decimal(percent))
        self.attempt(
            LoanMove.CHANGE_RATE,
            lambda loan, past: (
                reschedule(loan, other, moment, past)
                if whole
                else change_rate(loan, change, moment, past)
            ),
        )

    @rule(days=st.integers(1, 30), count=st.integers(1, 5), spread=st.booleans())
    def restructure(self, days: int, count: int, spread: bool) -> None:
        moment = self.now()
        command = ReAgeLoan(LOAN, moment.today + timedelta(days=days), MONTHLY, count)
        self.attempt(
            LoanMove.RESTRUCTURE,
            lambda loan, past: (
                reamortize(loan, moment, past) if spread else re_age(loan, command, moment, past)
            ),
        )

    @rule(step=st.integers(0, 5), amount=st.integers(1, 3000))
    def end(self, step: int, amount: int) -> None:
        moment = self.now()
        if step == 0:
            command = WriteOffLoan(LOAN, "gone")
            self.attempt(
                LoanMove.WRITE_OFF, lambda loan, past: write_off(loan, command, moment, past)
            )
        elif step == 1:
            self.attempt(
                LoanMove.UNDO_WRITE_OFF, lambda loan, past: undo_write_off(loan, moment, past)
            )
        elif step == 2:
            money = RecordRecovery(
                PaymentId(UUID(int=5000 + self.clock)), LOAN, self.money(amount), None, None, None
            )
            self.attempt(LoanMove.RECOVER, lambda loan, past: recover(loan, money, moment, past))
        elif step == 4:
            self.take_a_recovery_back()
        elif step == 3:
            back = RefundCredit(LOAN, None)
            self.attempt(LoanMove.REFUND, lambda loan, past: refund(loan, back, moment, past))

    def take_a_recovery_back(self) -> None:
        moment = self.now()
        known = [one.id for one in self.payments.values() if one.type is PaymentType.RECOVERY]
        if known:
            command = ReversePayment(known[-1], LOAN)
            self.attempt(
                LoanMove.REVERSE_RECOVERY,
                lambda loan, past: reverse(loan, command, moment, past),
            )


WorkoutMachine.TestCase.settings = settings(stateful_step_count=20)
TestWorkoutMachine = WorkoutMachine.TestCase

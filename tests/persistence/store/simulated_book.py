"""A lender's book, day by day, by a seeded chance: every event that the engine knows happens.

Loans on terms of every kind are applied for, paid out in parts, paid early, late, too much and for
an earlier day, charged, waived, given other rates and plans, written off, recovered, undone. All
goes through the loan book of a real store, by the decisions of the domain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from uuid_utils.compat import uuid7

from domain.access.account import Account
from domain.commands import workouts as asked
from domain.commands.loans import (
    AmendLoan,
    ApplySuspense,
    DisburseLoan,
    RecordPayment,
    RejectLoan,
    WithdrawLoan,
)
from domain.decisions import closing, origination, servicing, suspense, workout
from domain.decisions.tranches import disburse_further
from domain.identifiers import ChargeId, DisbursementId, LoanId, PaymentId
from domain.loan.decision import Committed
from domain.money import format_minor
from domain.terms.choices import ChargeBase, ChargeKind
from domain.terms.terms import Frequency, FrequencyUnit, Terms
from tests.domain.chance_terms import chance_terms
from tests.persistence.store.office import Office, view_of

MONTHLY = Frequency(1, FrequencyUnit.MONTHS)
Act = Callable[["SimulatedLoan"], Awaitable[Any]]


@dataclass
class SimulatedLoan:
    """What the simulator remembers of a loan, to have something to undo."""

    id: LoanId
    terms: Terms
    begun: date
    payments: list[PaymentId] = field(default_factory=list)
    recoveries: list[PaymentId] = field(default_factory=list)
    charges: list[ChargeId] = field(default_factory=list)
    tranches: list[DisbursementId] = field(default_factory=list)


class SimulatedBook:
    """The book of `office` between two days; `asked` counts what was done and what was refused."""

    def __init__(self, office: Office, customers: list[Account], seed: int) -> None:
        self.office = office
        self.customers = customers
        self.chance = Random(seed)
        self.loans: list[SimulatedLoan] = []
        self.asked: Counter[tuple[str, bool]] = Counter()
        self._acts: list[tuple[int, Act]] = [
            (30, self._pay),
            (8, self._pay_for_an_earlier_day),
            (3, self._pay_as_fact),
            (6, self._apply_suspense),
            (2, self._pay_off),
            (7, self._reverse),
            (4, self._annotate),
            (6, self._charge),
            (4, self._charge_what_is_late),
            (5, self._waive),
            (4, self._change_rate),
            (3, self._reschedule),
            (3, self._reamortize),
            (3, self._re_age),
            (5, self._disburse_more),
            (2, self._undo_disbursal),
            (3, self._write_off),
            (4, self._undo_write_off),
            (4, self._recover),
            (5, self._refund),
            (2, self._withdraw),
            (2, self._undo_approval),
            (3, self._reverse_recovery),
        ]

    async def open_loan(self) -> None:
        """Apply for a loan, and mostly go on with it."""
        terms = chance_terms(self.chance, self.office.today)
        customer = self.chance.choice(self.customers)
        opened = view_of(await self.office.application(customer, terms))
        loan = SimulatedLoan(opened.id, terms, self.office.today)
        self.loans.append(loan)
        if self.chance.random() < 0.1:
            amendment = AmendLoan(loan.id, opened.version, terms, "two cows")
            await self._do(loan, lambda it, context, _: origination.amend(it, amendment, context))
        fate = self.chance.random()
        if fate < 0.05:
            refusal = RejectLoan(loan.id, "no")
            await self._do(loan, lambda it, context, _: origination.reject(it, refusal, context))
        elif fate < 0.95:
            await self.office.approve(loan.id)
            if fate < 0.88:
                await self._disburse(loan)

    async def act(self) -> None:
        """Something happens to some loan."""
        loan = self.chance.choice(self.loans)
        weights = [weight for weight, _ in self._acts]
        ((_, act),) = self.chance.choices(self._acts, weights)
        outcome = await act(loan)
        name = getattr(act, "__name__", "").strip("_")
        self.asked[name, isinstance(outcome, Committed)] += 1

    async def _do(self, loan: SimulatedLoan, decide: Callable[..., Any]) -> Any:
        return await self.office.change(loan.id, decide)

    def _some(self, terms: Terms, most: int | None = None) -> Decimal:
        minor = self.chance.randint(1, max(1, most or terms.principal_minor // 3))
        return Decimal(format_minor(minor, terms.currency))

    def _near(self, before: int, after: int) -> date:
        return self.office.today + timedelta(days=self.chance.randint(-before, after))

    async def _disburse(self, loan: SimulatedLoan) -> Any:
        part = loan.terms.tranches_max > 1
        amount = self._some(loan.terms, loan.terms.principal_minor // 2) if part else None
        made = DisbursementId(uuid7())
        loan.tranches.append(made)
        return await self.office.disburse(loan.id, made, amount)

    async def _pay(self, loan: SimulatedLoan, on: date | None = None) -> Any:
        most = loan.terms.principal_minor * (2 if self.chance.random() < 0.05 else 1) // 3
        amount = str(self._some(loan.terms, most))
        made = PaymentId(uuid7())
        outcome = await self.office.pay(loan.id, amount, payment_id=made, on=on)
        if isinstance(outcome, Committed):
            loan.payments.append(made)
        return outcome

    async def _pay_for_an_earlier_day(self, loan: SimulatedLoan) -> Any:
        days = max(0, (self.office.today - loan.begun).days)
        return await self._pay(loan, loan.begun + timedelta(days=self.chance.randint(0, days)))

    async def _pay_as_fact(self, loan: SimulatedLoan) -> Any:
        made = PaymentId(uuid7())
        command = RecordPayment(
            made, loan.id, self._some(loan.terms), None, self._near(20, 0), "cash", None
        )
        outcome = await self._take(loan, made, servicing.take_as_fact, command)
        if isinstance(outcome, Committed):
            loan.payments.append(made)
        return outcome

    async def _apply_suspense(self, loan: SimulatedLoan) -> Any:
        if not loan.payments:
            return None
        made = self.chance.choice(loan.payments)
        command = ApplySuspense(made, loan.id)
        return await self._take(loan, made, suspense.apply_suspense, command)

    async def _pay_off(self, loan: SimulatedLoan) -> Any:
        made = PaymentId(uuid7())
        day = self._near(10, 0) if self.chance.random() < 0.3 else None
        command = asked.PayOff(made, loan.id, None, day, "cash", None)
        outcome = await self._take(loan, made, closing.pay_off, command)
        if isinstance(outcome, Committed):
            loan.payments.append(made)
        return outcome

    async def _take(
        self, loan: SimulatedLoan, made: PaymentId, decide: Callable[..., Any], command: Any
    ) -> Any:
        context = self.office.context()
        return await self.office.store.loan_book.change_payment(
            loan.id, made, lambda it, known: decide(it, command, context, known), context
        )

    async def _reverse(self, loan: SimulatedLoan) -> Any:
        if not loan.payments:
            return None
        return await self.office.reverse(loan.id, self.chance.choice(loan.payments))

    async def _annotate(self, loan: SimulatedLoan) -> Any:
        if not loan.payments:
            return None
        return await self.office.annotate(self.chance.choice(loan.payments), "a note")

    async def _charge(self, loan: SimulatedLoan) -> Any:
        charge = ChargeId(uuid7())
        loan.charges.append(charge)
        kind = self.chance.choice(list(ChargeKind))
        amount = self._some(loan.terms, 900)
        command = asked.AddCharge(charge, loan.id, kind, amount, self._near(20, 60))
        return await self._do(loan, lambda it, *rest: workout.add_charge(it, command, *rest))

    async def _charge_what_is_late(self, loan: SimulatedLoan) -> Any:
        base = self.chance.choice(list(ChargeBase))
        percent = self.chance.choice([Decimal(2), None])
        amount = None if percent else self._some(loan.terms, 300)
        command = asked.ChargeOverdue(loan.id, percent, base, amount)
        return await self._do(loan, lambda it, *rest: workout.charge_overdue(it, command, *rest))

    async def _waive(self, loan: SimulatedLoan) -> Any:
        if loan.charges and self.chance.random() < 0.5:
            waiver = asked.WaiveCharge(loan.id, self.chance.choice(loan.charges))
            return await self._do(loan, lambda it, *rest: workout.waive_charge(it, waiver, *rest))
        command = asked.WaiveInterest(loan.id, self._some(loan.terms, 90))
        return await self._do(loan, lambda it, *rest: workout.waive_interest(it, command, *rest))

    async def _change_rate(self, loan: SimulatedLoan) -> Any:
        percent = Decimal(self.chance.randint(0, 40))
        command = asked.ChangeRate(loan.id, self._near(30, 40), percent)
        return await self._do(loan, lambda it, *rest: workout.change_rate(it, command, *rest))

    async def _reschedule(self, loan: SimulatedLoan) -> Any:
        percent = Decimal(self.chance.randint(0, 40))
        command = asked.RescheduleLoan(loan.id, self._near(30, 40), percent)
        return await self._do(loan, lambda it, *rest: workout.reschedule(it, command, *rest))

    async def _reamortize(self, loan: SimulatedLoan) -> Any:
        return await self._do(loan, workout.reamortize)

    async def _re_age(self, loan: SimulatedLoan) -> Any:
        count = self.chance.randint(1, 6)
        command = asked.ReAgeLoan(loan.id, self._near(-1, 40), MONTHLY, count)
        return await self._do(loan, lambda it, *rest: workout.re_age(it, command, *rest))

    async def _disburse_more(self, loan: SimulatedLoan) -> Any:
        made = DisbursementId(uuid7())
        day = self._near(20, 0) if self.chance.random() < 0.3 else None
        command = DisburseLoan(loan.id, made, self._some(loan.terms), day)
        context = self.office.context()
        outcome = await self.office.store.loan_book.change_loan(
            loan.id,
            lambda it, known: disburse_further(it, command, context, known),
            context,
            made_id=made,
        )
        if isinstance(outcome, Committed):
            loan.tranches.append(made)
        return outcome

    async def _undo_disbursal(self, loan: SimulatedLoan) -> Any:
        if not loan.tranches:
            return await self._disburse(loan)
        command = asked.UndoDisbursal(loan.id, self.chance.choice(loan.tranches))
        return await self._do(loan, lambda it, *rest: closing.undo_disbursal(it, command, *rest))

    async def _write_off(self, loan: SimulatedLoan) -> Any:
        command = asked.WriteOffLoan(loan.id, "gone")
        return await self._do(loan, lambda it, *rest: closing.write_off(it, command, *rest))

    async def _undo_write_off(self, loan: SimulatedLoan) -> Any:
        return await self._do(loan, closing.undo_write_off)

    async def _recover(self, loan: SimulatedLoan) -> Any:
        made = PaymentId(uuid7())
        amount = self._some(loan.terms)
        command = asked.RecordRecovery(made, loan.id, amount, self._near(5, 0), None, None)
        outcome = await self._do(loan, lambda it, *rest: closing.recover(it, command, *rest))
        if isinstance(outcome, Committed):
            loan.recoveries.append(made)
        return outcome

    async def _reverse_recovery(self, loan: SimulatedLoan) -> Any:
        if not loan.recoveries:
            return None
        return await self.office.reverse(loan.id, self.chance.choice(loan.recoveries))

    async def _refund(self, loan: SimulatedLoan) -> Any:
        amount = self._some(loan.terms, 50) if self.chance.random() < 0.5 else None
        command = asked.RefundCredit(loan.id, amount)
        return await self._do(loan, lambda it, *rest: closing.refund(it, command, *rest))

    async def _withdraw(self, loan: SimulatedLoan) -> Any:
        command = WithdrawLoan(loan.id, None)
        return await self._do(
            loan, lambda it, context, _: origination.withdraw(it, command, context)
        )

    async def _undo_approval(self, loan: SimulatedLoan) -> Any:
        outcome = await self._do(loan, closing.undo_approval)
        if isinstance(outcome, Committed) and self.chance.random() < 0.7:
            await self.office.approve(loan.id)
            await self._disburse(loan)
        return outcome

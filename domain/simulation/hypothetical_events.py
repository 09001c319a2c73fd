"""The events that suppositions make, with identifiers that nothing has; what cannot be is told.

They are never kept: they are made to be looked at by the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from domain.allocation.payment_application import payoff
from domain.decisions.guards import bad_rate, too_far
from domain.decisions.origination import Header
from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.identifiers import ChargeId, DisbursementId, EventId, PaymentId
from domain.loan.working_loan import RunningLoan
from domain.money import minor_exactly
from domain.schedule.disbursement_fees import fees_of_disbursal
from domain.simulation import hypotheses as supposed
from domain.simulation.hypotheses import Supposition
from domain.terms.terms import INSTALMENTS_MAX, FrequencyUnit
from domain.terms.validation import EVERY_MAX, TOO_LATE, ends_too_late

# Greater than any identifier of version 7: what is supposed of a day comes after what happened.
_SUPPOSED: Final = 0xFF << 120
_AT: Final = datetime(9000, 1, 1, tzinfo=UTC)


class CannotBe(ValueError):
    """Something that cannot be supposed; `pointer` leads into the supposition."""

    def __init__(self, pointer: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer, self.code, self.detail = pointer, code, detail


class SupposedEvents:
    """Makes events of one loan, whose `history` begins with its submission."""

    def __init__(self, history: Sequence[LoanEvent]) -> None:
        first = history[0]
        assert isinstance(first, happened.LoanSubmitted), "the first event of a loan"
        self._submitted = first
        self._paid = {
            one.payment_id for one in history if isinstance(one, happened.PaymentRecorded)
        } - {one.payment_id for one in history if isinstance(one, happened.PaymentReversed)}
        self._out_on = min(
            (one.value_date for one in history if isinstance(one, happened.LoanDisbursed)),
            default=first.value_date,
        )
        self._count = 0

    def payment(self, day: date, amount_minor: int, *, is_payoff: bool = False) -> LoanEvent:
        """A payment of so many minor units."""
        head = self._head(day)
        return happened.PaymentRecorded(
            **head,
            payment_id=PaymentId(head["event_id"]),
            amount_minor=amount_minor,
            method=None,
            reference=None,
            is_payoff=is_payoff,
        )

    def event(self, one: Supposition, day: date, running: RunningLoan | None) -> LoanEvent:
        """The event that `one` makes on `day`. Raises CannotBe.

        `running` is the loan as it stands then; None for what stands among what happened.
        """
        match one:
            case supposed.Prepay():
                if one.on < self._out_on:
                    raise CannotBe("/date", "bad_date", f"is before money went out, {self._out_on}")
                return self.payment(one.on, self._amount(one.amount))
            case supposed.Reverse():
                if one.payment_id not in self._paid:
                    raise CannotBe("/payment_id", "not_found", "no such payment stands")
                self._paid.discard(one.payment_id)
                return happened.PaymentReversed(**self._head(day), payment_id=one.payment_id)
            case supposed.NewRate():
                _check_rate(one.annual_rate_percent)
                self._check_after_start("/effective", one.effective)
                return happened.RateChanged(
                    **self._head(day),
                    effective=one.effective,
                    annual_rate_percent=one.annual_rate_percent,
                )
            case supposed.Reschedule():
                _check_rate(one.annual_rate_percent)
                self._check_after_start("/from_date", one.from_date)
                return happened.LoanRescheduled(
                    **self._head(day),
                    from_date=one.from_date,
                    annual_rate_percent=one.annual_rate_percent,
                )
            case _:
                assert running is not None, "only those above stand among what happened"
                return self._ahead(one, day, running)

    def _ahead(self, one: Supposition, day: date, running: RunningLoan) -> LoanEvent:
        match one:
            case supposed.PayOffOn():
                return self._payoff(day, running)
            case supposed.Charge():
                head = self._head(day)
                if one.on < self._out_on:
                    raise CannotBe("/date", "bad_date", f"is before money went out, {self._out_on}")
                rows = () if running.position is None else running.position.rows
                last_due = max([day, *(row.span.due_date for row in rows)])
                _check_not_too_far("/date", one.on, last_due)
                return happened.ChargeAdded(
                    **head,
                    charge_id=ChargeId(head["event_id"]),
                    kind=one.kind,
                    due_date=one.on,
                    amount_minor=self._amount(one.amount),
                )
            case supposed.Waive():
                amount = self._amount(one.amount)
                return happened.InterestWaived(**self._head(day), amount_minor=amount)
            case supposed.Tranche():
                return self._tranche(one, day, running)
            case supposed.Reamortize():
                return happened.LoanReamortized(**self._head(day))
            case supposed.ReAge():
                return self._re_aging(one, day, running)
            case _:
                raise AssertionError(f"{type(one).__name__} makes no event here")

    def _payoff(self, day: date, running: RunningLoan) -> LoanEvent:
        assert running.position is not None, "money has gone out"
        quote = payoff(running.position, day).amount_minor
        if quote <= 0:
            raise CannotBe("/date", "nothing_to_do", "nothing is owed on that day")
        return self.payment(day, quote, is_payoff=True)

    def _tranche(self, one: supposed.Tranche, day: date, running: RunningLoan) -> LoanEvent:
        amount, loan = self._amount(one.amount), running.loan
        if loan.disbursed_minor + amount > loan.terms.principal_minor:
            raise CannotBe("/amount", "bad_amount", "is more than is left of what was approved")
        head = self._head(day)
        return happened.LoanDisbursed(
            **head,
            disbursement_id=DisbursementId(head["event_id"]),
            amount_minor=amount,
            fees=fees_of_disbursal(loan.terms, amount, loan.disbursed_minor, head["event_id"]),
        )

    def _re_aging(self, one: supposed.ReAge, day: date, running: RunningLoan) -> LoanEvent:
        if one.start_date <= day:
            raise CannotBe("/start_date", "bad_date", f"must be after {day}")
        _check_not_too_far("/start_date", one.start_date, day)
        if not 1 <= one.instalments <= INSTALMENTS_MAX:
            raise CannotBe("/instalments", "bad_terms", f"must be from 1 to {INSTALMENTS_MAX}")
        if not 1 <= one.frequency.every <= EVERY_MAX:
            raise CannotBe("/frequency/every", "bad_terms", f"must be from 1 to {EVERY_MAX}")
        if one.frequency.unit is FrequencyUnit.ONE_TIME and one.instalments > 1:
            raise CannotBe("/instalments", "bad_terms", "what falls due once is 1 instalment")
        if ends_too_late(one.start_date, one.frequency, one.instalments):
            raise CannotBe("/instalments", "bad_terms", TOO_LATE)
        if running.owed == 0:
            raise CannotBe("/date", "nothing_to_do", "nothing is owed on that day")
        return happened.LoanReAged(
            **self._head(day),
            start_date=one.start_date,
            frequency=one.frequency,
            instalments=one.instalments,
        )

    def _check_after_start(self, pointer: str, day: date) -> None:
        if day <= self._out_on:
            raise CannotBe(pointer, "bad_date", f"must be after money went out, {self._out_on}")

    def _amount(self, amount: Decimal) -> int:
        currency = self._submitted.terms.currency
        minor = minor_exactly(amount, currency)
        if minor is None or minor <= 0:
            detail = f"must be above nothing and have no more decimals than {currency}"
            raise CannotBe("/amount", "bad_amount", detail)
        return minor

    def _head(self, day: date) -> Header:
        self._count += 1
        return Header(
            event_id=EventId(UUID(int=_SUPPOSED + self._count)),
            loan_id=self._submitted.loan_id,
            at=_AT,
            by=self._submitted.by,
            value_date=day,
        )


def _check_not_too_far(pointer: str, day: date, since: date) -> None:
    refused = too_far(pointer, day, since)
    if refused is not None:
        (fault,) = refused.faults
        raise CannotBe(pointer, fault.code, fault.detail)


def _check_rate(percent: Decimal) -> None:
    refused = bad_rate(percent)
    if refused is not None:
        (fault,) = refused.faults
        raise CannotBe(fault.pointer, fault.code, fault.detail)

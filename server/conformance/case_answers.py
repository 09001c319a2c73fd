"""What the engine has to say to a case: its rows, and everything that a case may expect.

Each answer is computed only when it is asked for. It compares nothing (`comparison.py`).
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any

from domain.events import events as happened
from domain.loan.arrears import days_late, delinquency
from domain.loan.payment import Payment, PaymentStatus
from domain.loan.payoff import payoff_on
from domain.loan.replay import History
from domain.loan.working_loan import position_of
from domain.money import format_minor
from domain.schedule.working import Position
from domain.terms.choices import RowKind
from server.conformance.case_events import Story
from server.conformance.case_terms import UnreadableCase, day
from server.conformance.payment_marks import payment_marks
from server.conformance.penalties import penalty_lines

NO_DELINQUENCY = "NO_DELINQUENCY"


class Answers:
    """The answers of one loan's story."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._currency = story.terms.currency

    def answer(self, name: str, expected: Any) -> Any:
        """What the engine says under `name`; UnreadableCase when it knows no such question."""
        if name in {"dpd", "delinquency"}:
            return {on: getattr(self, f"_{name}")(day(on)) for on in expected}
        if name == "spot_rows":
            by_number = {row["nr"]: row for row in self.rows()}
            return [by_number.get(row["nr"], {}) for row in expected]
        known = getattr(self, f"_{name}", None)
        if known is None:
            raise UnreadableCase(f"nothing is known of expected {name}")
        return known()

    def rows(self) -> list[dict[str, Any]]:
        """The schedule as of the day of the case."""
        loan = self._now.loan
        marks = payment_marks(loan.instalments, self._now.slices)
        return [
            {
                "nr": row.number,
                "due_date": row.due_date,
                "days": row.days,
                "principal": self._money(row.principal_minor),
                "interest": self._money(row.interest_minor),
                "fees": self._money(row.fees_minor),
                "penalties": self._money(row.penalties_minor),
                "total_due": self._money(row.due_minor),
                "balance": self._money(row.balance_minor),
                "paid": self._money(row.paid_minor),
                "outstanding": self._money(row.outstanding_minor),
                "in_advance": self._money(mark.in_advance_minor),
                "late": self._money(mark.late_minor),
                "paid_date": mark.met_on,
            }
            for row, mark in zip(loan.instalments, marks, strict=True)
        ]

    @cached_property
    def _now(self) -> History:
        return self._story.told()

    @cached_property
    def _position(self) -> Position:
        return position_of(self._now.loan)

    def _money(self, minor: int) -> str:
        return format_minor(minor, self._currency)

    def _allocations(self) -> list[dict[str, Any]]:
        return self._split(self._now)

    def _split(self, history: History) -> list[dict[str, Any]]:
        """The payments that stand, each with the principal that was out after it."""
        shown = []
        for payment in history.payments:
            if payment.status is PaymentStatus.REVERSED:
                continue
            part = payment.allocation
            shown.append(
                {
                    "date": payment.value_date,
                    "amount": self._money(payment.amount_minor),
                    "principal": self._money(part.principal_minor),
                    "interest": self._money(part.interest_minor),
                    "fees": self._money(part.fees_minor),
                    "penalties": self._money(part.penalties_minor),
                    "excess": self._money(part.excess_minor),
                    "balance": self._money(self._out_after(history, payment)),
                    "outstanding": self._money(payment.outstanding_after_minor),
                    "replayed": self._was_replayed(payment),
                }
            )
        return shown

    def _out_after(self, history: History, payment: Payment) -> int:
        """Principal out after `payment`: what went out by its day less what came back by then."""
        out = 0
        for one in self._story.happenings:
            event = one.event
            if isinstance(event, happened.LoanDisbursed) and event.value_date <= payment.value_date:
                out += event.amount_minor - event.down_payment_minor
        for other in history.payments:
            out -= other.allocation.principal_minor
            if other.id == payment.id:
                break
        return out

    def _was_replayed(self, payment: Payment) -> bool:
        """Say whether what was learnt later changed how the payment is split."""
        then = self._story.told(payment.value_date)
        first = next((one for one in then.payments if one.id == payment.id), payment)
        return first.allocation != payment.allocation

    def _before_undo(self) -> list[dict[str, Any]]:
        return self._split(self._story.told(undone=()))

    def _after_undo(self) -> list[dict[str, Any]]:
        """The payments that stand after each undoing, in the order in which they were undone."""
        undone: list[Any] = []
        answers = []
        paid_on = {payment.id: payment.value_date for payment in self._now.payments}
        for one in self._story.happenings:
            if isinstance(one.event, happened.PaymentReversed):
                undone.append(one.event.payment_id)
                history = self._story.told(undone=tuple(undone))
                answers.append(
                    {"of": paid_on[one.event.payment_id], "allocations": self._split(history)}
                )
        return answers

    def _status_after_all_undone(self) -> str:
        return self._status()

    def _status(self) -> str:
        return str(self._now.loan.status)

    def _payoff(self) -> dict[str, Any]:
        """The quote of the day of the payoff, before its money comes in."""
        for at, one in enumerate(self._story.happenings):
            if isinstance(one.event, happened.PaymentRecorded) and one.event.is_payoff:
                before = self._story.before(at)
                quote = payoff_on(before.loan, one.event.value_date)
                break
        else:
            quote = payoff_on(self._now.loan, self._story.as_of)
        return {
            "amount": self._money(quote.amount_minor),
            "principal": self._money(quote.principal_minor),
            "interest": self._money(quote.interest_minor),
            "fees": self._money(quote.fees_minor),
            "penalties": self._money(quote.penalties_minor),
        }

    def _paid(self) -> str:
        """All the money that came in and stands."""
        standing = [p for p in self._now.payments if p.status is not PaymentStatus.REVERSED]
        return self._money(sum(payment.amount_minor for payment in standing))

    def _paid_sum(self, part: str) -> str:
        rows = self._now.loan.instalments
        return self._money(sum(getattr(row, f"paid_{part}_minor") for row in rows))

    def _principal_paid(self) -> str:
        return self._paid_sum("principal")

    def _interest_paid(self) -> str:
        return self._paid_sum("interest")

    def _fees_paid(self) -> str:
        return self._paid_sum("fees")

    def _penalties_paid(self) -> str:
        return self._paid_sum("penalties")

    def _emi(self) -> str:
        """The equal instalment of the first row that brings back principal."""
        rows = [row for row in self._position.rows if row.kind is RowKind.INSTALMENT]
        first = next((row for row in rows if row.principal), rows[0])
        return self._money(first.emi)

    def _instalments(self) -> int:
        return len(self._now.loan.instalments)

    def _totals(self) -> dict[str, Any]:
        rows = self._now.loan.instalments
        marks = payment_marks(rows, self._now.slices)
        due = sum(row.due_minor for row in rows)
        totals = {
            "principal": sum(row.principal_minor for row in rows),
            "interest": sum(row.interest_minor for row in rows),
            "fees": sum(row.fees_minor for row in rows),
            "penalties": sum(row.penalties_minor for row in rows),
            "total_due": due,
            "due": due,
            "paid": sum(row.paid_minor for row in rows),
            "outstanding": sum(row.outstanding_minor for row in rows),
            "in_advance": sum(mark.in_advance_minor for mark in marks),
            "late": sum(mark.late_minor for mark in marks),
        }
        return {name: self._money(amount) for name, amount in totals.items()}

    def _total_principal(self) -> Any:
        return self._totals()["principal"]

    def _total_interest(self) -> Any:
        return self._totals()["interest"]

    def _total_fees(self) -> Any:
        return self._totals()["fees"]

    def _total_penalties(self) -> Any:
        return self._totals()["penalties"]

    def _total_payment(self) -> Any:
        return self._totals()["total_due"]

    def _total_payable(self) -> Any:
        return self._totals()["total_due"]

    def _final_due(self) -> Any:
        return self.rows()[-1]["total_due"]

    def _interest_last(self) -> Any:
        return self.rows()[-1]["interest"]

    def _principal_last(self) -> Any:
        return self.rows()[-1]["principal"]

    def _balance_before_last(self) -> Any:
        rows = self.rows()
        return rows[-2]["balance"] if len(rows) > 1 else self._money(self._position.total_out)

    def _penalty(self) -> str:
        kinds = [row.kind for row in self._position.rows]
        loan = self._now.loan
        lines = penalty_lines(
            loan.terms, loan.instalments, kinds, self._now.slices, self._story.as_of
        )
        return self._money(sum(line.rounded_minor for line in lines))

    def _write_off(self) -> dict[str, Any]:
        owed = self._now.loan.outstanding
        return {
            "amount": self._money(owed.total_minor),
            "principal": self._money(owed.principal_minor),
            "interest": self._money(owed.interest_minor),
            "fees": self._money(owed.fees_minor),
            "penalties": self._money(owed.penalties_minor),
        }

    def _dpd(self, on: date) -> int:
        loan = self._story.told(on).loan
        return days_late(loan.terms, loan.instalments, on)

    def _delinquency(self, on: date) -> str:
        loan = self._story.told(on).loan
        return delinquency(loan.terms, loan.instalments, on) or NO_DELINQUENCY

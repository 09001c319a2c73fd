"""The `events` of a published case as events of a loan, in the order in which they count.

Each knows two days: that from which it counts, and that from which it is known. Events of one day
keep their order in the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.identifiers import ChargeId, DisbursementId, EventId, LoanId, PaymentId, UserId
from domain.loan.payoff import payoff_on
from domain.loan.replay import History, fold
from domain.schedule.accrual import down_payment
from domain.terms.choices import ChargeBase, ChargeKind
from domain.terms.terms import InstalmentFee, Terms
from server.conformance.case_terms import UnreadableCase, day, frequency_of, minor

_LOAN: Final = LoanId(UUID(int=1))
_SOMEBODY: Final = UserId(UUID(int=2))
_ONCE: Final = datetime(2000, 1, 1, tzinfo=UTC)
_TO_BE_QUOTED: Final = -1


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of the case, the day from which it is known, and whether it moves the case's day."""

    event: LoanEvent
    known_on: date
    moves_day: bool = True


@dataclass(frozen=True, slots=True)
class Story:
    """A case's loan: what was agreed, and all that happened to it."""

    terms: Terms
    happenings: tuple[Happening, ...]
    as_of: date

    def told(
        self, until: date | None = None, *, undone: Iterable[PaymentId] | None = None
    ) -> History:
        """The loan as of `until` (default the day of the case), from what is known by then.

        With `undone`, those payments are undone and no others.
        """
        day_of = self.as_of if until is None else until
        known = [one.event for one in self.happenings if one.known_on <= day_of]
        if undone is not None:
            gone = set(undone)
            known = [
                event
                for event in known
                if not isinstance(event, happened.PaymentReversed) or event.payment_id in gone
            ]
        # A charge for a day to come is known from the start and counts from there.
        return fold([*_opening(self.terms), *known], as_of=day_of)

    def before(self, index: int) -> History:
        """The loan just before the event at `index`."""
        return fold([*_opening(self.terms), *(one.event for one in self.happenings[:index])])


def fees_of(events: Sequence[Mapping[str, Any]], currency: str) -> tuple[InstalmentFee, ...]:
    """The charges on each instalment, which are terms of the loan."""
    return tuple(
        InstalmentFee(
            kind=ChargeKind(event.get("kind", "fee")),
            percent=None if "percent" not in event else Decimal(event["percent"]),
            base=ChargeBase(event.get("base", "principal+interest")),
            amount_minor=minor(event.get("amount", 0), currency),
        )
        for event in events
        if event["type"] == "INSTALMENT_FEE"
    )


def story_of(terms: Terms, params: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Story:
    """The loan of a case. Without DISBURSE all the money goes out on the first day."""
    start = terms.start_date or day(params["start_date"])
    given = [event for event in events if event["type"] != "INSTALMENT_FEE"]
    if not any(event["type"] == "DISBURSE" for event in given):
        out = {"type": "DISBURSE", "date": params.get("disbursement_date", start.isoformat())}
        given = [{**out, "amount": params["principal"]}, *given]
    first_out = min(day(event["date"]) for event in given if event["type"] == "DISBURSE")
    reader = _Reader(terms, first_out)
    happenings = [reader.read(number, event) for number, event in enumerate(given, start=100)]
    happenings.sort(key=lambda one: one.event.value_date)
    _price_payoffs(terms, happenings)
    if "business_date" in params:
        as_of = day(params["business_date"])
    else:
        as_of = max(one.known_on for one in happenings if one.moves_day)
    return Story(terms, tuple(happenings), as_of)


def _price_payoffs(terms: Terms, happenings: list[Happening]) -> None:
    """A payoff without an amount is what the loan asks for where it stands."""
    for at, one in enumerate(happenings):
        event = one.event
        if isinstance(event, happened.PaymentRecorded) and event.amount_minor == _TO_BE_QUOTED:
            before = [earlier.event for earlier in happenings[:at]]
            loan = fold([*_opening(terms), *before]).loan
            amount = payoff_on(loan, event.value_date).amount_minor
            happenings[at] = replace(one, event=replace(event, amount_minor=amount))


class _Reader:
    """Reads the events of one case, in their order."""

    def __init__(self, terms: Terms, first_out: date) -> None:
        self._terms = terms
        self._first_out = first_out
        self._payments: list[tuple[date, PaymentId]] = []

    def read(self, number: int, event: Mapping[str, Any]) -> Happening:
        try:
            reading = getattr(self, f"_{event['type'].lower()}")
        except AttributeError:
            raise UnreadableCase(f"unknown event {event['type']}") from None
        try:
            read: Happening = reading(number, event)
        except (KeyError, ValueError) as error:
            raise UnreadableCase(f"{event['type']} cannot be read: {error}") from error
        return read

    def _amount(self, event: Mapping[str, Any]) -> int:
        return minor(event["amount"], self._terms.currency)

    def _disburse(self, number: int, event: Mapping[str, Any]) -> Happening:
        amount, on = self._amount(event), day(event["date"])
        at_once = 0
        if self._terms.down_payment_auto:
            at_once = down_payment(amount, self._terms.down_payment_percent)
        return Happening(
            happened.LoanDisbursed(
                **_header(number, on),
                disbursement_id=DisbursementId(UUID(int=number)),
                amount_minor=amount,
                down_payment_minor=at_once,
            ),
            on,
        )

    def _repayment(self, number: int, event: Mapping[str, Any], amount: int = 0) -> Happening:
        on = day(event["date"])
        payment = PaymentId(UUID(int=number))
        self._payments.append((on, payment))
        return Happening(
            happened.PaymentRecorded(
                **_header(number, on),
                payment_id=payment,
                amount_minor=amount or self._amount(event),
                method=None,
                reference=None,
                is_payoff=event["type"] == "PAYOFF",
            ),
            on,
        )

    def _payoff(self, number: int, event: Mapping[str, Any]) -> Happening:
        """Without an amount it is what the loan asks for: known only when it is told."""
        return self._repayment(number, event, 0 if "amount" in event else _TO_BE_QUOTED)

    def _charge(self, number: int, event: Mapping[str, Any]) -> Happening:
        entered = day(event["date"]) if "date" in event else self._first_out
        return Happening(
            happened.ChargeAdded(
                **_header(number, entered),
                charge_id=ChargeId(UUID(int=number)),
                kind=ChargeKind(event["kind"]),
                due_date=day(event["due"]),
                amount_minor=self._amount(event),
            ),
            entered,
            moves_day=False,
        )

    def _overdue_penalty(self, number: int, event: Mapping[str, Any]) -> Happening:
        on = day(event["as_of"])
        return Happening(
            happened.OverdueCharged(
                **_header(number, on),
                percent=None if "percent" not in event else Decimal(event["percent"]),
                base=ChargeBase(event.get("base", "principal")),
                amount_minor=minor(event.get("amount", 0), self._terms.currency),
            ),
            on,
        )

    def _undo(self, number: int, event: Mapping[str, Any]) -> Happening:
        of, on = day(event["of"]), day(event["on"])
        at = next((at for at, (paid, _) in enumerate(self._payments) if paid == of), None)
        if at is None:
            raise UnreadableCase(f"there is no payment of {of} to undo")
        _, payment = self._payments.pop(at)
        return Happening(happened.PaymentReversed(**_header(number, on), payment_id=payment), on)

    def _rate_change(self, number: int, event: Mapping[str, Any]) -> Happening:
        effective = day(event["effective"])
        entered = day(event.get("entered", event["effective"]))
        return Happening(
            happened.RateChanged(
                **_header(number, min(effective, entered)),
                effective=effective,
                annual_rate_percent=Decimal(event["annual_rate_percent"]),
            ),
            entered,
        )

    def _reschedule(self, number: int, event: Mapping[str, Any]) -> Happening:
        since = day(event["from_date"])
        entered = day(event.get("entered", event["from_date"]))
        return Happening(
            happened.LoanRescheduled(
                **_header(number, min(since, entered)),
                from_date=since,
                annual_rate_percent=Decimal(event["new_rate_percent"]),
            ),
            entered,
        )

    def _reamortize(self, number: int, event: Mapping[str, Any]) -> Happening:
        on = day(event["date"])
        return Happening(happened.LoanReamortized(**_header(number, on)), on)

    def _reage(self, number: int, event: Mapping[str, Any]) -> Happening:
        on, start = day(event["date"]), day(event["start"])
        if start < on:
            raise UnreadableCase(f"REAGE of {on} cannot start on {start}, which has passed")
        return Happening(
            happened.LoanReAged(
                **_header(number, on),
                start_date=start,
                frequency=frequency_of(event),
                instalments=int(event["instalments"]),
            ),
            on,
        )

    def _write_off(self, number: int, event: Mapping[str, Any]) -> Happening:
        on = day(event["date"])
        return Happening(happened.LoanWrittenOff(**_header(number, on), reason=None), on)


def _opening(terms: Terms) -> list[LoanEvent]:
    """Application and approval: no case tells of them."""
    submitted = happened.LoanSubmitted(
        **_header(10, _ONCE.date()),
        number="L-1",
        customer_id=_SOMEBODY,
        branch_id=None,
        product_id=None,
        terms=terms,
        purpose=None,
    )
    return [submitted, happened.LoanApproved(**_header(11, _ONCE.date()), note=None)]


def _header(number: int, value_date: date) -> Any:
    return {
        "event_id": EventId(UUID(int=number)),
        "loan_id": _LOAN,
        "at": _ONCE,
        "by": _SOMEBODY,
        "value_date": value_date,
    }

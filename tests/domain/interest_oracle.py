"""What the balances of a loan bear: the interest of its days, reckoned anew and exactly.

It follows the sentences of the loan engine's design, not the engine. Of a loan it takes what nobody
reckons: the days of its rows, the principal that they ask for, and what money paid on them.
Interest is a fraction, never rounded; whoever compares allows half a minor unit for each line.

* Without recalculation the days bear interest on what is planned to be out.
* With it, PROGRESSIVE: up to the day asked about on what was really out, after it as planned, as if
  arrears were paid that day.
* With it, CUMULATIVE: a period is charged by the last day in it on which something happened; one in
  which nothing did, as it was planned on the last day before it.
* With the rest of a repayment period: a period that has begun, whole, on what was out at its start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from domain.events import events as happened
from domain.loan.loan import Loan
from domain.loan.replay import History, fold, in_order
from domain.schedule.instalment import Instalment
from domain.schedule.state import Book, RowWorkings
from domain.terms.choices import RecalculationCompounding, RecalculationRest, RowKind
from domain.terms.terms import (
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    Terms,
)

_BEARING = frozenset({RowKind.INSTALMENT, RowKind.RE_AGED, RowKind.BROKEN_PERIOD})


@dataclass(frozen=True)
class Borne:
    """The interest that the balances bear, in minor units, and over how many lines at the most."""

    interest: Fraction
    lines: int


def borne(history: History, events: Sequence[happened.LoanEvent], as_of: date) -> Borne:
    """What the loan of `history`, which `events` made, has to ask for in all, as of `as_of`."""
    return _Reckoning(history, events, as_of).borne()


class _Reckoning:
    def __init__(self, history: History, events: Sequence[happened.LoanEvent], as_of: date) -> None:
        book = history.loan.book
        assert book is not None, "a loan whose interest is reckoned is kept with its book"
        self.terms: Terms = history.loan.terms
        self.rows: tuple[Instalment, ...] = history.loan.instalments
        self.book: Book = book
        self.slices = history.slices
        self.as_of = as_of
        self.out = [(one.on, one.amount_minor) for one in book.tranches]
        self.start = self.terms.start_date or self.out[0][0]
        self.known = {event.value_date for event in events if self._is_seen(event)} | {as_of}
        ended = {
            one.id
            for one in history.payments
            if one.outstanding_after_minor == 0 and one.allocation.excess_minor < one.amount_minor
        }
        self.quits = [
            event.value_date
            for event in events
            if isinstance(event, happened.PaymentRecorded)
            and event.is_payoff
            and event.payment_id in ended
        ]
        bearing = [at for at, one in enumerate(book.rows) if one.kind in _BEARING]
        self.last = max(bearing)
        self.by_maturity = 0
        self.moved = Fraction(0)
        self.goes_on = self.terms.recalculates and self.terms.accrues_after_maturity
        self.rates = [(one.after, one.annual_rate_percent) for one in book.rates]
        self.before = _before_new_plans(events)
        self.repricings = [
            event
            for event in events
            if isinstance(event, happened.LoanRescheduled | happened.RateChanged)
        ]

    def _is_seen(self, event: happened.LoanEvent) -> bool:
        """Say whether the schedule is looked at anew when it happens."""
        if isinstance(event, happened.LoanRescheduled):
            return event.from_date <= self.rows[-1].due_date
        return isinstance(event, _SEEN)

    def borne(self) -> Borne:
        total, deferred, lines = Fraction(0), Fraction(0), 0
        for index, row in enumerate(self.rows):
            if self.book.rows[index].kind not in _BEARING:
                continue
            own = Fraction(0)
            if not self._is_free(index):
                for since, until, base in self._stretches(index, row):
                    own += base * self._costs(index, row, since, until)
                    lines += 1
                    if until == row.due_date:
                        asked = sum(one.interest_minor for one in self.rows[:index])
                        self.by_maturity = round(total + deferred + own) - asked
            if self._is_graced(index):
                deferred += own
                continue
            own, deferred = own + deferred, Fraction(0)
            total += own + self._paid_beyond(index, own)
        return Borne(total + deferred + max(Fraction(0), -self.moved), lines)

    def _paid_beyond(self, index: int, own: Fraction) -> Fraction:
        """What was paid of a plan before its day stays paid when the plan is another.

        But a new plan for what is unpaid asks later rows for what earlier ones bear, less what was
        paid of them: `moved`, or below nothing what was paid of days that the later rows pay for.
        """
        if self.book.rows[index].is_emptied:
            return Fraction(0)
        due = self.moved + own + self.book.rows[index].moved_minor
        self.moved = min(Fraction(0), due)
        until = self._repriced_on(index) if self.terms.recalculates else date.max
        return max(Fraction(0), self._interest_paid(index, until) - max(Fraction(0), due))

    def _repriced_on(self, index: int) -> date:
        """The last day on which some days of the row that had passed got another rate.

        With recalculation nothing else makes another plan of days that have passed.
        """
        row = self.rows[index]
        return max(
            (
                event.value_date
                for event in self.repricings
                if row.from_date < event.value_date
                and (
                    event.from_date <= row.due_date
                    if isinstance(event, happened.LoanRescheduled)
                    else event.effective <= min(event.value_date, row.due_date)
                )
            ),
            default=date.min,
        )

    def _is_graced(self, index: int) -> bool:
        """Say whether the row leaves its interest to a later one."""
        return (
            self.book.rows[index].kind is not RowKind.RE_AGED
            and self._place(index) < self.terms.grace_on_interest_payment
        )

    def _interest_paid(self, index: int, until: date) -> int:
        return sum(
            one.split.interest_minor
            for one in self.slices
            if one.number == index + 1 and one.on <= until
        )

    # --- which days, on what ------------------------------------------------------------------

    def _stretches(self, index: int, row: Instalment) -> Iterator[tuple[date, date, int]]:
        since, until = row.from_date, row.due_date
        edges = {since, until, *(on for on, _ in self.out), *(one.on for one in self.slices)}
        edges |= {after for after, _ in self.rates}
        looked_on = self._looked_on(index, row)
        edges.add(looked_on)
        edges |= {other.due_date for other in self.rows}
        until = max(until, self._beyond(index) or until)
        edges.add(until)
        for start, end in pairwise(sorted(day for day in edges if since <= day <= until)):
            yield start, end, max(0, self._base(index, row, start, looked_on))

    def _beyond(self, index: int) -> date | None:
        """Until when interest goes on after the last row of a plan, where it does."""
        if not self.goes_on:
            return None
        if index == self.last:
            return self.as_of
        following = range(index + 1, self.last + 1)
        bearing = (at for at in following if self.book.rows[at].kind in _BEARING)
        after = next((at for at in bearing if self.rows[at].days), None)
        if after is None or self.rows[after].from_date <= self.rows[index].due_date:
            return None
        return self.rows[after].from_date

    def _looked_on(self, index: int, row: Instalment) -> date:
        """The day up to which a row is charged by what was really out."""
        if not self.terms.recalculates:
            return date.min
        if self.terms.is_progressive or self._beyond(index):
            return self.as_of
        return max((day for day in self.known if day <= row.due_date), default=date.min)

    def _base(self, index: int, row: Instalment, day: date, looked_on: date) -> int:
        """The principal of the days after `day`."""
        if day >= row.due_date:
            return self._really_out(day)
        if looked_on > row.from_date and self._charges_whole_periods():
            joined = self._to_bring_back(index, day) - self._to_bring_back(index, row.from_date)
            return self._really_out(row.from_date) + joined
        if day < looked_on:
            return self._really_out(day)
        return self._planned_out(index, day, looked_on)

    def _charges_whole_periods(self) -> bool:
        return self.terms.recalculation_rest is RecalculationRest.SAME_AS_REPAYMENT_PERIOD

    def _to_bring_back(self, index: int, day: date) -> int:
        """What went out by `day`, less what of it was due at once."""
        at_once = sum(
            row.principal_minor
            for row, works in self._of_its_time(index)
            if works.kind is RowKind.DOWN_PAYMENT and row.due_date <= day
        )
        # The first money may have gone out later than its down payment was due.
        return max(0, self._went_out(day) - at_once)

    def _went_out(self, day: date) -> int:
        return sum(amount for on, amount in self.out if on <= day)

    def _really_out(self, day: date) -> int:
        paid = sum(one.split.principal_minor for one in self.slices if one.on <= day)
        out = self._went_out(day) - paid
        if self.terms.recalculation_compounding is not RecalculationCompounding.NONE:
            asked = sum(
                self.by_maturity if self.goes_on and index == self.last else row.interest_minor
                for index, row in enumerate(self.rows)
                if row.due_date <= day
            )
            got = sum(one.split.interest_minor for one in self.slices if one.on <= day)
            out += max(0, asked - got)
        return max(0, out)

    def _planned_out(self, index: int, day: date, looked_on: date) -> int:
        """What is out when all that earlier rows ask for is paid, and what was paid ahead is."""
        kinds = [one.kind for one in self.book.rows]
        if not self.terms.recalculates:
            # A plan knows nothing of money, until the loan is paid off.
            looked_on = max((on for on in self.quits if on <= day), default=date.min)
        ahead = sum(
            one.split.principal_minor
            for one in self.slices
            if one.number > index and kinds[one.number - 1] in _BEARING and one.on <= looked_on
        )
        return self._to_bring_back(index, day) - self._asked_before(index) - ahead

    def _asked_before(self, index: int) -> int:
        """What earlier rows asked for in its time; those that a re-age ended stand before it."""
        row = self.rows[index]
        rows = self._of_its_time(index)
        return sum(
            one.principal_minor
            for one, work in rows
            if work.kind in _BEARING
            and (one.due_date <= row.from_date or (work.is_emptied and not one.days))
        )

    def _of_its_time(self, index: int) -> list[tuple[Instalment, RowWorkings]]:
        """The rows as they stood when row `index` was due; a new plan may have emptied them."""
        due = self.rows[index].due_date
        loan = next((loan for day, loan in self.before if due <= day), None)
        if loan is None or loan.book is None:
            return list(zip(self.rows, self.book.rows, strict=True))
        return list(zip(loan.instalments, loan.book.rows, strict=True))

    def _is_free(self, index: int) -> bool:
        return (
            self.book.rows[index].kind is not RowKind.RE_AGED
            and self._place(index) < self.terms.interest_free_periods
        )

    def _place(self, index: int) -> int:
        return sum(1 for one in self.book.rows[:index] if one.kind is RowKind.INSTALMENT)

    # --- what they cost -----------------------------------------------------------------------

    def _costs(self, index: int, row: Instalment, since: date, until: date) -> Fraction:
        rate = self.terms.annual_rate_percent
        for after, percent in self.rates:
            if after <= since:
                rate = percent
        return Fraction(rate) / 100 * self._years(index, row, since, until)

    def _years(self, index: int, row: Instalment, since: date, until: date) -> Fraction:
        """Some days of a row as a part of a year."""
        terms = self.terms
        works = self.book.rows[index]
        months = _months(works.frequency)
        by_days = terms.interest_calc_period is InterestCalcPeriod.DAILY
        if by_days and (not months or terms.days_in_month is DaysInMonth.ACTUAL):
            return self._by_days(since, until)
        if by_days:
            assert terms.days_in_year not in _OF_ACTUAL_YEARS, "thirty days of which year?"
            whole = Fraction(30 * months, int(terms.days_in_year.value))
        elif months:
            whole = Fraction(months, 12)
        elif works.frequency.unit is FrequencyUnit.WEEKS:
            whole = Fraction(works.frequency.every, 52)
        else:
            whole = self._by_days(works.whole_from, row.due_date)
        whole_days = (row.due_date - works.whole_from).days
        if row.from_date == works.whole_from:
            whole_days = row.days
        return whole * Fraction((until - since).days, whole_days)

    def _by_days(self, since: date, until: date) -> Fraction:
        match self.terms.days_in_year:
            case DaysInYear.ACTUAL:
                days = (since + timedelta(days=at) for at in range(1, (until - since).days + 1))
                return sum((Fraction(1, _length(day.year)) for day in days), Fraction(0))
            case DaysInYear.ACTUAL_AT_START:
                return Fraction((until - since).days, _length(self.start.year))
            case year:
                return Fraction((until - since).days, int(year.value))


_OF_ACTUAL_YEARS = frozenset({DaysInYear.ACTUAL, DaysInYear.ACTUAL_AT_START})


_SEEN = (
    happened.PaymentRecorded,
    happened.LoanDisbursed,
    happened.RateChanged,
    happened.ChargeAdded,
    happened.OverdueCharged,
    happened.LoanReamortized,
    happened.LoanReAged,
)


def _months(frequency: Frequency) -> int:
    of_unit = {FrequencyUnit.MONTHS: 1, FrequencyUnit.YEARS: 12}
    return frequency.every * of_unit.get(frequency.unit, 0)


def _length(year: int) -> int:
    return (date(year + 1, 1, 1) - date(year, 1, 1)).days


def _before_new_plans(events: Sequence[happened.LoanEvent]) -> list[tuple[date, Loan]]:
    """The days on which what is unpaid was planned anew, and the loan just before."""
    ordered = in_order(events)
    return [
        (event.value_date, fold(ordered[:at]).loan)
        for at, event in enumerate(ordered)
        if isinstance(event, happened.LoanReamortized | happened.LoanReAged)
    ]

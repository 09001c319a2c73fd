"""Whether terms are possible at all: every limit in one place, every fault told at once.

The limits keep what is computed later inside the calendar and inside 64-bit integers, so that
`domain/schedule/generator.py` need not ask. Whether the lender wants such a loan is the product's
to say, not this.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from domain.money import ARITHMETIC, MINOR_MAX, has_places_at_most, is_currency
from domain.rejections import FieldFault
from domain.terms.choices_validation import SOME_MONEY, choice_faults
from domain.terms.due_dates import year_after
from domain.terms.terms import INSTALMENTS_MAX, Frequency, FrequencyUnit, Terms

EVERY_MAX: Final = 366
RATE_PERCENT_MAX: Final = 1000
RATE_PLACES_MAX: Final = 6
YEAR_MIN: Final = 2
YEAR_MAX: Final = 9000
TOO_LATE: Final = f"the last instalment would be due after {YEAR_MAX}"
INTEREST_MINOR_MAX: Final = 10**18  # a ninth of what 64 bits hold

# Where no start is agreed yet, the schedule must fit into the calendar even from here.
_LATEST_START: Final = date(3000, 1, 1)
# And where the first due date is, but no start, the first period may reach back as far as this.
_EARLIEST_START: Final = date(2000, 1, 1)

_DAYS_AT_MOST: Final = {
    FrequencyUnit.DAYS: 1,
    FrequencyUnit.WEEKS: 7,
    FrequencyUnit.MONTHS: 31,
    FrequencyUnit.YEARS: 366,
    FrequencyUnit.ONE_TIME: 0,
}


def check_terms(terms: Terms) -> tuple[FieldFault, ...]:
    """Name everything that is wrong with `terms`; empty when a schedule can be built on them."""
    single = (
        *_money_faults(terms),
        *_count_faults(terms),
        *_date_faults(terms),
        *choice_faults(terms),
    )
    return single or (*_horizon_faults(terms), *_interest_faults(terms))


def _money_faults(terms: Terms) -> Iterator[FieldFault]:
    if not 0 < terms.principal_minor <= MINOR_MAX:
        yield FieldFault("/principal", "out_of_range", SOME_MONEY)
    if not is_currency(terms.currency):
        yield FieldFault("/currency", "unknown_currency", "no currency in use has this code")
    rate = terms.annual_rate_percent
    if not rate.is_finite() or not 0 <= rate <= RATE_PERCENT_MAX:
        yield FieldFault(
            "/annual_rate_percent", "out_of_range", f"must be from 0 to {RATE_PERCENT_MAX}"
        )
    elif not has_places_at_most(rate, RATE_PLACES_MAX):
        yield FieldFault(
            "/annual_rate_percent", "too_many_digits", f"at most {RATE_PLACES_MAX} decimal places"
        )


def _count_faults(terms: Terms) -> Iterator[FieldFault]:
    if not 1 <= terms.instalments <= INSTALMENTS_MAX:
        yield FieldFault("/instalments", "out_of_range", f"must be from 1 to {INSTALMENTS_MAX}")
    if not 1 <= terms.frequency.every <= EVERY_MAX:
        yield FieldFault("/frequency/every", "out_of_range", f"must be from 1 to {EVERY_MAX}")
    if terms.frequency.unit is FrequencyUnit.ONE_TIME:
        if terms.instalments != 1:
            yield FieldFault("/instalments", "out_of_range", "must be 1: it falls due once")
        if terms.first_due_date is None:
            yield FieldFault("/first_due_date", "missing", "says when it falls due")


def _date_faults(terms: Terms) -> Iterator[FieldFault]:
    start, first = terms.start_date, terms.first_due_date
    for pointer, day in (("/start_date", start), ("/first_due_date", first)):
        if day is not None and not YEAR_MIN <= day.year <= YEAR_MAX:
            yield FieldFault(
                pointer, "out_of_range", f"must be in the years {YEAR_MIN} to {YEAR_MAX}"
            )
    if start is not None and first is not None and first <= start:
        yield FieldFault("/first_due_date", "not_after_start", "must be after start_date")


def ends_too_late(first_due: date, frequency: Frequency, instalments: int) -> bool:
    """Say whether so many instalments, the first due on `first_due`, go on beyond `YEAR_MAX`."""
    return year_after(first_due, frequency, instalments) > YEAR_MAX


def _horizon_faults(terms: Terms) -> Iterator[FieldFault]:
    """Only for terms without another fault: the dates may be computed with."""
    begin = terms.first_due_date or terms.start_date or _LATEST_START
    if ends_too_late(begin, terms.frequency, terms.instalments):
        yield FieldFault("/instalments", "too_long", TOO_LATE)
    if terms.first_due_date and year_after(begin, terms.frequency, -1) < YEAR_MIN - 1:
        yield FieldFault(
            "/first_due_date", "out_of_range", "the first period would begin before the calendar"
        )


def _interest_faults(terms: Terms) -> Iterator[FieldFault]:
    days = _DAYS_AT_MOST[terms.frequency.unit] * terms.frequency.every * terms.instalments
    if terms.first_due_date:
        days += max(0, (terms.first_due_date - (terms.start_date or _EARLIEST_START)).days)
    over_days = ARITHMETIC.multiply(
        terms.annual_rate_percent, Decimal(terms.principal_minor * days)
    )
    if over_days > INTEREST_MINOR_MAX * 100 * 360:
        yield FieldFault(
            "/annual_rate_percent", "too_much_interest", "the interest would pass all bounds"
        )

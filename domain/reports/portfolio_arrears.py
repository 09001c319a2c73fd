"""The arrears of a book on any day, from what a store tells of many loans and what only they know.

Most loans are told by their rows: their schedule does not change with time, or nothing of it is
late. The others are brought to the day from their state, and those whose money has moved since are
replayed until it. What all of them say is what `domain/reports/aging.py` says of the loans one by
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.events.events import LoanEvent
from domain.loan.arrears import (
    CURRENT,
    DelinquencyTerms,
    days_since,
    delinquency_terms,
    lateness,
    oldest_unpaid,
    overdue_minor,
)
from domain.loan.as_of import carried_to, loan_as_of
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.reports.aging import AT_RISK_DAYS, percent_of_all


@dataclass(frozen=True, slots=True)
class AlikeLoans:
    """Active loans that are late since the same day by the same terms, summed; minor units.

    `oldest_due` is None while nothing that is unpaid has fallen due.
    """

    currency: str
    terms: DelinquencyTerms
    oldest_due: date | None
    loans: int
    principal_minor: int
    overdue_minor: int


@dataclass(frozen=True, slots=True)
class BookOnDay:
    """What a store knows of the loans that were out on a day.

    `alike` are told by their rows. `kept` have to be brought to the day, and of `histories`, the
    events of one loan each, all has to be gone through until it.
    """

    alike: tuple[AlikeLoans, ...]
    kept: tuple[Loan, ...] = ()
    histories: tuple[tuple[LoanEvent, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class TooManyLoans:
    """More loans than one answer may bring to a day; `most` says how many it may."""

    most: int


@dataclass(frozen=True, slots=True)
class BucketArrears:
    """The loans of one bucket; amounts in minor units."""

    bucket: str
    loans: int
    principal_minor: int
    overdue_minor: int


@dataclass(frozen=True, slots=True)
class CurrencyArrears:
    """The book of one currency: what is out, late, and at risk; amounts in minor units."""

    currency: str
    loans: int
    principal_minor: int
    overdue_minor: int
    at_risk_30_minor: int
    at_risk_percent: Decimal
    buckets: tuple[BucketArrears, ...]


@dataclass(frozen=True, slots=True)
class ArrearsView:
    """The arrears of a book at the end of a day."""

    as_of: date
    currencies: tuple[CurrencyArrears, ...]


def book_arrears(book: BookOnDay, as_of: date) -> ArrearsView:
    """Add up the arrears of `book` on the day that it was read for."""
    by_currency: dict[str, dict[str, list[int]]] = {}
    at_risk: dict[str, int] = {}
    for alike in _all(book, as_of):
        _, name = lateness(alike.oldest_due, as_of, alike.terms)
        sums = by_currency.setdefault(alike.currency, {}).setdefault(name, [0, 0, 0])
        sums[0] += alike.loans
        sums[1] += alike.principal_minor
        sums[2] += alike.overdue_minor
        if days_since(alike.oldest_due, as_of) > AT_RISK_DAYS:
            at_risk[alike.currency] = at_risk.get(alike.currency, 0) + alike.principal_minor
    return ArrearsView(
        as_of,
        tuple(
            _currency(currency, by_currency[currency], at_risk.get(currency, 0))
            for currency in sorted(by_currency)
        ),
    )


def _all(book: BookOnDay, as_of: date) -> Iterator[AlikeLoans]:
    yield from book.alike
    for kept in book.kept:
        loan = carried_to(kept, as_of)
        assert loan is not None, "the store hands over only what its state tells"
        yield from _alone(loan, as_of)
    for events in book.histories:
        yield from _alone(loan_as_of(events, as_of).loan, as_of)


def _alone(loan: Loan, as_of: date) -> Iterator[AlikeLoans]:
    if loan.status is not LoanStatus.ACTIVE:
        return
    terms, oldest = loan.terms, oldest_unpaid(loan.instalments)
    yield AlikeLoans(
        terms.currency,
        delinquency_terms(terms),
        None if oldest is None or oldest.due_date > as_of else oldest.due_date,
        1,
        loan.outstanding.principal_minor,
        overdue_minor(loan.instalments, as_of),
    )


def _currency(currency: str, buckets: dict[str, list[int]], at_risk: int) -> CurrencyArrears:
    names = sorted(buckets, key=lambda name: (name != CURRENT, name))
    rows = tuple(BucketArrears(name, *buckets[name]) for name in names)
    principal = sum(row.principal_minor for row in rows)
    return CurrencyArrears(
        currency,
        sum(row.loans for row in rows),
        principal,
        sum(row.overdue_minor for row in rows),
        at_risk,
        percent_of_all(at_risk, principal),
        rows,
    )

"""A loan's book and the document that keeps it: one JSON value with the number of its form.

A document of another form than ours is not read: the book then follows from the loan's events, and
is written anew with the next change. So the form may change at will, and `FORM` with it. Amounts
are integers of minor units; decimals and dates are text.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final, cast

import msgspec

from domain.identifiers import ChargeId
from domain.schedule.state import (
    Book,
    ChargeLine,
    InterestPart,
    Movement,
    RateStep,
    RowWorkings,
    Tranche,
)
from domain.terms.choices import ChargeKind, RowKind
from domain.terms.terms import Frequency, FrequencyUnit

FORM: Final = 5
"""Counts up with every change of the classes below, or of what their values mean."""

# All that they lack is what a new plan leaves; they are read where none was made.
_FORMS_BEFORE: Final = frozenset({3, 4})


class _Row(msgspec.Struct, array_like=True, frozen=True):
    kind: RowKind
    every: int
    unit: FrequencyUnit
    whole_from: date
    emi_minor: int
    carried_minor: int
    waived_minor: int
    parts: tuple[InterestPart, ...]
    moved_minor: int = 0
    is_emptied: bool = False


class _Charge(msgspec.Struct, array_like=True, frozen=True):
    charge_id: ChargeId | None
    due_date: date
    kind: ChargeKind
    amount_minor: int
    number: int
    paid_minor: int
    waived_minor: int


class _Document(msgspec.Struct, frozen=True, omit_defaults=True):
    form: int
    as_of: date
    rows: tuple[_Row, ...]
    tranches: tuple[tuple[date, int, int], ...]
    rates: tuple[tuple[date, Decimal], ...] = ()
    movements: tuple[tuple[date, int, int], ...] = ()
    charges: tuple[_Charge, ...] = ()
    interest_until: date | None = None
    # Principal forgiven, interest waived, written off, recovered, refunded: minor units.
    totals: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    is_restructured: bool = False
    flat_share: Decimal = Decimal(0)
    spare_dates: tuple[date, ...] = ()


def document_of(book: Book | None) -> dict[str, object] | None:
    """The document of a book, as JSON values; None of a loan that needs none."""
    if book is None:
        return None
    made = _Document(
        FORM,
        book.as_of,
        tuple([_row(row) for row in book.rows]),
        tuple([(one.on, one.amount_minor, one.withheld_minor) for one in book.tranches]),
        tuple([(one.after, one.annual_rate_percent) for one in book.rates]),
        tuple([(one.on, one.principal_minor, one.interest_minor) for one in book.movements]),
        tuple([_charge(one) for one in book.charges]),
        book.interest_until,
        (
            book.forgiven_principal_minor,
            book.waived_interest_minor,
            book.written_off_minor,
            book.recovered_minor,
            book.refunded_minor,
        ),
        book.is_restructured,
        book.flat_share,
        book.spare_dates,
    )
    return cast("dict[str, object]", msgspec.to_builtins(made))


def is_legible(document: object) -> bool:
    """Say whether `document` has the form that this program reads."""
    if not isinstance(document, dict):
        return False
    form = document.get("form")
    return form == FORM or (form in _FORMS_BEFORE and not document.get("is_restructured"))


def book_of(document: object) -> Book | None:
    """The book of a document; None of none, and of one that is not legible."""
    if not is_legible(document):
        return None
    kept = msgspec.convert(document, _Document)
    forgiven, waived, written_off, recovered, refunded = kept.totals
    return Book(
        as_of=kept.as_of,
        rows=tuple([_workings(row) for row in kept.rows]),
        tranches=tuple([Tranche(*one) for one in kept.tranches]),
        rates=tuple([RateStep(*one) for one in kept.rates]),
        movements=tuple([Movement(*one) for one in kept.movements]),
        charges=tuple([ChargeLine(*msgspec.structs.astuple(one)) for one in kept.charges]),
        interest_until=kept.interest_until,
        forgiven_principal_minor=forgiven,
        waived_interest_minor=waived,
        written_off_minor=written_off,
        recovered_minor=recovered,
        refunded_minor=refunded,
        is_restructured=kept.is_restructured,
        flat_share=kept.flat_share,
        spare_dates=kept.spare_dates,
    )


def _row(row: RowWorkings) -> _Row:
    return _Row(
        row.kind,
        row.frequency.every,
        row.frequency.unit,
        row.whole_from,
        row.emi_minor,
        row.carried_minor,
        row.waived_minor,
        row.parts,
        row.moved_minor,
        row.is_emptied,
    )


def _workings(row: _Row) -> RowWorkings:
    return RowWorkings(
        row.kind,
        Frequency(row.every, row.unit),
        row.whole_from,
        row.emi_minor,
        row.carried_minor,
        row.waived_minor,
        row.parts,
        row.moved_minor,
        row.is_emptied,
    )


def _charge(charge: ChargeLine) -> _Charge:
    return _Charge(
        charge.charge_id,
        charge.due_date,
        charge.kind,
        charge.amount_minor,
        charge.number,
        charge.paid_minor,
        charge.waived_minor,
    )

"""A loan while it is worked on: its schedule as rows that may change, and what they follow from.

A `Position` lives inside one decision or one replay and is never kept: what is kept is the frozen
`Instalment` and `Book`, and both ways between them are here. No rule of lending is.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from operator import attrgetter

from domain.money import ARITHMETIC
from domain.schedule.instalment import Instalment
from domain.schedule.movements import MoneyReceived
from domain.schedule.state import Book, ChargeLine, InterestPart, RateStep, RowWorkings, Tranche
from domain.terms.choices import RowKind
from domain.terms.due_dates import Period
from domain.terms.terms import Frequency, InterestMethod, Terms

_WITHOUT_INTEREST = frozenset({RowKind.DOWN_PAYMENT, RowKind.CHARGES})


@dataclass(slots=True)
class Row:
    """A line of the schedule at work, as in `Instalment` and `RowWorkings`; minor units."""

    span: Period
    frequency: Frequency
    kind: RowKind = RowKind.INSTALMENT
    emi: int = 0
    principal: int = 0
    interest: int = 0
    fees: int = 0
    penalties: int = 0
    paid_principal: int = 0
    paid_interest: int = 0
    paid_fees: int = 0
    paid_penalties: int = 0
    carried: int = 0
    waived: int = 0
    parts: tuple[InterestPart, ...] = ()
    moved: int = 0
    is_emptied: bool = False

    @property
    def bears_interest(self) -> bool:
        """Say whether the row pays for time that has passed."""
        return self.kind not in _WITHOUT_INTEREST

    @property
    def due(self) -> int:
        """All that it asks for."""
        return self.principal + self.interest + self.fees + self.penalties

    @property
    def paid(self) -> int:
        """All that was paid on it."""
        return self.paid_principal + self.paid_interest + self.paid_fees + self.paid_penalties

    @property
    def outstanding(self) -> int:
        """What is still owed on it."""
        owed = self.principal + self.interest + self.fees + self.penalties
        paid = self.paid_principal + self.paid_interest + self.paid_fees + self.paid_penalties
        return owed - paid

    def copied(self) -> Row:
        """One like it, several times as fast as by `replace`."""
        return Row(*_FIELDS_OF_ROW(self))

    @property
    def accrued(self) -> int:
        """The interest of its own days."""
        if len(self.parts) == 1:
            return self.parts[0].rounded_minor
        return sum(part.rounded_minor for part in self.parts)


_FIELDS_OF_ROW = attrgetter(*(one.name for one in fields(Row)))


@dataclass(slots=True)
class Position:
    """A loan at work. `rows` are in the order of their due dates."""

    terms: Terms
    start: date
    rows: list[Row]
    tranches: list[Tranche]
    as_of: date
    rates: list[RateStep] = field(default_factory=list)
    received: MoneyReceived = field(default_factory=MoneyReceived)
    charges: list[ChargeLine] = field(default_factory=list)
    interest_until: date | None = None
    forgiven: int = 0
    flat_share: Decimal = Decimal(0)
    spare_dates: tuple[date, ...] = ()
    factors: dict[tuple[int, Decimal, Frequency], Decimal] = field(default_factory=dict)

    def gross_until(self, day: date) -> int:
        """All the money that had gone out by `day`."""
        out = 0
        for tranche in self.tranches:
            if tranche.on <= day:
                out += tranche.amount_minor
        return out

    def rate_after(self, day: date) -> Decimal:
        """The rate of the day after `day`, in per cent a year."""
        rate = self.terms.annual_rate_percent
        for step in self.rates:
            if step.after <= day:
                rate = step.annual_rate_percent
        return rate

    @property
    def total_out(self) -> int:
        """All the money that went out, and was not given up."""
        return sum(tranche.amount_minor for tranche in self.tranches) - self.forgiven

    def first_due_on_or_after(self, day: date) -> int:
        """The index of the first row due on or after `day`; the number of rows if none is."""
        return bisect_left(self.rows, day, key=_due_date)

    @property
    def owed(self) -> int:
        """All that the rows still ask for."""
        owed = 0
        for row in self.rows:
            owed += row.principal + row.interest + row.fees + row.penalties
            owed -= row.paid_principal + row.paid_interest + row.paid_fees + row.paid_penalties
        return owed


def _due_date(row: Row) -> date:
    return row.span.due_date


def copied(position: Position) -> Position:
    """A position that can be worked on while `position` stays as it is."""
    return replace(
        position,
        rows=[row.copied() for row in position.rows],
        tranches=list(position.tranches),
        rates=list(position.rates),
        received=position.received.copied(),
        charges=list(position.charges),
    )


def opened(terms: Terms, instalments: tuple[Instalment, ...], book: Book, start: date) -> Position:
    """The position that `instalments` and `book` keep."""
    rows = [
        Row(
            span=Period(line.number, line.from_date, line.due_date, works.whole_from),
            frequency=works.frequency,
            kind=works.kind,
            emi=works.emi_minor,
            principal=line.principal_minor,
            interest=line.interest_minor,
            fees=line.fees_minor,
            penalties=line.penalties_minor,
            paid_principal=line.paid_principal_minor,
            paid_interest=line.paid_interest_minor,
            paid_fees=line.paid_fees_minor,
            paid_penalties=line.paid_penalties_minor,
            carried=works.carried_minor,
            waived=works.waived_minor,
            parts=works.parts,
            moved=works.moved_minor,
            is_emptied=works.is_emptied,
        )
        for line, works in zip(instalments, book.rows, strict=True)
    ]
    return Position(
        terms=terms,
        start=start,
        rows=rows,
        tranches=list(book.tranches),
        as_of=book.as_of,
        rates=list(book.rates),
        received=MoneyReceived(book.movements),
        charges=list(book.charges),
        interest_until=book.interest_until,
        forgiven=book.forgiven_principal_minor,
        flat_share=book.flat_share,
        spare_dates=book.spare_dates,
    )


def closed(position: Position) -> tuple[tuple[Instalment, ...], Book]:
    """What is kept of `position`."""
    is_flat = position.terms.interest_method is InterestMethod.FLAT
    workings = tuple(
        RowWorkings(
            row.kind,
            row.frequency,
            row.span.whole_from,
            row.emi,
            row.carried,
            row.waived,
            row.parts,
            row.moved,
            row.is_emptied,
        )
        for row in position.rows
    )
    book = Book(
        as_of=position.as_of,
        rows=workings,
        tranches=tuple(position.tranches),
        rates=tuple(position.rates),
        movements=position.received.movements(),
        charges=tuple(position.charges),
        interest_until=position.interest_until,
        forgiven_principal_minor=position.forgiven,
        flat_share=position.flat_share if is_flat else Decimal(0),
        spare_dates=position.spare_dates,
    )
    return instalments_of(position), book


def instalments_of(position: Position) -> tuple[Instalment, ...]:
    """The rows as instalments, numbered from 1, each with the balance planned after it.

    A tranche counts from its day on; one that asks for a down payment counts with that row.
    """
    principal = 0
    shown = []
    first = position.tranches[0]
    plain = (
        len(position.tranches) == 1
        and first.on <= position.rows[0].span.due_date
        and not position.terms.down_payment_percent
    )
    gross = first.amount_minor
    last = max([0, *(at for at, row in enumerate(position.rows) if row.bears_interest)])
    for number, row in enumerate(position.rows, start=1):
        principal += row.principal
        if not plain:
            gross = _gross_at(position, number - 1, last)
        balance = gross - principal
        if number <= last:
            # A row may have brought back what went out after it was due: then nothing is out.
            balance = max(0, balance)
        shown.append(_instalment(row, number, balance))
    return tuple(shown)


def _gross_at(position: Position, index: int, last: int) -> int:
    """The money that is out when row `index` is due, before the down payments of later rows.

    Row `last` brings back all that is left, also what went out after it was due.
    """
    due = position.rows[index].span.due_date
    rest = position.rows[index + 1 :]
    if index >= last:
        gross = sum(tranche.amount_minor for tranche in position.tranches)
        return gross - sum(row.principal for row in rest)
    gross = position.gross_until(due)
    if not position.terms.down_payment_percent:
        return gross
    later = sum(1 for row in rest if row.kind is RowKind.DOWN_PAYMENT and row.span.due_date == due)
    if later and position.rows[index].span.from_date < due:
        same_day = [tranche for tranche in position.tranches if tranche.on == due]
        gross -= sum(tranche.amount_minor for tranche in same_day[-later:])
    return gross


def _instalment(row: Row, number: int, balance: int) -> Instalment:
    parts = row.parts
    if len(parts) == 1:
        base, factor, unrounded = parts[0].base_minor, parts[0].factor, parts[0].unrounded
    elif parts:
        base = parts[0].base_minor
        factor = unrounded = Decimal(0)
        for part in parts:
            factor = ARITHMETIC.add(factor, part.factor)
            unrounded = ARITHMETIC.add(unrounded, part.unrounded)
    else:
        base, factor, unrounded = 0, Decimal(0), Decimal(0)
    return Instalment(
        number=number,
        from_date=row.span.from_date,
        due_date=row.span.due_date,
        days=row.span.days,
        principal_minor=row.principal,
        interest_minor=row.interest,
        fees_minor=row.fees,
        penalties_minor=row.penalties,
        balance_minor=balance,
        interest_base_minor=base,
        rate_factor=factor,
        interest_unrounded=unrounded,
        paid_principal_minor=row.paid_principal,
        paid_interest_minor=row.paid_interest,
        paid_fees_minor=row.paid_fees,
        paid_penalties_minor=row.paid_penalties,
    )

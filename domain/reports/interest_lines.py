"""Why each interest line is what it is: balance, days, factor, unrounded, rounded, by parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.loan.loan import Loan
from domain.schedule.instalment import Instalment
from domain.schedule.state import Book, InterestPart


@dataclass(frozen=True, slots=True)
class InterestLine:
    """The interest of instalment `number`: its own parts, and what else made it what it is.

    `own_minor` is the sum of the parts. `asked_minor` is what the instalment asks for: less where
    interest was put off, waived or left to the next one, more where it came from earlier ones.
    """

    number: int
    parts: tuple[InterestPart, ...]
    own_minor: int
    asked_minor: int
    carried_on_minor: int
    waived_minor: int


def interest_lines(loan: Loan) -> tuple[InterestLine, ...]:
    """The interest lines of a loan that is out, in the order of its instalments."""
    return explained_lines(loan.instalments, loan.book)


def explained_lines(
    instalments: Sequence[Instalment], book: Book | None
) -> tuple[InterestLine, ...]:
    """The interest lines of `instalments`; without a book each of them says all itself."""
    if book is None:
        return tuple(_plain(row) for row in instalments)
    return tuple(
        InterestLine(
            row.number,
            works.parts,
            sum(part.rounded_minor for part in works.parts),
            row.interest_minor,
            works.carried_minor,
            works.waived_minor,
        )
        for row, works in zip(instalments, book.rows, strict=True)
    )


def _plain(row: Instalment) -> InterestLine:
    part = InterestPart(
        row.from_date,
        row.due_date,
        row.days,
        row.interest_base_minor,
        row.rate_factor,
        row.interest_unrounded,
        row.interest_minor,
    )
    return InterestLine(row.number, (part,), row.interest_minor, row.interest_minor, 0, 0)

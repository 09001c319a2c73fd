"""The charges of a loan as they stand: each with what is paid of it, waived and still asked for.

What is due on its own date stands by itself, whatever rows it is shown on; the fees on each
instalment stand by instalment, and what was withheld of money that went out by disbursement.
Together they are the fees and penalties that the schedule asks for, and what was withheld.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from domain.identifiers import ChargeId
from domain.schedule.instalment import Instalment
from domain.schedule.state import ChargeLine, Tranche
from domain.terms.choices import ChargeKind


@dataclass(frozen=True, slots=True)
class ChargeStand:
    """A fee or a penalty; amounts in minor units.

    `charge_id` names what can be waived. `number` is the instalment on which it is shown, None for
    what was withheld of a disbursement.
    """

    charge_id: ChargeId | None
    kind: ChargeKind
    due_date: date
    number: int | None
    amount_minor: int
    paid_minor: int
    waived_minor: int = 0

    @property
    def outstanding_minor(self) -> int:
        """What is still asked for."""
        return self.amount_minor - self.paid_minor - self.waived_minor


def charges_of(
    instalments: Sequence[Instalment], lines: Iterable[ChargeLine], out: Iterable[Tranche]
) -> tuple[ChargeStand, ...]:
    """All charges, by due date; `lines` are those of the book, `out` the money that went out."""
    stands: dict[object, ChargeStand] = {}
    left = {
        (row.number, kind): (amount, paid)
        for row in instalments
        for kind, amount, paid in (
            (ChargeKind.FEE, row.fees_minor, row.paid_fees_minor),
            (ChargeKind.PENALTY, row.penalties_minor, row.paid_penalties_minor),
        )
    }
    for line in lines:
        key: object = line.charge_id or (line.number, line.kind, line.due_date)
        stands[key] = _with(stands.get(key), line)
        amount, paid = left[line.number, line.kind]
        asked = line.amount_minor - line.waived_minor
        left[line.number, line.kind] = (amount - asked, paid - line.paid_minor)
    on_rows = _on_instalments(instalments, left)
    found = (*_withheld(out), *stands.values(), *on_rows)
    return tuple(sorted(found, key=lambda one: (one.due_date, one.number or 0)))


def _with(stand: ChargeStand | None, line: ChargeLine) -> ChargeStand:
    """A charge of which a new plan showed the unpaid rest elsewhere is one charge all the same."""
    if stand is None:
        return ChargeStand(
            line.charge_id,
            line.kind,
            line.due_date,
            line.number,
            line.amount_minor,
            line.paid_minor,
            line.waived_minor,
        )
    return replace(
        stand,
        number=line.number,
        amount_minor=stand.amount_minor + line.amount_minor,
        paid_minor=stand.paid_minor + line.paid_minor,
        waived_minor=stand.waived_minor + line.waived_minor,
    )


def _withheld(out: Iterable[Tranche]) -> Iterator[ChargeStand]:
    for one in out:
        if one.withheld_minor:
            withheld = one.withheld_minor
            yield ChargeStand(None, ChargeKind.FEE, one.on, None, withheld, withheld)


def _on_instalments(
    instalments: Iterable[Instalment], left: dict[tuple[int, ChargeKind], tuple[int, int]]
) -> Iterator[ChargeStand]:
    for row in instalments:
        for kind in ChargeKind:
            amount, paid = left[row.number, kind]
            if amount:
                yield ChargeStand(None, kind, row.due_date, row.number, amount, paid)

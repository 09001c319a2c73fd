"""Fees on money that goes out: what each comes to, and whether anything is left to go out.

What they do to the schedule is in `domain/schedule/charges.py`, what they post in
`domain/accounting/journal.py`.
"""

from __future__ import annotations

from uuid import UUID

from domain.events.events import FeeOfDisbursal
from domain.identifiers import ChargeId
from domain.rejections import DisburseRefusal, FieldFault, Rejected
from domain.schedule.amounts import percent_of
from domain.terms.choices import FeeCollection
from domain.terms.terms import Terms


def fees_of_disbursal(
    terms: Terms, amount_minor: int, out_before_minor: int, event_id: UUID
) -> tuple[FeeOfDisbursal, ...]:
    """The fees on a sum that goes out, after what went out before it; in minor units.

    A fee in per cent is asked of each sum, another one with the first. What is due is a charge,
    whose identifier follows that of the event, so that it can be waived.
    """
    fees: list[FeeOfDisbursal] = []
    for fee in terms.disbursement_fees:
        amount = 0 if out_before_minor else fee.amount_minor
        if fee.percent is not None:
            amount = percent_of(amount_minor, fee.percent)
        if amount == 0:
            continue
        due = fee.collection is FeeCollection.DUE
        charge_id = ChargeId(UUID(int=event_id.int + 1 + len(fees))) if due else None
        fees.append(FeeOfDisbursal(amount, charge_id))
    return tuple(fees)


def nothing_left(
    amount_minor: int, down_payment_minor: int, fees: tuple[FeeOfDisbursal, ...]
) -> Rejected | None:
    """Refuse a sum of which fees and what comes back at once would leave nothing to pay out."""
    withheld = sum(fee.amount_minor for fee in fees if fee.charge_id is None)
    if not withheld or withheld + down_payment_minor < amount_minor:
        return None
    return Rejected(
        DisburseRefusal.BAD_AMOUNT,
        "The fees that are withheld would leave nothing to pay out.",
        (FieldFault("/amount", DisburseRefusal.BAD_AMOUNT, "must be more than is withheld of it"),),
    )

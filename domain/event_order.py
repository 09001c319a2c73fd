"""The order of a loan's events, whichever way they arrived.

First what precedes money, by its instant: application, amendments, decision. Then everything that
touches money: by value date, kind and id, so that a set of events is one loan and no other.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from domain import events
from domain.events import LoanEvent

# Within one instant, and within one day, kinds follow one another in this order.
_ORIGINATION: Final[dict[type, int]] = {
    events.LoanSubmitted: 0,
    events.ApplicationAmended: 1,
    events.LoanApproved: 2,
    events.ApprovalUndone: 3,
    events.LoanRejected: 4,
    events.LoanWithdrawn: 4,
}
_MONEY: Final[dict[type, int]] = {
    kind: place
    for place, kinds in enumerate(
        (
            (events.LoanDisbursed, events.DisbursalUndone),
            (events.RateChanged, events.LoanRescheduled),
            (events.ChargeAdded,),
            (events.OverdueCharged,),
            (events.ChargeWaived, events.InterestWaived),
            (events.PaymentRecorded,),
            (events.SuspenseApplied,),
            (events.PaymentReversed,),
            (events.LoanReamortized, events.LoanReAged),
            # These undo and follow one another: among them the later one of a day counts later.
            (events.LoanWrittenOff, events.WriteOffUndone, events.RecoveryReceived),
            (events.CreditRefunded,),
        )
    )
    for kind in kinds
}

Order = tuple[int, date | datetime, int, UUID]


def order_key(event: LoanEvent) -> Order:
    """Where `event` belongs among the events of its loan, whenever it arrived."""
    kind = type(event)
    if kind in _MONEY:
        return 2, event.value_date, _MONEY[kind], event.event_id
    if kind is events.LoanSubmitted:
        return 0, event.at, 0, event.event_id
    return 1, event.at, _ORIGINATION[kind], event.event_id


def moves_money(event: LoanEvent) -> bool:
    """Say whether `event` belongs to the life of a loan that is out."""
    return type(event) in _MONEY


def comes_after_payments(event: LoanEvent) -> bool:
    """Say whether `event` counts after the payments of its day."""
    return _MONEY.get(type(event), 0) > _MONEY[events.PaymentRecorded]

"""The order of a loan's events, whichever way they arrived.

First what precedes money, by its instant: application, amendments, decision. Then everything that
touches money: by value date, kind and id, so that a set of events is one loan and no other.

A payoff ends the loan as it was when it was quoted: of its day, what was entered before it counts
before it, whatever its kind, and what was entered after it counts after it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from domain.events import events
from domain.events.events import LoanEvent, PaymentRecorded, PaymentReversed

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

# On its day a payoff comes after all other kinds that were entered before it.
_PAYOFF: Final = 1 + max(_MONEY.values())

Order = tuple[int, date | datetime, int, int, UUID]


def order_of(events: Sequence[LoanEvent]) -> Callable[[LoanEvent], Order]:
    """Where each of `events` belongs among them, whenever it arrived: the key to sort them by."""
    payoffs = _standing_payoffs(events)
    if not payoffs:
        return _order
    return lambda event: _order(event, payoffs.get(event.value_date, ()))


def _order(event: LoanEvent, payoffs: Sequence[UUID] = ()) -> Order:
    """Where `event` belongs; `payoffs` are those of its day, in their order."""
    kind = type(event)
    if kind in _MONEY:
        part = bisect_left(payoffs, event.event_id)
        is_payoff = part < len(payoffs) and payoffs[part] == event.event_id
        place = _PAYOFF if is_payoff else _MONEY[kind]
        return 2, event.value_date, part, place, event.event_id
    if kind is events.LoanSubmitted:
        return 0, event.at, 0, 0, event.event_id
    return 1, event.at, 0, _ORIGINATION[kind], event.event_id


def _standing_payoffs(given: Sequence[LoanEvent]) -> dict[date, list[UUID]]:
    """The payoffs of each day, in their order, without those that were reversed."""
    made = [one for one in given if isinstance(one, PaymentRecorded) and one.is_payoff]
    if not made:
        return {}
    gone = {one.payment_id for one in given if isinstance(one, PaymentReversed)}
    by_day: dict[date, list[UUID]] = {}
    for one in made:
        if one.payment_id not in gone:
            by_day.setdefault(one.value_date, []).append(one.event_id)
    for ids in by_day.values():
        ids.sort()
    return by_day


def moves_money(event: LoanEvent) -> bool:
    """Say whether `event` belongs to the life of a loan that is out."""
    return type(event) in _MONEY


def comes_after_payments(event: LoanEvent) -> bool:
    """Say whether `event` counts after the payments of its day."""
    return _MONEY.get(type(event), 0) > _MONEY[events.PaymentRecorded]

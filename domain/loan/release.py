"""What happens to a running loan when money in suspense is let go: it pays, on its own day.

Whether it may be was decided before, in `domain/decisions/suspense.py`.
"""

from __future__ import annotations

from dataclasses import replace

from domain.events.events import SuspenseApplied
from domain.loan.evolve import counted, take
from domain.loan.working_loan import RunningLoan


def apply_suspended(running: RunningLoan, event: SuspenseApplied) -> None:
    """Take a payment out of suspense and let it pay, if it is there and the loan can have it."""
    recorded = running.suspended.pop(event.payment_id, None)
    if recorded is None or running.position is None or running.is_written_off:
        running.loan = counted(running.loan, event)
        return
    running.suspense -= recorded.amount_minor
    came = replace(
        recorded,
        event_id=event.event_id,
        at=event.at,
        value_date=event.value_date,
        in_suspense=False,
    )
    paid = take(running, came)
    # A further payment of this day comes before this event: it needs the history.
    running.loan = replace(running.loan, last_payment_event_id=None)
    applied = replace(paid, value_date=recorded.value_date, created_at=recorded.at)
    running.payments[:] = [applied if one.id == applied.id else one for one in running.payments]

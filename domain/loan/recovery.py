"""What happens to a running loan when money comes in after it was written off.

It pays no instalment: it is an income of its own, and the claim stays. Whether it may come was
decided before, in `domain/decisions/closing.py`.
"""

from __future__ import annotations

from dataclasses import replace

from domain.allocation.allocation import Allocation
from domain.events.events import RecoveryReceived
from domain.loan.evolve import counted, projection, settle
from domain.loan.payment import Payment, PaymentStatus
from domain.loan.working_loan import RunningLoan


def take_recovery(
    running: RunningLoan, event: RecoveryReceived, *, is_reversed: bool = False
) -> Payment:
    """Let a recovery come in; one that was reversed keeps its place and brings nothing."""
    status = PaymentStatus.REVERSED if is_reversed else PaymentStatus.POSTED
    if not is_reversed:
        running.recovered += event.amount_minor
    running.loan = counted(running.loan, event)
    settle(running, event.value_date)
    # A further payment of this day would come before this event: it needs the history.
    running.loan = replace(running.loan, last_payment_event_id=None)
    return projection(running.loan.terms.currency, event, status, Allocation(), running.owed)

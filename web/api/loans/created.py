"""What a command made on a loan, read after it: a charge, or the money of a recovery.

The command is answered with the loan it leads to, which a replay has as well. What was made is
named by the caller or, in a replay of a request that named nothing, by the event of that version.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from domain.identifiers import PaymentId
from domain.loan.decision import Committed
from domain.queries import ListLoanEvents, PageRequest, ReadPayment, ReadSchedule
from domain.reports.charges import ChargeStand
from domain.reports.views import LoanView, Page, PaymentView, ScheduleView
from web.responses.problems import Problem, outcome_unknown
from web.routing.call import Call

_EVENTS_AT_ONCE: Final = 200


async def payment_made(
    call: Call, done: Committed[LoanView], named: UUID | None, new: UUID
) -> PaymentView | Problem:
    """The payment that `done` made, under the id that the caller `named` or else a `new` one."""
    made = await _id_of(call, done, named, new, "payment_id")
    if isinstance(made, Problem):
        return made
    found = await call.ask(ReadPayment(PaymentId(made)), PaymentView)
    return outcome_unknown() if isinstance(found, Problem) else found


async def charge_made(
    call: Call, done: Committed[LoanView], named: UUID | None, new: UUID
) -> tuple[ChargeStand, ScheduleView] | Problem:
    """The charge that `done` made, and the schedule that it is in."""
    made = await _id_of(call, done, named, new, "charge_id")
    if isinstance(made, Problem):
        return made
    schedule = await call.ask(ReadSchedule(done.view.id, None), ScheduleView)
    if isinstance(schedule, Problem):
        return outcome_unknown()
    found = next((one for one in schedule.charges if one.charge_id == made), None)
    # Taken back meanwhile, together with the disbursement that it belonged to.
    return outcome_unknown() if found is None else (found, schedule)


async def _id_of(
    call: Call, done: Committed[LoanView], named: UUID | None, new: UUID, field: str
) -> UUID | Problem:
    if named is not None or not done.replayed:
        return named or new
    after: UUID | None = None
    while True:
        request = PageRequest(
            limit=_EVENTS_AT_ONCE, after=after, after_part=0, descending=True, with_total=False
        )
        page = await call.ask(ListLoanEvents(done.view.id, request), Page)
        if isinstance(page, Problem):
            return outcome_unknown()
        for event in page.items:
            if event.version == done.view.version:
                return UUID(event.data[field])
        after = page.next_after
        if after is None:
            return outcome_unknown()

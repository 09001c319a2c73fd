"""A loan's history as it is read: every event with its own fields, in the order of its keeping."""

from __future__ import annotations

from typing import Any

import pytest

from domain.queries import ListLoanEvents, PageRequest
from domain.reports.views import Page
from tests.persistence.store.office import EVERYTHING, Office
from tests.persistence.store.page_reading import there, whole

pytestmark = pytest.mark.store


async def test_a_history_names_each_event_with_its_own_fields(office: Office) -> None:
    loan = await office.loan()
    paid = (await office.pay(loan.id, "3.00")).view
    readings = office.store.readings

    async def read(page: PageRequest) -> Page[Any]:
        return there(await readings.events(ListLoanEvents(loan.id, page), EVERYTHING))

    assert [one.version for one in await whole(read, 3, descending=True)] == [4, 3, 2, 1]
    events = await whole(read, 2)
    assert [(event.version, event.type) for event in events] == [
        (1, "loan_submitted"),
        (2, "loan_approved"),
        (3, "loan_disbursed"),
        (4, "payment_recorded"),
    ]
    assert events[3].data == {
        "payment_id": str(paid.id),
        "amount_minor": 300,
        "method": "cash",
        "reference": "slip 1",
        "is_payoff": False,
        "in_suspense": False,
    }
    assert {event.currency for event in events} == {"EUR"}
    assert events[3].by == office.clerk.user_id

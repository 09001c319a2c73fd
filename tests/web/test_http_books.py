"""The books over HTTP: filters from an allow-list, cursors between entries, sums in words."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from domain.queries import ListAudit, ListJournalEntries, ReadArrears, ReadTrialBalance
from domain.reports.views import Page
from tests.web.standins import BRANCH_ID, LOAN_ID, USER_ID, House
from tests.web.told_of_loans import ARREARS, AUDIT_LINE, JOURNAL_ENTRY, TRIAL_BALANCE


async def told(response: Any) -> Any:
    return json.loads(await response.get_data())


async def test_a_page_of_entries_may_end_between_those_of_one_event(
    client: Any, house: House
) -> None:
    house.session.table = {
        ListJournalEntries: Page((JOURNAL_ENTRY,), JOURNAL_ENTRY.event_id, None, 3)
    }
    path = f"/journal/entries?loan_id={LOAN_ID}&account=cash&from=2026-01-01&to=2026-12-31&limit=1"
    response = await client.get(path, headers=house.bearer)
    page = await told(response)
    assert page["items"][0]["lines"] == [
        {"account": "cash", "side": "debit", "amount": "5.00"},
        {"account": "interest_income", "side": "credit", "amount": "5.00"},
    ]
    query = house.session.last
    assert (query.loan_id, query.account) == (LOAN_ID, "cash")
    assert (query.since, query.until) == (date(2026, 1, 1), date(2026, 12, 31))
    link = response.headers["Link"]
    assert (await client.get(link[1 : link.index(">")], headers=house.bearer)).status_code == 200
    place = house.session.last.page
    assert (place.after, place.after_part) == (JOURNAL_ENTRY.event_id, 3)


async def test_the_trial_balance_tells_each_currency_and_its_sums(
    client: Any, house: House
) -> None:
    house.session.table = {ReadTrialBalance: TRIAL_BALANCE}
    response = await client.get("/journal/trial-balance?on=2026-06-30", headers=house.bearer)
    assert house.session.last == ReadTrialBalance(date(2026, 6, 30), None)
    euros, yen = (await told(response))["currencies"]
    assert euros["accounts"][1] == {
        "account": "interest_income",
        "debit": "0.00",
        "credit": "3.00",
        "balance": "-3.00",
    }
    assert euros["totals"] == {"debit": "5.00", "credit": "5.00", "balance": "0.00"}
    assert yen["totals"] == {"debit": "7", "credit": "7", "balance": "0"}


async def test_the_audit_trail_takes_its_filters(client: Any, house: House) -> None:
    house.session.table = {ListAudit: Page((AUDIT_LINE,), None)}
    path = (
        f"/audit/?actor_id={USER_ID}&action=payment_recorded&entity_type=payment"
        f"&entity_id={AUDIT_LINE.entity_id}&from=2026-11-24&to=2026-11-24&sort=-created_at"
    )
    response = await client.get(path, headers=house.bearer)
    assert (await told(response))["items"][0]["after"] == {"status": "active"}
    query = house.session.last
    assert (query.actor_id, query.action, query.entity_type) == (
        USER_ID,
        "payment_recorded",
        "payment",
    )
    assert query.entity_id == AUDIT_LINE.entity_id
    assert (query.since, query.until) == (date(2026, 11, 24), date(2026, 11, 24))
    assert query.page.descending


async def test_arrears_are_told_by_currency_and_bucket(client: Any, house: House) -> None:
    house.session.table = {ReadArrears: ARREARS}
    path = f"/dashboard/arrears?as_of=2026-06-30&branch_id={BRANCH_ID}"
    arrears = await told(await client.get(path, headers=house.bearer))
    assert house.session.last == ReadArrears(date(2026, 6, 30), BRANCH_ID)
    (euros,) = arrears["portfolio"]
    assert (euros["outstanding"], euros["overdue"]) == ("3000.00", "123.45")
    assert (euros["par_30"], euros["par_30_percent"]) == ("1000.00", "33.33")
    assert euros["buckets"][1] == {
        "bucket": "31-60",
        "loans": 1,
        "outstanding": "1000.00",
        "overdue": "123.45",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/arrears?as_of=yesterday",
        "/journal/entries?account=petty_cash",
        "/journal/entries?loan_id=1",
        "/journal/entries?from=2026-02-30",
        "/journal/entries?from=2026-03-02&to=2026-03-01",
        "/journal/entries?memo=payment",
        "/journal/trial-balance?on=today",
        "/journal/trial-balance?on=",
        "/audit?action='%20OR%201=1",
        "/audit?entity_type=",
        "/audit?from=2026-03-02&to=2026-03-01",
        "/audit?secret=1",
    ],
)
async def test_a_filter_that_is_not_ours_is_400(client: Any, house: House, path: str) -> None:
    response = await client.get(path, headers=house.bearer)
    assert response.status_code == 400
    assert (await told(response))["code"] == "bad_parameter"
    assert not house.session.asked

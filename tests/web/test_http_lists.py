"""Lists go page by page, under a cursor of their own, filtered by what is allowed."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from domain.loan.arrears import DelinquencyTerms
from domain.loan.lifecycle import LoanStatus
from domain.loan.payment import PaymentStatus, PaymentType
from domain.queries import (
    ListLoans,
    ListPayments,
    ReadLoan,
    ReadSchedule,
)
from domain.reports.views import Page
from domain.terms.choices import DayCounting
from domain.terms.product import name_of
from domain.terms.terms import DelinquencyBucket
from tests.web.standins import (
    BRANCH_ID,
    LOAN,
    LOAN_ID,
    OTHER_USER_ID,
    PAYMENT,
    SCHEDULE,
    House,
    an_id,
)

LOAN_PATH = f"/loans/{LOAN_ID}"
TERMS: dict[str, object] = {
    "principal": "1250.00",
    "annual_rate_percent": "12.5",
    "instalments": 12,
    "frequency": {"every": 1, "unit": "MONTHS"},
}


async def told(response: Any) -> Any:
    return json.loads(await response.get_data())


async def test_a_list_goes_on_by_its_cursor(client: Any, house: House) -> None:
    house.session.table = {ListLoans: Page((LOAN,), an_id(70), 123)}
    path = f"/loans/?limit=1&status=active&include=total&customer_id={OTHER_USER_ID}"
    response = await client.get(path, headers=house.bearer)
    page = await told(response)
    assert page["total"] == 123
    link = response.headers["Link"]
    assert link.endswith('>; rel="next"')
    target = link[1 : link.index(">")]
    assert f"cursor={page['next_cursor']}" in target
    house.session.table = {ListLoans: Page((), None)}
    last = await client.get(target, headers=house.bearer)
    assert await told(last) == {"items": [], "next_cursor": None}
    assert "Link" not in last.headers
    query = house.session.last
    assert (query.page.after, query.page.limit) == (an_id(70), 1)
    assert (query.customer_id, query.status) == (OTHER_USER_ID, LoanStatus.ACTIVE)


@pytest.mark.parametrize(
    "other", ["/loans/?status=closed", "/payments/?limit=5", "/loans/?sort=-created_at"]
)
async def test_a_cursor_belongs_to_its_list(client: Any, house: House, other: str) -> None:
    house.session.table = {
        ListLoans: Page((LOAN,), an_id(70)),
        ListPayments: Page((PAYMENT,), None),
    }
    first = await told(await client.get("/loans/?status=active", headers=house.bearer))
    response = await client.get(f"{other}&cursor={first['next_cursor']}", headers=house.bearer)
    assert response.status_code == 400
    assert (await told(response))["parameter"] == "cursor"


async def test_a_cursor_may_change_the_size_of_its_page(client: Any, house: House) -> None:
    house.session.table = {ListLoans: Page((LOAN,), an_id(70))}
    first = await told(await client.get("/loans/?limit=5", headers=house.bearer))
    path = f"/loans?limit=50&cursor={first['next_cursor']}"
    assert (await client.get(path, headers=house.bearer)).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=1e2",
        "limit=",
        "limit=%D9%A2",
        "limit=99999999999999999999",
        "cursor=",
        "cursor=abc",
        "sort=balance;--",
        "sort=(CASE WHEN 1=1 THEN 1 END)",
        "include=everything",
        "status=open",
        "customer_id=1",
        "branch_id=*",
    ],
)
async def test_a_parameter_out_of_its_range_is_400(client: Any, house: House, query: str) -> None:
    response = await client.get(f"/loans/?{query}", headers=house.bearer)
    assert response.status_code == 400
    assert not house.session.asked


async def test_one_loan_is_read_with_all_its_terms(client: Any, house: House) -> None:
    house.session.table = {ReadLoan: LOAN, ListLoans: Page((LOAN,), None)}
    loan = await told(await client.get(LOAN_PATH, headers=house.bearer))
    assert LOAN.terms is not None
    assert loan["terms"].keys() == {name_of(field.name) for field in fields(LOAN.terms)}
    assert (loan["terms"]["principal"], loan["terms"]["dpd_count"]) == ("1250.00", "EXCLUSIVE")
    (listed,) = (await told(await client.get("/loans/", headers=house.bearer)))["items"]
    assert loan.keys() - listed.keys() == {"terms", "notes"}
    assert listed["flags"] == {"days_past_due": 4, "bucket": "1-30"}


async def test_a_loan_that_has_penalty_terms_keeps_them_and_says_that_nothing_comes_of_them(
    client: Any, house: House
) -> None:
    """U1: loans that are out were agreed with them, by a release that never charged them."""
    assert LOAN.terms is not None
    terms = replace(LOAN.terms, penalty_rate_percent=Decimal(24))
    house.session.table = {ReadLoan: LOAN._replace(terms=terms)}
    loan = await told(await client.get(LOAN_PATH, headers=house.bearer))
    assert loan["terms"]["penalty_rate_percent"] == "24"
    assert loan["notes"] == ["penalty_rate_percent: not charged by this release"]


@pytest.mark.parametrize(
    ("how", "status", "flags"),
    [
        (DelinquencyTerms(grace_days=3), "active", (1, "1-30")),
        (DelinquencyTerms(DayCounting.INCLUSIVE), "active", (5, "1-30")),
        (DelinquencyTerms(buckets=(DelinquencyBucket("late", 2, None),)), "active", (4, "late")),
        (DelinquencyTerms(grace_days=4), "active", (0, "current")),
    ],
)
async def test_lateness_is_counted_as_the_terms_say(
    client: Any,
    house: House,
    how: DelinquencyTerms | None,
    status: str,
    flags: tuple[int, str],
) -> None:
    late = LOAN._replace(delinquency=how, status=status)
    house.session.table = {ListLoans: Page((late,), None)}
    (listed,) = (await told(await client.get("/loans/", headers=house.bearer)))["items"]
    assert (listed["flags"]["days_past_due"], listed["flags"]["bucket"]) == flags


@pytest.mark.parametrize("status", [one for one in LoanStatus if one is not LoanStatus.ACTIVE])
async def test_a_loan_that_nobody_waits_for_is_neither_due_nor_late(
    client: Any, house: House, status: LoanStatus
) -> None:
    """U3: written off, paid back, rejected, withdrawn, or not paid out yet; its claim may stay."""
    assert LOAN.next_due_date is not None
    ended = LOAN._replace(status=str(status))
    house.session.table = {ReadLoan: ended, ListLoans: Page((ended,), None)}
    single = await told(await client.get(LOAN_PATH, headers=house.bearer))
    (listed,) = (await told(await client.get("/loans/", headers=house.bearer)))["items"]
    for shown in (single, listed):
        assert shown["next_due"] is None
        assert shown["flags"] == {"days_past_due": None, "bucket": None}
        assert shown["outstanding"]["total"] != "0.00"


async def test_payments_are_narrowed_by_what_they_are_and_became(client: Any, house: House) -> None:
    house.session.table = {ListPayments: Page((PAYMENT,), None)}
    path = f"/payments/?type=recovery&status=reversed&loan_id={LOAN_ID}"
    listed = await told(await client.get(path, headers=house.bearer))
    query = house.session.last
    assert (query.type, query.status) == (PaymentType.RECOVERY, PaymentStatus.REVERSED)
    assert listed["items"][0]["type"] == "payment"
    await client.get(f"/payments/loan/{LOAN_ID}?type=payment", headers=house.bearer)
    assert house.session.last.type is PaymentType.PAYMENT
    wrong = await client.get("/payments/?type=refund", headers=house.bearer)
    assert wrong.status_code == 400


async def test_lists_by_customer_status_and_loan(client: Any, house: House) -> None:
    house.session.table = {ListLoans: Page((), None), ListPayments: Page((), None)}
    await client.get(f"/loans/customer/{OTHER_USER_ID}?status=closed", headers=house.bearer)
    assert (house.session.last.customer_id, house.session.last.status) == (
        OTHER_USER_ID,
        LoanStatus.CLOSED,
    )
    await client.get("/loans/status/active/", headers=house.bearer)
    assert house.session.last.status is LoanStatus.ACTIVE
    assert (await client.get("/loans/status/none", headers=house.bearer)).status_code == 400
    await client.get(f"/loans?branch_id={BRANCH_ID}&sort=-created_at", headers=house.bearer)
    assert house.session.last.branch_id == BRANCH_ID
    assert house.session.last.page.descending
    await client.get(f"/payments/loan/{LOAN_ID}", headers=house.bearer)
    assert house.session.last.loan_id == LOAN_ID


async def test_a_schedule_may_be_asked_as_of_a_day(client: Any, house: House) -> None:
    house.session.table = {ReadSchedule: SCHEDULE}
    response = await client.get(f"{LOAN_PATH}/schedule?as_of=2026-12-01", headers=house.bearer)
    assert response.status_code == 200
    assert str(house.session.last.as_of) == "2026-12-01"
    row = (await told(response))["instalments"][0]
    assert (row["total_due"], row["status"]) == ("111.37", "overdue")
    wrong = await client.get(f"{LOAN_PATH}/schedule?as_of=today", headers=house.bearer)
    assert wrong.status_code == 400

"""What can be asked of a loan and of the books, over real sockets, and by whom."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

from tests.acceptance.node import active_loan, application, hire


async def test_a_loan_is_quoted_supposed_of_and_accounted_for(shared_node):
    node = shared_node
    staff = await hire(node)
    terms = {
        name: value
        for name, value in application(staff.customer_id).items()
        if name != "customer_id"
    }
    quote = await node.post(staff.customer, "/loans/quote", terms, expect=200)
    loan = await active_loan(node, staff)
    schedule = await node.get(staff.customer, f"/loans/{loan['id']}/schedule")
    asked = ("principal", "interest", "total_due", "balance")
    assert [[row[name] for name in asked] for row in quote["instalments"]] == [
        [row[name] for name in asked] for row in schedule["instalments"]
    ]
    for row in schedule["instalments"]:
        (line,) = row["interest_lines"]
        assert line["rounded"] == row["interest"]
        assert Decimal(line["balance"]) * Decimal(line["factor"]) == Decimal(line["unrounded"])

    day = (date.fromisoformat(quote["as_of"]) + timedelta(days=100)).isoformat()
    scenario = {"name": "early", "events": [{"type": "payoff", "date": day}]}
    path = f"/loans/{loan['id']}/what-if"
    supposed = await node.post(staff.officer, path, {"scenarios": [scenario]}, expect=200)
    (early,) = supposed["scenarios"]
    assert early["status"] == "closed"
    assert Decimal(early["difference"]["interest"]) < 0
    assert (await node.get(staff.officer, f"/loans/{loan['id']}"))["version"] == loan["version"]

    payment = await node.post(
        staff.officer, "/payments/", {"loan_id": loan["id"], "amount": "100.00"}
    )
    owed = await node.get(staff.customer, f"/loans/{loan['id']}/payoff")
    assert Decimal(owed["amount"]) > Decimal("1100.00") - Decimal(loan["outstanding"]["interest"])
    statement = await node.get(staff.customer, f"/loans/{loan['id']}/statement")
    told = [line["entry"] for line in statement["lines"]]
    assert told == ["disbursement", "interest", "payment"]
    assert statement["lines"][-1]["reference"] == payment["id"]
    async with node.client(staff.customer) as client:
        raw = (await client.get(f"/loans/{loan['id']}/statement.csv")).text
    rows = list(csv.DictReader(io.StringIO(raw)))
    assert rows[-1]["balance"] == statement["closing_balance"]

    first = await node.get(staff.customer, f"/loans/{loan['id']}/events?limit=3&include=total")
    async with node.client(staff.customer) as client:
        rest = await client.get(
            f"/loans/{loan['id']}/events",
            params={"limit": 3, "include": "total", "cursor": first["next_cursor"]},
        )
    events = [*first["items"], *rest.json()["items"]]
    assert [event["type"] for event in events] == [
        "loan_submitted",
        "loan_approved",
        "loan_disbursed",
        "payment_recorded",
    ]


async def test_the_books_are_read_by_who_may_and_balance(shared_node):
    node = shared_node
    staff = await hire(node)
    loan = await active_loan(node, staff)
    await node.post(staff.officer, "/payments/", {"loan_id": loan["id"], "amount": "100.00"})
    entries = await node.get(staff.manager, f"/journal/entries?loan_id={loan['id']}")
    assert [entry["memo"] for entry in entries["items"]] == ["disbursement", "payment"]
    for entry in entries["items"]:
        sums = {"debit": Decimal(0), "credit": Decimal(0)}
        for line in entry["lines"]:
            sums[line["side"]] += Decimal(line["amount"])
        assert sums["debit"] == sums["credit"] > 0
    for reader in (staff.manager, staff.admin):
        balance = await node.get(reader, "/journal/trial-balance")
        assert balance["currencies"]
        assert all(Decimal(one["totals"]["balance"]) == 0 for one in balance["currencies"])
    audit = await node.get(staff.manager, f"/audit?entity_id={loan['id']}&action=loan_disbursed")
    assert [line["actor_id"] for line in audit["items"]] == [staff.officer_id]
    for path in ("/journal/entries", "/journal/trial-balance", "/audit"):
        for stranger in (staff.officer, staff.customer):
            assert (await node.get(stranger, path, expect=403))["code"] == "not_allowed"


async def test_the_arrears_of_a_book_are_told_for_any_day(shared_node):
    node = shared_node
    staff = await hire(node)
    loan = await active_loan(node, staff)
    schedule = await node.get(staff.customer, f"/loans/{loan['id']}/schedule")
    (now,) = (await node.get(staff.customer, "/dashboard/arrears"))["portfolio"]
    assert [row["bucket"] for row in now["buckets"]] == ["current"]
    assert (now["loans"], now["outstanding"], now["par_30"]) == (1, "1200.00", "0.00")
    second = date.fromisoformat(schedule["instalments"][1]["due_date"])
    path = f"/dashboard/arrears?as_of={second + timedelta(days=1)}"
    (later,) = (await node.get(staff.customer, path))["portfolio"]
    owed = sum(Decimal(row["total_due"]) for row in schedule["instalments"][:2])
    assert Decimal(later["overdue"]) == owed
    assert later["par_30_percent"] == "100.00"
    before = date.fromisoformat(schedule["as_of"]) - timedelta(days=1)
    path = f"/dashboard/arrears?as_of={before}"
    assert (await node.get(staff.customer, path))["portfolio"] == []


async def test_what_is_out_of_sight_can_neither_be_read_nor_supposed_of(shared_node):
    node = shared_node
    staff, others = await hire(node), await hire(node)
    loan = await active_loan(node, staff)
    path = f"/loans/{loan['id']}"
    for page in ("schedule", "events", "payoff", "statement", "statement.csv"):
        await node.get(others.customer, f"{path}/{page}", expect=404)
    scenarios: dict[str, object] = {"scenarios": [{"events": []}]}
    await node.post(others.customer, f"{path}/what-if", scenarios, expect=404)

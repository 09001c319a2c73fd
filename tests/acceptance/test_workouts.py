"""What can be done to a loan that is out, told as stories over real sockets."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.acceptance.node import Node, Staff, active_loan, application, hire


class Desk:
    """One loan in the hands of an officer and a manager."""

    def __init__(self, node: Node, staff: Staff, loan: dict[str, Any]) -> None:
        self.node, self.staff, self.loan = node, staff, loan

    async def officer(self, verb: str, body: object = None, expect: int = 200) -> Any:
        path = f"/loans/{self.loan['id']}/{verb}"
        return await self.node.post(self.staff.officer, path, body, expect)

    async def manager(self, verb: str, body: object = None, expect: int = 200) -> Any:
        path = f"/loans/{self.loan['id']}/{verb}"
        return await self.node.post(self.staff.manager, path, body, expect)

    async def now(self) -> Any:
        return await self.node.get(self.staff.officer, f"/loans/{self.loan['id']}")

    async def rows(self) -> list[Any]:
        told = await self.node.get(self.staff.officer, f"/loans/{self.loan['id']}/schedule")
        rows: list[Any] = told["instalments"]
        return rows

    async def pay(self, amount: str, expect: int = 201, **more: object) -> Any:
        body = {"loan_id": self.loan["id"], "amount": amount, **more}
        return await self.node.post(self.staff.officer, "/payments/", body, expect)


async def a_desk(node: Node, **terms: object) -> Desk:
    staff = await hire(node)
    return Desk(node, staff, await active_loan(node, staff, **terms))


async def test_a_loan_goes_out_in_parts_and_comes_back(shared_node):
    node, staff = shared_node, await hire(shared_node)
    terms = {"tranches_max": 2, "instalment_formula": "PROGRESSIVE"}
    loan = await node.post(staff.officer, "/loans/", application(staff.customer_id, **terms))
    desk = Desk(node, staff, loan)
    await desk.manager("approve")
    back = await desk.manager("undo-approval")
    assert back["status"] == "submitted"
    await desk.manager("approve")
    part = {"amount": "500.00", "id": str(uuid.uuid4())}
    first = await desk.officer("disburse", part)
    assert first["outstanding"]["principal"] == "500.00"
    assert await desk.officer("disburse", part) == first
    refused = await desk.manager("disburse", {"amount": "700.00"}, expect=403)
    assert refused["code"] == "four_eyes"
    await desk.officer("disburse", {"amount": "700.01"}, expect=422)
    whole = await desk.officer("disburse", {"amount": "700.00"})
    assert whole["outstanding"]["principal"] == "1200.00"
    refused = await desk.officer("disburse", {"amount": "1.00"}, expect=409)
    assert (refused["event"], refused["state"]) == ("disburse further", "active")
    assert (await desk.officer("undo-disbursal"))["outstanding"]["principal"] == "500.00"
    assert (await desk.officer("undo-disbursal"))["status"] == "approved"
    assert (await desk.now())["outstanding"]["total"] == "0.00"


async def test_charges_are_asked_for_waived_and_paid(shared_node):
    desk = await a_desk(shared_node)
    charge = {"amount": "10.00", "id": str(uuid.uuid4())}
    charged = await desk.officer("charge", charge, expect=201)
    assert (charged["id"], charged["outstanding"]) == (charge["id"], "10.00")
    assert await desk.officer("charge", charge, expect=201) == charged
    assert (await desk.now())["outstanding"]["fees"] == "10.00"
    await desk.officer("charge", {**charge, "amount": "11.00"}, expect=409)
    percent = {"percent": "2", "kind": "penalty"}
    assert (await desk.officer("charge", percent, expect=201))["outstanding"] == "24.00"
    await desk.officer("waive", {"charge_id": charge["id"]}, expect=403)
    waived = await desk.manager("waive", {"charge_id": charge["id"]})
    assert waived["outstanding"]["fees"] == "0.00"
    await desk.manager("waive", {"charge_id": charge["id"]}, expect=409)
    await desk.manager("waive", {"charge_id": str(uuid.uuid4())}, expect=404)
    owed = Decimal(waived["outstanding"]["interest"])
    less = await desk.manager("waive", {"interest": "1.00"})
    assert Decimal(less["outstanding"]["interest"]) == owed - 1
    paid = await desk.pay("30.00")
    assert paid["allocation"]["penalties"] == "24.00"
    refused = await desk.officer("charge-overdue", {"percent": "1"}, expect=409)
    assert refused["code"] == "nothing_to_do"


async def test_fees_are_withheld_of_what_goes_out_or_due_that_day(shared_node):
    node, staff = shared_node, await hire(shared_node)
    fees = [{"percent": "1.5"}, {"amount": "7.00", "collection": "DUE"}]
    terms = application(staff.customer_id, disbursement_fees=fees)
    quoted = {name: value for name, value in terms.items() if name != "customer_id"}
    quote = await node.post(staff.officer, "/loans/quote", quoted, 200)
    dearer = Decimal(quote["effective_rate_percent"])
    plain = await node.post(staff.officer, "/loans/quote", {**quoted, "disbursement_fees": []}, 200)
    assert dearer > Decimal(plain["effective_rate_percent"])
    loan = await node.post(staff.officer, "/loans/", terms)
    desk = Desk(node, staff, loan)
    await desk.manager("approve")
    assert (await desk.officer("disburse"))["outstanding"]["fees"] == "7.00"
    back = await desk.officer("undo-disbursal")
    assert (back["status"], back["outstanding"]["total"]) == ("approved", "0.00")
    assert (await desk.officer("disburse"))["outstanding"]["fees"] == "7.00"
    told = await node.get(staff.officer, f"/loans/{loan['id']}/schedule")
    (out,) = told["disbursements"]
    assert (out["amount"], out["fees_withheld"], out["net_amount"]) == (
        "1200.00",
        "18.00",
        "1182.00",
    )
    path = f"/loans/{loan['id']}/charges"
    charges = (await node.get(staff.officer, path))["charges"]
    assert [(one["amount"], one["paid"], one["instalment"]) for one in charges] == [
        ("18.00", "18.00", None),
        ("7.00", "0.00", 1),
    ]
    await desk.manager("waive", {"charge_id": charges[1]["id"]})
    assert (await node.get(staff.officer, path))["totals"]["outstanding"] == "0.00"
    statement = await node.get(staff.officer, f"/loans/{loan['id']}/statement")
    assert "fees_withheld" in {line["entry"] for line in statement["lines"]}


async def test_a_rate_changes_and_a_plan_is_made_anew(shared_node):
    desk = await a_desk(shared_node, instalment_formula="PROGRESSIVE")
    rows = await desk.rows()
    before = Decimal((await desk.now())["outstanding"]["interest"])
    change = {"effective": rows[2]["due_date"], "annual_rate_percent": "6"}
    cheaper = await desk.manager("rate-change", change)
    assert Decimal(cheaper["outstanding"]["interest"]) < before
    later = {"from_date": rows[5]["due_date"], "annual_rate_percent": "3"}
    cheapest = await desk.manager("reschedule", later)
    assert Decimal(cheapest["outstanding"]["interest"]) < Decimal(
        cheaper["outstanding"]["interest"]
    )
    refused = await desk.manager("re-amortize", expect=409)
    assert refused["code"] == "nothing_to_do"
    monthly = {"every": 1, "unit": "MONTHS"}
    plan = {"start_date": rows[0]["due_date"], "frequency": monthly, "instalments": 24}
    await desk.manager("re-age", plan)
    assert len([row for row in await desk.rows() if row["outstanding"] != "0.00"]) == 24
    beyond = {"effective": rows[2]["due_date"], "annual_rate_percent": "2000"}
    refused = await desk.manager("rate-change", beyond, expect=422)
    assert refused["errors"][0]["pointer"] == "/annual_rate_percent"


async def test_hope_is_given_up_and_money_comes_after_all(shared_node):
    desk = await a_desk(shared_node)
    await desk.officer("write-off", expect=403)
    gone = await desk.manager("write-off", {"reason": "moved away"})
    assert gone["status"] == "written_off"
    refused = await desk.pay("10.00", expect=409)
    assert (refused["event"], refused["state"]) == ("pay", "written_off")
    assert (await desk.manager("undo-write-off"))["status"] == "active"
    await desk.manager("write-off")
    receipt = {"amount": "55.00", "id": str(uuid.uuid4())}
    came = await desk.officer("recover", receipt, expect=201)
    assert (came["id"], came["amount"], came["type"]) == (receipt["id"], "55.00", "recovery")
    assert await desk.officer("recover", receipt, expect=201) == came
    assert (await desk.now())["status"] == "written_off"
    await desk.officer("recover", {**receipt, "amount": "56.00"}, expect=409)
    refused = await desk.manager("undo-write-off", expect=409)
    assert refused["code"] == "already_paid"
    path = f"/loans/{desk.loan['id']}/events?limit=200"
    events = (await desk.node.get(desk.staff.officer, path))["items"]
    assert [event["type"] for event in events].count("recovery_received") == 1


async def test_a_recovery_entered_by_mistake_is_undone(shared_node):
    desk = await a_desk(shared_node)
    await desk.manager("write-off", {"reason": "moved away"})
    made = str(uuid.uuid4())
    await desk.officer("recover", {"amount": "55.00", "id": made}, expect=201)
    node, officer = desk.node, desk.staff.officer
    path = f"/payments/?loan_id={desk.loan['id']}&type=recovery"
    (listed,) = (await node.get(officer, path))["items"]
    assert (listed["id"], listed["type"], listed["status"]) == (made, "recovery", "posted")
    assert (await node.get(officer, f"/payments/{made}"))["amount"] == "55.00"
    async with node.client(officer) as client:
        seen = (await client.delete(f"/payments/{made}?dry_run=true")).json()
        assert [change["after"]["status"] for change in seen["payments"]] == ["reversed"]
        assert (await node.get(officer, f"/payments/{made}"))["status"] == "posted"
        undone = (await client.delete(f"/payments/{made}")).json()
        again = await client.delete(f"/payments/{made}")
    assert (undone["status"], undone["type"]) == ("reversed", "recovery")
    assert (again.status_code, again.json()["code"]) == (409, "already_reversed")
    entries = await node.get(desk.staff.manager, f"/journal/entries?loan_id={desk.loan['id']}")
    memos = [one["memo"] for one in entries["items"] if one["payment_id"] == made]
    assert memos == ["recovery", "reversal"]
    audit = (await node.get(desk.staff.manager, f"/audit?entity_id={made}"))["items"]
    assert {one["action"] for one in audit} == {"recovery_received", "payment_reversed"}
    assert (await desk.manager("undo-write-off"))["status"] == "active"


async def test_what_is_paid_too_much_goes_back(shared_node):
    desk = await a_desk(shared_node)
    paid = await desk.officer("payoff", {"id": str(uuid.uuid4())}, expect=201)
    assert paid["amount"] == "1200.00"
    assert (await desk.now())["status"] == "closed"
    refused = await desk.officer("payoff", expect=409)
    assert refused["state"] == "closed"
    again = await a_desk(shared_node)
    await again.pay("1500.00")
    credit = Decimal((await again.now())["credit"])
    assert (await again.now())["status"] == "overpaid"
    refused = await again.officer("refund", {"amount": str(credit + 1)}, expect=422)
    assert refused["errors"][0]["pointer"] == "/amount"
    # Whoever recorded what was paid too much does not give it back as well.
    assert (await again.officer("refund", expect=403))["code"] == "four_eyes"
    assert (await again.manager("refund", {"amount": "1.00"}))["status"] == "overpaid"
    assert (await again.manager("refund"))["status"] == "closed"


async def test_an_overdue_loan_is_charged_once_and_spread(shared_node):
    node, staff = shared_node, await hire(shared_node)
    loan = await node.post(staff.officer, "/loans/", application(staff.customer_id))
    desk = Desk(node, staff, loan)
    await desk.manager("approve")
    today = (await desk.now())["created_at"][:10]
    begun = date.fromisoformat(today) - timedelta(days=100)
    await desk.officer("disburse", {"date": begun.isoformat()})
    late = await desk.now()
    assert late["flags"]["days_past_due"] > 0
    charged = await desk.officer("charge-overdue", {"percent": "10", "base": "principal"})
    penalties = charged["outstanding"]["penalties"]
    assert Decimal(penalties) > 0
    again = await desk.officer("charge-overdue", {"percent": "10", "base": "principal"})
    assert again["outstanding"]["penalties"] == penalties
    spread = await desk.manager("re-amortize")
    # What was overdue is owed over the instalments to come; penalties stay where they are due.
    assert spread["outstanding"]["penalties"] == penalties
    assert spread["outstanding"]["principal"] == late["outstanding"]["principal"]


async def test_a_payment_is_reversed_with_a_reason_and_once_for_a_key(shared_node):
    """U8: beside DELETE, which goes on to work without a reason."""
    desk = await a_desk(shared_node)
    paid = await desk.pay("20.00")
    path = f"/payments/{paid['id']}/reverse"
    async with desk.node.client(desk.staff.officer) as client:
        empty = await client.post(path, json={})
        told = await client.post(path, json={"reason": "why"}, params={"dry_run": "true"})
        body, key = {"reason": "typed twice"}, {"Idempotency-Key": str(uuid.uuid4())}
        first = await client.post(path, json=body, headers=key)
        again = await client.post(path, json=body, headers=key)
        late = await client.post(path, json=body)
        read = (await client.get(f"/payments/{paid['id']}")).json()
        events = (await client.get(f"/loans/{desk.loan['id']}/events")).json()["items"]
    assert empty.status_code == 422, empty.text
    assert empty.json()["errors"][0]["pointer"] == "/reason"
    assert told.status_code == first.status_code == again.status_code == 200
    assert first.json() == again.json() == read
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (read["status"], read["reversal_reason"]) == ("reversed", "typed twice")
    assert (late.status_code, late.json()["code"]) == (409, "already_reversed")
    (undone,) = [one for one in events if one["type"] == "payment_reversed"]
    assert undone["data"]["reason"] == "typed twice"

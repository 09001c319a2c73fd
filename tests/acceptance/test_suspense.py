"""Money that has come in is kept, whatever became of the loan; somebody decides about it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.acceptance.node import active_loan, application, hire


async def test_money_for_a_loan_that_is_not_out_waits_until_it_is(shared_node):
    node, staff = shared_node, await hire(shared_node)
    loan = await node.post(staff.officer, "/loans/", application(staff.customer_id))
    receipt = {"loan_id": loan["id"], "amount": "50.00"}
    refused = await node.post(staff.officer, "/payments/", receipt, expect=409)
    assert (refused["event"], refused["state"]) == ("pay", "submitted")
    kept = await node.post(staff.officer, "/payments/", {**receipt, "already_received": True})
    assert kept["status"] == "suspense"
    waiting = f"/payments/?status=suspense&loan_id={loan['id']}"
    assert [one["id"] for one in (await node.get(staff.officer, waiting))["items"]] == [kept["id"]]
    path = f"/payments/{kept['id']}/apply"
    refused = await node.post(staff.officer, path, expect=409)
    assert (refused["event"], refused["state"]) == ("pay", "submitted")

    await node.post(staff.manager, f"/loans/{loan['id']}/approve", expect=200)
    await node.post(staff.officer, f"/loans/{loan['id']}/disburse", expect=200)
    await node.post(staff.customer, path, expect=403)
    applied = await node.post(staff.officer, path, expect=200)
    assert (applied["status"], applied["allocation"]["excess"]) == ("posted", "0.00")
    assert (await node.get(staff.officer, waiting))["items"] == []
    refused = await node.post(staff.officer, path, expect=409)
    assert (refused["code"], refused["state"]) == ("not_in_suspense", "posted")
    async with node.client(staff.officer) as client:
        undone = (await client.delete(f"/payments/{kept['id']}")).json()
    assert undone["status"] == "reversed"
    now = await node.get(staff.officer, f"/loans/{loan['id']}")
    assert now["outstanding"]["principal"] == "1200.00"


async def test_money_for_a_closed_loan_is_kept_and_given_back(shared_node):
    node, staff = shared_node, await hire(shared_node)
    loan = await active_loan(node, staff)
    await node.post(staff.officer, f"/loans/{loan['id']}/payoff")
    receipt = {"loan_id": loan["id"], "amount": "5.00", "already_received": True}
    kept = await node.post(staff.officer, "/payments/", receipt)
    assert kept["status"] == "suspense"
    waiting = Decimal((await balances(node, staff))["suspense"])
    async with node.client(staff.officer) as client:
        back = (await client.delete(f"/payments/{kept['id']}")).json()
        again = await client.delete(f"/payments/{kept['id']}")
    assert (back["status"], again.status_code) == ("reversed", 409)
    gone = Decimal((await balances(node, staff))["suspense"]) - waiting
    assert abs(gone) == 5, "and whoever asks the books is told so"
    assert (await node.get(staff.officer, f"/loans/{loan['id']}"))["status"] == "closed"


async def balances(node: Any, staff: Any) -> dict[str, str]:
    """What stands on each account in euros, over the whole node."""
    told = await node.get(staff.admin, "/journal/trial-balance")
    euros = next(one for one in told["currencies"] if one["currency"] == "EUR")
    return {line["account"]: line["balance"] for line in euros["accounts"]}

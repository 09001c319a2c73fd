"""Back-dating and undoing a payment: seen before it is done, and done as it was seen."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from tests.acceptance.node import application, hire


def told(change: dict[str, Any]) -> tuple[str, str, str]:
    return change["id"], change["difference"]["principal"], change["difference"]["interest"]


async def test_what_an_undone_payment_would_change_is_seen_first(shared_node):
    node, staff = shared_node, await hire(shared_node)
    loan = await node.post(staff.officer, "/loans/", application(staff.customer_id))
    await node.post(staff.manager, f"/loans/{loan['id']}/approve", expect=200)
    begun = date.fromisoformat(loan["created_at"][:10]) - timedelta(days=100)
    path = f"/loans/{loan['id']}/disburse"
    await node.post(staff.officer, path, {"date": begun.isoformat()}, expect=200)

    def receipt(amount: str, days: int) -> dict[str, Any]:
        day = begun + timedelta(days=days)
        body = {"loan_id": loan["id"], "amount": amount, "value_date": day.isoformat()}
        return {**body, "id": str(uuid.uuid4())}

    first = await node.post(staff.officer, "/payments/", receipt("100.00", 40))
    second = await node.post(staff.officer, "/payments/", receipt("100.00", 70))
    before = await node.get(staff.officer, f"/loans/{loan['id']}")

    earlier = receipt("50.00", 10)
    seen = await node.post(staff.officer, "/payments/?dry_run=true", earlier, expect=200)
    assert seen["dry_run"]
    assert [change["id"] for change in seen["payments"]] == [
        earlier["id"],
        first["id"],
        second["id"],
    ]
    assert seen["payments"][0]["before"] is None
    assert seen["before"]["outstanding"] == before["outstanding"]["total"]
    assert await node.get(staff.officer, f"/loans/{loan['id']}") == before, "nothing was written"
    await node.get(staff.officer, f"/payments/{earlier['id']}", expect=404)

    await node.post(staff.officer, "/payments/", earlier)
    changed = await node.get(staff.officer, f"/payments/{first['id']}")
    assert changed["allocation"] == seen["payments"][1]["after"]["allocation"]

    async with node.client(staff.officer) as client:
        undone = f"/payments/{earlier['id']}"
        foreseen = (await client.delete(f"{undone}?dry_run=true")).json()
        assert foreseen["payments"][0]["after"]["status"] == "reversed"
        assert {told(change)[0] for change in foreseen["payments"]} == {
            earlier["id"],
            first["id"],
            second["id"],
        }
        assert foreseen["after"]["outstanding"] == before["outstanding"]["total"]
        assert (await client.get(undone)).json()["status"] == "posted"
        assert (await client.delete(undone)).json()["status"] == "reversed"
        again = await client.delete(f"{undone}?dry_run=true")
        assert (again.status_code, again.json()["code"]) == (409, "already_reversed")
        after = (await client.get(f"/loans/{loan['id']}")).json()
    assert after["outstanding"] == before["outstanding"]
    async with node.client(staff.customer) as client:
        refused = await client.delete(f"/payments/{first['id']}?dry_run=true")
        assert refused.status_code == 403

"""An administrator tells everybody of maintenance: once, in order, and to those who come later."""

from __future__ import annotations

import json

from tests.acceptance.node import hire
from tests.acceptance.test_story import hear

PATH = "/notifications/maintenance"
WINDOW = {
    "message": "A new release",
    "starts_at": "2026-11-24T22:00:00+02:00",
    "ends_at": "2026-11-24T21:00:00Z",
}


async def test_everybody_hears_of_maintenance_once_and_it_is_in_the_audit_trail(node):
    staff = await hire(node)
    async with (
        node.listen(staff.customer_id, staff.customer) as customer,
        node.listen(staff.officer_id, staff.officer) as officer,
    ):
        position = (await hear(customer, "welcome"))["position"]
        await hear(officer, "welcome")
        async with node.client(staff.admin) as client:
            key = {"Idempotency-Key": f"release-{staff.customer_id}"}
            answers = [await client.post(PATH, json=WINDOW, headers=key) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        first, again = (answer.json() for answer in answers)
        assert first == again
        assert first["starts_at"] == "2026-11-24T20:00:00Z"
        told = [
            (await hear(socket, "system_maintenance"))["data"] for socket in (customer, officer)
        ]
        assert told[0] == told[1]
        assert told[0] == {
            "announcement_id": first["id"],
            "message": "A new release",
            "starts_at": "2026-11-24T20:00:00+00:00",
            "ends_at": "2026-11-24T21:00:00+00:00",
        }
    async with node.listen(staff.customer_id, staff.customer) as customer:
        types = ["system_maintenance"]
        subscribe = {"type": "subscribe", "notification_types": types, "since": position}
        await customer.send_message(json.dumps(subscribe))
        assert (await hear(customer, "system_maintenance"))["data"] == told[0]
        assert (await hear(customer, "subscribed"))["recovered"] is True
    trail = await node.get(staff.admin, "/audit?action=maintenance_announced&limit=200")
    assert [line["after"] for line in trail["items"]].count(told[0]) == 1


async def test_only_an_administrator_may_and_what_makes_no_sense_is_refused(shared_node):
    node = shared_node
    staff = await hire(node)
    refused = await node.post(staff.manager, PATH, WINDOW, expect=403)
    assert refused["code"] == "not_allowed"
    wrong = {"message": " ", "starts_at": "2026-11-24T20:00:00", "ends_at": "soon"}
    refused = await node.post(staff.admin, PATH, wrong, expect=422)
    assert {fault["pointer"] for fault in refused["errors"]} == {
        "/message",
        "/starts_at",
        "/ends_at",
    }
    backwards = {**WINDOW, "ends_at": "2026-11-24T20:00:00Z"}
    refused = await node.post(staff.admin, PATH, backwards, expect=422)
    assert [fault["pointer"] for fault in refused["errors"]] == ["/ends_at"]

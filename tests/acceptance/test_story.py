"""The story of one loan, told over real sockets."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.acceptance.node import ADMIN, PASSWORD, SETTINGS, active_loan, application, hire

PATIENCE_S = 180


async def hear(socket: Any, wanted: str, patience_s: float = PATIENCE_S) -> dict[str, Any]:
    """The next message of the wanted type; heartbeats may come between."""
    with trio.fail_after(patience_s):
        while True:
            message: dict[str, Any] = json.loads(await socket.get_message())
            if message["type"] == wanted:
                return message


async def test_a_loan_is_applied_for_approved_disbursed_and_paid_and_everyone_hears(node):
    staff = await hire(node)
    async with node.listen(staff.officer_id, staff.officer) as socket:
        welcome = await hear(socket, "welcome")
        assert welcome["user_id"] == staff.officer_id
        assert welcome["heartbeat_interval"] == float(SETTINGS["WS_HEARTBEAT_INTERVAL"])

        loan = await node.post(staff.officer, "/loans/", application(staff.customer_id))
        assert loan["status"] == "submitted"
        heard = await hear(socket, "new_application")
        assert heard["data"]["loan_id"] == loan["id"]

        approved = await node.post(staff.manager, f"/loans/{loan['id']}/approve", expect=200)
        assert approved["status"] == "approved"
        change = await hear(socket, "loan_status_change")
        assert (change["data"]["old_status"], change["data"]["new_status"]) == (
            "submitted",
            "approved",
        )
        active = await node.post(staff.officer, f"/loans/{loan['id']}/disburse", expect=200)
        assert active["status"] == "active"
        assert (await hear(socket, "loan_status_change"))["data"]["new_status"] == "active"

        schedule = await node.get(staff.officer, f"/loans/{loan['id']}/schedule")
        rows = schedule["instalments"]
        assert len(rows) == 12
        assert sum(Decimal(row["principal"]) for row in rows) == Decimal("1200.00")

        first = rows[0]["total_due"]
        payment = await node.post(
            staff.officer, "/payments/", {"loan_id": loan["id"], "amount": first}
        )
        assert payment["status"] == "posted"
        assert payment["allocation"]["principal"] == rows[0]["principal"]
        assert payment["allocation"]["interest"] == rows[0]["interest"]
        heard = await hear(socket, "payment_recorded")
        assert heard["data"]["payment_id"] == payment["id"]

        after = await node.get(staff.officer, f"/loans/{loan['id']}")
        assert Decimal(after["outstanding"]["principal"]) == Decimal("1200.00") - Decimal(
            rows[0]["principal"]
        )
        assert after["outstanding"]["total"] == payment["outstanding_after"]

    stats = await node.get(staff.customer, "/dashboard/stats")
    assert stats["loans"]["by_status"] == {"active": 1}
    assert stats["payments"]["today"]["count"] == 1


async def test_a_customer_hears_of_his_own_loan_and_sees_no_other(shared_node):
    node = shared_node
    staff = await hire(node)
    other = await node.post(
        staff.officer,
        "/users/",
        {
            "email": f"other-{staff.customer_id}@example.com",
            "password": PASSWORD,
            "full_name": "Another",
            "role": "customer",
        },
    )
    async with node.listen(staff.customer_id, staff.customer) as socket:
        await hear(socket, "welcome")
        foreign = await node.post(staff.officer, "/loans/", application(other["id"]))
        own = await node.post(staff.officer, "/loans/", application(staff.customer_id))
        # The feed is in the order of commits: the first thing heard is of the second loan.
        assert (await hear(socket, "new_application"))["data"]["loan_id"] == own["id"]
    await node.get(staff.customer, f"/loans/{foreign['id']}", expect=404)
    mine = await node.get(staff.customer, "/loans/")
    assert [loan["id"] for loan in mine["items"]] == [own["id"]]


async def test_subscribe_narrows_what_is_heard(shared_node):
    node = shared_node
    staff = await hire(node)
    async with node.listen(staff.officer_id) as socket:
        await socket.send_message(json.dumps({"type": "authenticate", "token": staff.officer}))
        await hear(socket, "welcome")
        await socket.send_message(
            json.dumps({"type": "subscribe", "notification_types": ["payment_recorded"]})
        )
        assert (await hear(socket, "subscribed"))["notification_types"] == ["payment_recorded"]
        loan = await active_loan(node, staff)
        await node.post(staff.officer, "/payments/", {"loan_id": loan["id"], "amount": "50.00"})
        with trio.fail_after(PATIENCE_S):
            while (message := json.loads(await socket.get_message()))["type"] == "heartbeat":
                pass
        assert message["type"] == "payment_recorded"


async def test_a_repeated_payment_is_made_once(shared_node):
    node = shared_node
    staff = await hire(node)
    loan = await active_loan(node, staff)
    body = {"loan_id": loan["id"], "amount": "10.00"}
    answers = []

    async def pay() -> None:
        async with node.client(staff.officer) as client:
            answer = await client.post(
                "/payments/", json=body, headers={"Idempotency-Key": "receipt-1"}
            )
            answers.append((answer.status_code, answer.json().get("id")))

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(pay)
    assert {status for status, _ in answers} == {201}
    assert len({payment_id for _, payment_id in answers}) == 1
    listed = await node.get(staff.officer, f"/payments/loan/{loan['id']}")
    assert len(listed["items"]) == 1


async def test_four_eyes_and_the_life_cycle_are_kept(shared_node):
    node = shared_node
    staff = await hire(node)
    loan = await node.post(staff.manager, "/loans/", application(staff.customer_id))
    refused = await node.post(staff.manager, f"/loans/{loan['id']}/approve", expect=403)
    assert refused["code"] == "four_eyes"
    refused = await node.post(staff.officer, f"/loans/{loan['id']}/disburse", expect=409)
    assert (refused["event"], refused["state"]) == ("disburse", "submitted")


async def test_signing_out_ends_the_token_and_its_sockets_at_once(shared_node):
    node = shared_node
    staff = await hire(node)
    async with node.listen(staff.officer_id, staff.officer) as socket:
        await hear(socket, "welcome")
        async with node.client(staff.officer) as client:
            assert (await client.post("/auth/logout")).status_code == 204
        with trio.fail_after(PATIENCE_S), pytest.raises(ConnectionClosed) as closed:
            await hear(socket, "nothing of the kind")
        assert closed.value.reason.code == 4401
    await node.get(staff.officer, "/auth/me", expect=401)


async def test_the_system_pages_answer_without_signing_in(shared_node):
    for path in ("/", "/health", "/health/live", "/health/ready", "/openapi.json"):
        await shared_node.get(None, path)
    async with shared_node.client() as client:
        page = await client.get("/docs")
    assert page.status_code == 200
    assert "://" not in page.text.replace(shared_node.url, "")


async def test_the_right_binaries_run(shared_node):
    """Nothing that happens to be installed may have served the test."""
    pids = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and str(shared_node.home).encode() in command_line(entry)
    ]
    programs = {str((Path("/proc") / str(pid) / "exe").resolve()) for pid in pids}
    served = {Path(program).name for program in programs if "site-packages" in program}
    assert {"postgres", "valkey-server"} <= served, programs


def command_line(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


async def test_the_password_of_the_first_administrator_is_given_by_the_settings(shared_node):
    grant = await shared_node.sign_in(ADMIN, PASSWORD)
    assert grant["user"]["role"] == "admin"
    assert any("ADMIN_PASSWORD" in line for line in shared_node.said)
    assert not any(PASSWORD in line for line in shared_node.said)

"""Kills and cuts: nothing acknowledged is missing afterwards, and nothing is left in the middle."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import asyncpg
import httpx
import pytest
import trio

from tests.acceptance.node import active_loan, hire, is_late

RECOVER_WITHIN_S = 300
STORM_REQUESTS = 500
STORM_SEED = 20261124


def postmaster(home: Path) -> int:
    """The process id, as this machine counts, of the first process of the embedded PostgreSQL."""
    marked = str(home / "postgres").encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if Path(arguments[0].decode("utf-8", "replace")).name == "postgres" and marked in arguments:
            found.append(int(entry.name))
    assert found, "no embedded PostgreSQL runs"
    return min(found)


async def pay_steadily(node, staff, loan_id, acknowledged, statuses, stop) -> None:
    """Pay one cent after another until told to stop; keep what was acknowledged."""
    async with node.client(staff.officer) as client:
        while not stop.is_set():
            try:
                answer = await client.post(
                    "/payments/", json={"loan_id": loan_id, "amount": "0.01"}
                )
            except httpx.TransportError:
                statuses.add("cut")
                await trio.lowlevel.checkpoint()
                continue
            statuses.add("late" if is_late(answer) else answer.status_code)
            if answer.status_code == 201:
                acknowledged.append(answer.json()["id"])


async def payments_of(node, staff, loan_id) -> list[str]:
    found: list[str] = []
    path: str | None = f"/payments/loan/{loan_id}?limit=200"
    while path:
        page = await node.get(staff.officer, path)
        found += [payment["id"] for payment in page["items"]]
        cursor = page["next_cursor"]
        path = f"/payments/loan/{loan_id}?limit=200&cursor={cursor}" if cursor else None
    return found


async def test_a_killed_database_comes_back_although_a_query_keeps_the_processor_busy(
    embedded_node,
):
    node = embedded_node
    staff = await hire(node)
    loan = await active_loan(node, staff)
    acknowledged: list[str] = []
    statuses: set[int | str] = set()
    stop = trio.Event()

    async def keep_busy() -> None:
        async def run() -> None:
            connection = await asyncpg.connect(node.database_url)
            await connection.execute("SELECT count(*) FROM generate_series(1, 100000000000)")

        def in_thread() -> None:
            with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
                asyncio.run(run())

        await trio.to_thread.run_sync(in_thread, abandon_on_cancel=True)

    with trio.fail_after(RECOVER_WITHIN_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_busy)
            nursery.start_soon(pay_steadily, node, staff, loan["id"], acknowledged, statuses, stop)
            while len(acknowledged) < 20:
                await trio.lowlevel.checkpoint()
            before = len(acknowledged)
            os.kill(postmaster(node.home), signal.SIGKILL)
            while len(acknowledged) < before + 20 or not statuses & {503, "late"}:
                await trio.lowlevel.checkpoint()
            stop.set()
    assert statuses <= {201, 503, "late"}, statuses
    assert set(acknowledged) <= set(await payments_of(node, staff, loan["id"]))


# The client library leaves a generator behind when its server dies under it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_killed_lendwire_starts_again_and_misses_nothing_acknowledged(embedded_node):
    node = embedded_node
    staff = await hire(node)
    loan = await active_loan(node, staff)
    acknowledged: list[str] = []
    statuses: set[int | str] = set()
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pay_steadily, node, staff, loan["id"], acknowledged, statuses, stop)
        with trio.fail_after(RECOVER_WITHIN_S):
            while len(acknowledged) < 50:
                await trio.lowlevel.checkpoint()
        node.kill()
        stop.set()
    node.start()
    assert set(acknowledged) <= set(await payments_of(node, staff, loan["id"]))
    after = await node.post(staff.officer, "/payments/", {"loan_id": loan["id"], "amount": "0.01"})
    assert after["status"] == "posted"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_cleanly_with_its_services(embedded_node, number):
    node = embedded_node
    assert node.stop(number) == 0
    left = [
        entry.name
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and str(node.home).encode() in _command_line(entry)
    ]
    assert left == []


def _command_line(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


async def test_requests_cut_at_random_points_leave_the_pool_whole(embedded_node):
    """500 requests whose client leaves at a random byte or moment; the seed makes it repeatable."""
    node = embedded_node
    staff = await hire(node)
    loan = await active_loan(node, staff, principal="100000.00")
    chance = random.Random(STORM_SEED)
    answered: dict[str, int] = {}
    host, port = node.url.removeprefix("http://").split(":")

    async def one(number: int, cut_after_s: float, cut_at: float) -> None:
        reference = f"storm-{number}"
        body = (f'{{"loan_id":"{loan["id"]}","amount":"0.01","reference":"{reference}"}}').encode()
        request = (
            f"POST /payments/ HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {staff.officer}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        if cut_at < 1:
            request = request[: int(len(request) * cut_at)]
        stream = await trio.open_tcp_stream(host, int(port))
        with trio.move_on_after(cut_after_s):
            await stream.send_all(request)
            answer = await stream.receive_some(4096)
            if answer.startswith(b"HTTP/1.1 "):
                answered[reference] = int(answer[9:12])
        await trio.aclose_forcefully(stream)

    plans = [
        (number, chance.expovariate(1 / 0.01), chance.choice([1, 1, 1, chance.random()]))
        for number in range(STORM_REQUESTS)
    ]
    for start in range(0, STORM_REQUESTS, 25):
        async with trio.open_nursery() as nursery:
            for plan in plans[start : start + 25]:
                nursery.start_soon(one, *plan)

    assert node.process.poll() is None
    # A payment that gets its answer proves the pool; the session may still be busy with the storm.
    async with node.client(staff.officer) as client:
        with trio.fail_after(RECOVER_WITHIN_S):
            while True:
                last = {"loan_id": loan["id"], "amount": "0.01"}
                status = (await client.post("/payments/", json=last)).status_code
                if status == 201:
                    break
                assert status == 503
    found = await references(node, staff, loan["id"])
    made = {reference for reference, status in answered.items() if status == 201}
    assert made <= found.keys()
    assert all(count == 1 for count in found.values())
    refused = {reference for reference, status in answered.items() if 400 <= status < 500}
    assert not refused & found.keys()
    assert await idle_in_transaction(node) == 0
    assert "Traceback" not in node.log()


async def references(node, staff, loan_id) -> dict[str, int]:
    found: dict[str, int] = {}
    path: str | None = f"/payments/loan/{loan_id}?limit=200"
    while path:
        page = await node.get(staff.officer, path)
        for payment in page["items"]:
            if payment["reference"]:
                found[payment["reference"]] = found.get(payment["reference"], 0) + 1
        cursor = page["next_cursor"]
        path = f"/payments/loan/{loan_id}?limit=200&cursor={cursor}" if cursor else None
    return found


async def idle_in_transaction(node) -> int:
    """Transactions left open once all that ran has ended, seen from outside the program."""

    async def run() -> int:
        connection = await asyncpg.connect(node.database_url)
        try:
            query = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state LIKE 'idle in transaction%' AND now() - state_change > interval '1 s'"
            )
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    return await trio.to_thread.run_sync(lambda: asyncio.run(run()))

"""Thousands of sockets that come, hear, and go in every way: at the end nothing is left of them.

LENDWIRE_TEST_SOAK_SECONDS says for how long, LENDWIRE_TEST_SOAK_SOCKETS how many. A failure names
the seed of the churn.
"""

from __future__ import annotations

import os
import random
import re
import resource
import socket
import struct
import sys
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import httpx
import pytest
import trio
from wsproto.events import CloseConnection, TextMessage

from tests.acceptance.node import Node, Staff, active_loan, hire
from tests.acceptance.process_view import ProcessView
from tests.conftest import a_node
from tests.web.edge.edge_wire import Socket, upgrade, wire

SECONDS = float(os.environ.get("LENDWIRE_TEST_SOAK_SECONDS", "600"))
SOCKETS = int(os.environ.get("LENDWIRE_TEST_SOAK_SOCKETS", "2000"))
SEED = 20_261_124
TROOPS = 4
OPENED_AT_ONCE = 20
ASKED_AT_ONCE = 8  # by each of a troop: more than all connections to the store together
FULL = 0.95
COMMENT_EVERY_S = 0.5
STAY_S = 120.0
SILENT_S_MAX = 60.0  # a heartbeat is due every 30
RESET = struct.pack("ii", 1, 0)
GROWTH_BYTES_MAX = 32 * 1024 * 1024
FIGURES = re.compile(r"^lendwire_(tasks|sockets|connections)(?:{[^}]*})? (\d+)", re.MULTILINE)
SETTINGS = {
    "WS_MAX_CONNECTIONS": "10000",
    "WS_MAX_PER_ADDRESS": "10000",
    "WS_MAX_PER_USER": "10000",
    "WS_HEARTBEAT_INTERVAL": "30",
}


@dataclass(frozen=True)
class Standing:
    """What a server holds at a moment."""

    tasks: int
    connections: int
    descriptors: int
    memory_bytes: int


class Crowd:
    """Sockets of many users; each listens for a while, leaves somehow, and another comes."""

    def __init__(self, node: Node, troops: list[Staff]) -> None:
        assert node.process is not None
        self.node = node
        self.troops = troops
        self.ends: Counter[str] = Counter()
        self.heard = 0
        self._open = 0
        self._full = trio.Event()
        self.opened = trio.CapacityLimiter(OPENED_AT_ONCE)
        self.chance = random.Random(SEED)
        self.port = int(node.url.rpartition(":")[2])
        self.view = ProcessView(node.process.pid, self.port)

    async def standing(self) -> Standing:
        """As it stands once only this question is left of all connections."""
        async with self.node.client(self.troops[0].admin) as client:
            with trio.fail_after(120):
                while True:
                    figures = (await client.get("/metrics")).text
                    found = {name: int(value) for name, value in FIGURES.findall(figures)}
                    if found["sockets"] == 0 and found["connections"] == 1:
                        break
            return Standing(
                found["tasks"],
                found["connections"],
                self.view.descriptors(),
                self.view.memory_bytes(),
            )

    async def fill_pools(self) -> None:
        """Ask so much at once that the store has all the connections it may ever have."""
        async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
            for staff in self.troops:
                for token in (staff.customer, staff.officer, staff.manager):
                    client = await stack.enter_async_context(self.node.client(token))
                    for _ in range(ASKED_AT_ONCE):
                        nursery.start_soon(self._list, client)

    async def churn(self, seconds: float) -> None:
        """Fill the house, keep it full for so long, and empty it."""
        async with trio.open_nursery() as nursery:
            loan = await active_loan(self.node, self.troops[0])
            nursery.start_soon(self._comment, f"/loans/{loan['id']}/comments")
            for number in range(SOCKETS):
                nursery.start_soon(self._come_and_go, self.troops[number % TROOPS], number)
            with trio.fail_after(300):
                await self._full.wait()
            await trio.sleep(seconds)
            nursery.cancel_scope.cancel()

    async def _list(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/loans/")
        assert answer.status_code == 200, answer.text

    async def _come_and_go(self, staff: Staff, number: int) -> None:
        people = (
            (staff.customer_id, staff.customer),
            (staff.officer_id, staff.officer),
            (staff.manager_id, staff.manager),
        )
        while True:
            async with AsyncExitStack() as stack:
                # Few connect at once: whoever connects has to speak soon.
                async with self.opened:
                    raw = await stack.enter_async_context(wire(self.port))
                    listener = Socket(raw)
                    await self._open_socket(listener, *people[number % 3])
                raw.patience_s = SILENT_S_MAX
                self._open += 1
                try:
                    if self._open >= SOCKETS * FULL:
                        self._full.set()
                    await self._stay(listener, self.chance.expovariate(1 / STAY_S))
                finally:
                    self._open -= 1

    async def _open_socket(self, listener: Socket, user_id: str, token: str) -> None:
        path = f"/ws/connect/{user_id}"
        await listener.raw.send(upgrade(path, f"Authorization: Bearer {token}"))
        head = await listener.raw.until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head

    async def _stay(self, listener: Socket, stay_s: float) -> None:
        """Listen for a while, then leave: with a word, without one, or with a reset."""
        with trio.move_on_after(stay_s):
            while True:
                event = await listener.event()
                if not isinstance(event, TextMessage):
                    break
                self.heard += "comment_added" in event.data
            self.ends[f"by the server: {event}"] += 1
            return
        end = self.chance.choice(("close frame", "reset", "bare", "nonsense"))
        self.ends[end] += 1
        stream = listener.raw.stream
        with suppress(trio.BrokenResourceError):
            if end == "close frame":
                await listener.send(CloseConnection(code=1000))
            elif end == "reset":
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            elif end == "nonsense":
                await stream.send_all(b"\xff" * 10)

    async def _comment(self, path: str) -> None:
        async with self.node.client(self.troops[0].officer) as client:
            while True:
                answer = await client.post(path, json={"body": "still here"})
                assert answer.status_code == 201, answer.text
                await trio.sleep(COMMENT_EVERY_S)


@pytest.mark.soak
async def test_sockets_that_come_and_go_leave_nothing_behind() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with a_node(**SETTINGS) as node:
        crowd = Crowd(node, [await hire(node) for _ in range(TROOPS)])
        # The first filling makes what stays: sessions, pools, the allocator's arenas.
        await crowd.churn(0)
        await crowd.fill_pools()
        before = await crowd.standing()
        await crowd.churn(SECONDS)
        after = await crowd.standing()
        told = f"seed {SEED}, {before} then {after}; heard {crowd.heard}, {dict(crowd.ends)}\n"
        sys.stdout.write(told)
        assert after.tasks <= before.tasks, told
        assert after.descriptors <= before.descriptors, told
        assert after.memory_bytes - before.memory_bytes <= GROWTH_BYTES_MAX, told
        assert not [end for end in crowd.ends if end.startswith("by the server")], told
        assert crowd.heard, told
        assert "Traceback" not in node.log()

"""What a request costs: one send, one task, and few turns of the loop."""

import os

import pytest
import trio

from tests.web.edge.edge_servers import edge
from tests.web.edge.edge_wire import wire

REQUESTS = 50
COST_MAX = {"ticks": 7, "schedules": 8, "spawns": 1}


class Counter(trio.abc.Instrument):
    """Counts what Trio does, leaving out the task that asks."""

    def __init__(self) -> None:
        self.client = trio.lowlevel.current_task()
        self.counts = dict.fromkeys(COST_MAX, 0)

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        self.counts["schedules"] += task is not self.client

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        self.counts["spawns"] += task is not self.client

    def after_io_wait(self, timeout: float) -> None:
        self.counts["ticks"] += 1


async def test_a_request_costs_few_turns_of_the_loop() -> None:
    async with edge() as server, wire(server.port) as client:
        assert (await client.get("/hello")).status == 200
        counter = Counter()
        trio.lowlevel.add_instrument(counter)
        for _ in range(REQUESTS):
            await client.get("/hello")
        trio.lowlevel.remove_instrument(counter)
    cost = {name: count / REQUESTS for name, count in counter.counts.items()}
    assert all(cost[name] <= most for name, most in COST_MAX.items()), cost


async def test_head_body_and_end_leave_in_one_send(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    write = os.write

    def record(descriptor: int, data: bytes) -> int:
        writes.append(bytes(data))
        return write(descriptor, data)

    async with edge() as server, wire(server.port) as client:
        monkeypatch.setattr("web.edge.stream.os.write", record)
        assert (await client.get("/hello")).body == b"hello"
        monkeypatch.undo()
    responses = [data for data in writes if data.startswith(b"HTTP/1.1 200 ")]
    assert len(responses) == 1
    assert responses[0].endswith(b"hello")
    assert not [data for data in writes if data == b"hello"]


async def test_each_connection_has_its_own_copy_of_the_state() -> None:
    shared: dict[str, object] = {"name": "lendwire"}
    async with edge(state=shared) as server:
        async with wire(server.port) as one, wire(server.port) as other:
            for client in (one, other, one):
                own_port = client.stream.socket.getsockname()[1]
                assert (await client.get("/peer")).body == str(own_port).encode()
    assert shared == {"name": "lendwire"}

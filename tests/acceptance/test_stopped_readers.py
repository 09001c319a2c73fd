"""A restart while many listen and some have stopped reading: all are told, and none holds it up."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import trio

from tests.acceptance.node import Node, Staff, active_loan, hire
from tests.acceptance.process_view import ProcessView
from tests.conftest import a_node
from tests.web.edge.edge_wire import Socket, Wire, upgrade

HEALTHY = 180
STOPPED = 20
END_WITHIN_S = 180
RESTART = 1012
# As large as a comment may be, and with few characters.
LONG = "\N{BANK}" * 2_000
COMMENTS_AT_ONCE = 8
BATCHES_MAX = 200


@asynccontextmanager
async def listening(node: Node, user_id: str, token: str, *, receive_bytes: int | None = None):
    """A WebSocket of a user, welcomed; `receive_bytes` keeps the kernel from reading for it."""
    client = trio.socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_bytes is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    async with trio.SocketStream(client) as stream:
        await client.connect(("127.0.0.1", int(node.url.rpartition(":")[2])))
        listener = Socket(Wire(stream))
        path = f"/ws/connect/{user_id}"
        await listener.raw.send(upgrade(path, f"Authorization: Bearer {token}"))
        head = await listener.raw.until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        assert '"welcome"' in str(await listener.message())
        yield listener


async def stop_up(node: Node, staff: Staff, view: ProcessView) -> None:
    """Comment until the kernel takes no more for those who should read it."""
    loan = await active_loan(node, staff)
    path = f"/loans/{loan['id']}/comments"
    before = batches_in_vain = 0
    async with node.client(staff.officer) as client:

        async def comment() -> None:
            answer = await client.post(path, json={"body": LONG})
            assert answer.status_code == 201, answer.text

        # A comment's word comes a moment after its answer: only twice in vain says that it is full.
        for _ in range(BATCHES_MAX):
            if batches_in_vain == 2:
                break
            waiting = view.unsent_bytes()
            batches_in_vain = batches_in_vain + 1 if 0 < waiting <= before else 0
            before = waiting
            async with trio.open_nursery() as nursery:
                for _ in range(COMMENTS_AT_ONCE):
                    nursery.start_soon(comment)


@pytest.mark.slow
async def test_sigterm_ends_it_while_some_of_200_readers_have_stopped():
    with a_node(WS_MAX_PER_USER="500", WS_MAX_PER_ADDRESS="500") as node:
        staff, others = await hire(node), await hire(node)
        codes: list[int | None] = []

        async def until_closed(listener: Socket) -> None:
            codes.append(await listener.close_code())

        async with AsyncExitStack() as stack:
            healthy = [
                await stack.enter_async_context(
                    listening(node, others.customer_id, others.customer)
                )
                for _ in range(HEALTHY)
            ]
            for _ in range(STOPPED):
                stopped = listening(node, staff.customer_id, staff.customer, receive_bytes=4_096)
                await stack.enter_async_context(stopped)
            view = ProcessView(node.process.pid, healthy[0].raw.stream.socket.getpeername()[1])
            async with trio.open_nursery() as nursery:
                for listener in healthy:
                    nursery.start_soon(until_closed, listener)
                await stop_up(node, staff, view)
                # On a machine with much to do some have been cut by now, for not reading.
                assert view.connections() > HEALTHY
                node.process.terminate()
                with trio.fail_after(END_WITHIN_S):
                    assert await trio.to_thread.run_sync(node.process.wait) == 0
        assert codes == [RESTART] * HEALTHY
        assert "Traceback" not in node.log()

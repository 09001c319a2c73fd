"""The real listener with stand-ins behind it, and a client that speaks WebSocket to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import trio
from wsproto.events import CloseConnection

from actors.messages.broadcast_hub import GoLive, Narrow, TellPosition
from actors.messages.user_session import Attached, AttachSocket
from domain.notifications.notification import Audience, FeedEntry, Notice, NoticeType
from domain.reports.views import FeedPosition
from tests.web.edge.edge_wire import Reply, Socket, upgrade, websocket_to, wire
from tests.web.standins import (
    ACCOUNT,
    BRANCH_ID,
    LOAN_ID,
    NOW,
    OTHER_USER_ID,
    SESSION,
    USER_ID,
    House,
)
from web.app import create_app
from web.edge.listener import Listener, bind

POSITION = FeedPosition(UUID(int=9), 41)
ATTACHED = Attached(ACCOUNT, SESSION, POSITION)
ENTRY = FeedEntry(
    42,
    NOW,
    Notice(
        NoticeType.LOAN_STATUS_CHANGE,
        Audience(BRANCH_ID, OTHER_USER_ID),
        LOAN_ID,
        {"loan_id": str(LOAN_ID), "old_status": "approved", "new_status": "active"},
    ),
)
PATH = f"/ws/connect/{USER_ID}"
HANG_GUARD_S = 180


@dataclass
class Server:
    """The listener with a house behind it."""

    house: House
    port: int
    scope: trio.CancelScope

    def open(
        self, *headers: str, user_id: UUID = USER_ID, query: str = ""
    ) -> AbstractAsyncContextManager[Socket]:
        """A socket, with these header lines."""
        return websocket_to(self.port, f"/ws/connect/{user_id}?{query}", *headers)

    def signed_in(self) -> AbstractAsyncContextManager[Socket]:
        """A socket of somebody who shows his token."""
        return self.open(self.bearer)

    async def knock(self, path: str, *headers: str) -> Reply:
        """The response to an upgrade that is refused."""
        async with wire(self.port) as raw:
            await raw.send(upgrade(path, *headers))
            return await raw.reply()

    @property
    def bearer(self) -> str:
        return f"Authorization: Bearer {self.house.token()}"

    @property
    def lane(self) -> Any:
        """The lane that the session actor was given last."""
        return [one for one in self.house.session.asked if isinstance(one, AttachSocket)][-1].lane

    @property
    def narrowed(self) -> list[Narrow]:
        """What the hub was asked to narrow, in order."""
        return [one for one in self.house.hub.asked if isinstance(one, Narrow)]

    async def until_told(self, kind: type) -> Any:
        """What the session actor was told of this kind, as soon as it was."""
        while True:
            found = [one for one in self.house.session.told if isinstance(one, kind)]
            if found:
                return found[-1]
            await trio.lowlevel.checkpoint()


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Server]:
    house = House(**options)
    house.session.table = {AttachSocket: ATTACHED}
    house.hub.table = {
        TellPosition: FeedPosition(POSITION.epoch, 45),
        GoLive: True,
        Narrow: None,
    }
    sockets = bind("127.0.0.1", 0)
    listener = Listener(create_app(house.doors), sockets)
    started = trio.Event()
    try:
        with trio.fail_after(HANG_GUARD_S):
            async with trio.open_nursery() as nursery:
                scope = trio.CancelScope()

                async def run() -> None:
                    with scope:
                        await listener.run(None, started.set)

                nursery.start_soon(run)
                await started.wait()
                yield Server(house, sockets[0].getsockname()[1], scope)
                scope.cancel()
    finally:
        for one in sockets:
            one.close()


async def hear(socket: Socket) -> Any:
    return json.loads(await socket.message())


async def say(socket: Socket, **message: Any) -> Any:
    """Say something and hear the answer."""
    await socket.send_text(json.dumps(message))
    return await hear(socket)


async def closing(socket: Socket) -> tuple[int, str]:
    """Read to the end, and see the connection end; the code and the reason of the close."""
    while True:
        event = await socket.event()
        assert event is not None, "the connection ended without a close frame"
        if isinstance(event, CloseConnection):
            await socket.send(event.response())
            assert not await socket.raw.rest()
            return int(event.code), event.reason or ""


@asynccontextmanager
async def talking(**options: Any) -> AsyncIterator[tuple[Server, Any]]:
    async with (
        serving(**options) as server,
        server.signed_in() as socket,
    ):
        assert (await hear(socket))["type"] == "welcome"
        yield server, socket

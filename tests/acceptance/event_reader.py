"""A reader of Server-Sent Events who remembers the last id, as browsers do."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import h11
import trio

from tests.acceptance.node import Node
from tests.web.edge.edge_wire import Wire, wire

HANG_GUARD_S = 120.0

Event = tuple[str | None, str, dict[str, Any]]


@dataclass
class EventReader:
    """`events` are what came so far, as (id, name, data)."""

    node: Node
    token: str | None = None
    last_id: str | None = None
    events: list[Event] = field(default_factory=list)
    comments: int = 0
    retry_ms: int | None = None
    status: int = 0

    @asynccontextmanager
    async def reading(self, path: str = "/events") -> AsyncIterator[EventStream]:
        headers = [("Host", "lendwire.test")]
        if self.token is not None:
            headers.append(("Authorization", f"Bearer {self.token}"))
        if self.last_id is not None:
            headers.append(("Last-Event-ID", self.last_id))
        with trio.fail_after(HANG_GUARD_S):
            async with wire(int(self.node.url.rsplit(":", 1)[1])) as raw:
                stream = EventStream(self, raw)
                request = h11.Request(method="GET", target=path, headers=headers)
                await raw.send(stream.http.send(request) + stream.http.send(h11.EndOfMessage()))
                head = await stream.next()
                assert isinstance(head, h11.Response)
                self.status = head.status_code
                yield stream


class EventStream:
    """One response that is being read."""

    def __init__(self, reader: EventReader, raw: Wire) -> None:
        self.http = h11.Connection(h11.CLIENT)
        self._reader = reader
        self._raw = raw
        self._text = ""
        self._ready: deque[Event] = deque()

    async def until(self, name: str) -> dict[str, Any]:
        """The data of the next event of this name."""
        while True:
            event = await self.event()
            assert event is not None, f"the stream ended before {name}: {self._reader.events}"
            if event[1] == name:
                return event[2]

    async def event(self) -> Event | None:
        """The next event; None at the end, which must be a tidy one."""
        while not self._ready:
            part = await self.next()
            if isinstance(part, h11.EndOfMessage):
                return None
            assert isinstance(part, h11.Data), part
            self._text += bytes(part.data).decode()
            *whole, self._text = self._text.split("\n\n")
            for block in whole:
                self._take(block)
        return self._ready.popleft()

    async def next(self) -> object:
        while (part := self.http.next_event()) is h11.NEED_DATA:
            self.http.receive_data(await self._raw.receive())
        return part

    def _take(self, block: str) -> None:
        reader = self._reader
        lines: dict[str, str] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(": ")
            if line.startswith(":"):
                reader.comments += 1
            elif name == "retry":
                reader.retry_ms = int(value)
            else:
                lines[name] = value
        if lines:
            event = (lines.get("id"), lines["event"], json.loads(lines["data"]))
            reader.last_id = lines.get("id", reader.last_id)
            reader.events.append(event)
            self._ready.append(event)

"""Raw clients: one that writes any bytes at all, one that speaks WebSocket."""

import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import h11
import trio
from wsproto.connection import Connection, ConnectionType
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    TextMessage,
)

HANG_GUARD_S = 180.0


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Wire:
    """A connection on which a test says whatever it likes."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.unread = b""
        self.patience_s = HANG_GUARD_S

    async def send(self, data: bytes) -> None:
        with trio.fail_after(HANG_GUARD_S):
            await self.stream.send_all(data)

    async def get(self, path: str, *headers: str, method: str = "GET") -> Reply:
        lines = [f"{method} {path} HTTP/1.1", "Host: lendwire.test", *headers]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        return await self.reply(method)

    async def post(self, path: str, body: bytes, *headers: str) -> Reply:
        lines = [f"POST {path} HTTP/1.1", "Host: lendwire.test", *headers]
        lines.append(f"Content-Length: {len(body)}")
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        return await self.reply("POST")

    async def receive(self) -> bytes:
        """The next bytes; empty when the server has closed, tidily or not."""
        with trio.fail_after(self.patience_s):
            try:
                return bytes(await self.stream.receive_some(65_536))
            except trio.BrokenResourceError:
                return b""

    async def until(self, ending: bytes) -> bytes:
        data = self.unread
        while ending not in data:
            more = await self.receive()
            assert more, f"closed after {data!r}"
            data += more
        cut = data.index(ending) + len(ending)
        self.unread = data[cut:]
        return data[:cut]

    async def rest(self) -> bytes:
        """Everything up to the server's close."""
        data, self.unread = self.unread, b""
        while more := await self.receive():
            data += more
        return data

    async def reply(self, method: str = "GET") -> Reply:
        parser = h11.Connection(h11.CLIENT)
        parser.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
        parser.send(h11.EndOfMessage())
        if self.unread:
            parser.receive_data(self.unread)
        head: h11.Response | None = None
        body = b""
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                parser.receive_data(await self.receive())
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self.unread = parser.trailing_data[0]
                assert head is not None
                return Reply(head.status_code, dict(head.headers), body)


class Socket:
    """A WebSocket client; `raw` is its wire."""

    def __init__(self, raw: Wire) -> None:
        self.raw = raw
        self.head = b""
        self.connection = Connection(ConnectionType.CLIENT)

    async def send(self, event: Event) -> None:
        await self.raw.send(self.connection.send(event))

    async def send_text(self, text: str) -> None:
        await self.send(TextMessage(data=text))

    async def send_bytes(self, data: bytes) -> None:
        await self.send(BytesMessage(data=data))

    async def event(self) -> Event | None:
        """The next event (pings are answered); None when the server has closed."""
        while True:
            for event in self.connection.events():
                if isinstance(event, Ping):
                    await self.send(event.response())
                else:
                    return event
            data = self.raw.unread or await self.raw.receive()
            self.raw.unread = b""
            if not data:
                return None
            self.connection.receive_data(data)

    async def message(self) -> str | bytes:
        event = await self.event()
        assert isinstance(event, TextMessage | BytesMessage), event
        return event.data if isinstance(event.data, str) else bytes(event.data)

    async def close_code(self) -> int | None:
        """The code of the server's close frame; answers it, and sees the connection end."""
        while (event := await self.event()) is not None:
            if isinstance(event, CloseConnection):
                code = int(event.code)
                with contextlib.suppress(trio.BrokenResourceError):
                    await self.send(event.response())
                await self.raw.rest()
                return code
            assert isinstance(event, TextMessage | BytesMessage | Pong), event
        return None


UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: lendwire.test\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n{more}\r\n"
)


def upgrade(path: str, *headers: str) -> bytes:
    return UPGRADE.format(path=path, more="".join(f"{line}\r\n" for line in headers)).encode()


@asynccontextmanager
async def wire(port: int, *, receive_bytes: int | None = None) -> AsyncIterator[Wire]:
    """Connect; `receive_bytes` keeps the kernel from reading ahead for the client."""
    client = trio.socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_bytes is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    stream = trio.SocketStream(client)
    try:
        with trio.fail_after(HANG_GUARD_S):
            await client.connect(("127.0.0.1", port))
        yield Wire(stream)
    finally:
        await trio.aclose_forcefully(stream)


@asynccontextmanager
async def websocket_to(
    port: int, path: str, *headers: str, receive_bytes: int | None = None
) -> AsyncIterator[Socket]:
    async with wire(port, receive_bytes=receive_bytes) as raw:
        client = Socket(raw)
        await raw.send(upgrade(path, *headers))
        client.head = await raw.until(b"\r\n\r\n")
        assert client.head.startswith(b"HTTP/1.1 101 "), client.head
        yield client

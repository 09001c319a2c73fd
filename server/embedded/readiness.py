"""One real connection, answered: the proof that a service is up. Not a client of either service."""

import struct
from pathlib import Path

import trio

_PROTOCOL_3 = 196608
_REPLY_BYTES_MAX = 65536
_HEADER_BYTES = 5


async def postgres_answers(socket: Path, user: str, database: str) -> bool:
    """Whether PostgreSQL at `socket` lets `user` in and says that it is ready for a query.

    False while it is starting, recovering, or not there. Source: the protocol's "Start-up" flow.
    """
    pairs = ("user", user, "database", database, "application_name", "lendwire readiness")
    body = struct.pack("!i", _PROTOCOL_3) + b"".join(p.encode() + b"\0" for p in pairs) + b"\0"
    try:
        async with await trio.open_unix_socket(str(socket)) as stream:
            await stream.send_all(struct.pack("!i", len(body) + 4) + body)
            ready = await _reads_ready_for_query(stream)
            if ready:
                await stream.send_all(b"X\0\0\0\4")
            return ready
    except (OSError, trio.BrokenResourceError):
        return False


async def valkey_answers(socket: Path) -> bool:
    """Whether Valkey at `socket` answers PING with PONG; False while it is not there."""
    try:
        async with await trio.open_unix_socket(str(socket)) as stream:
            await stream.send_all(b"PING\r\n")
            reply = b""
            while not reply.endswith(b"\r\n") and len(reply) < _REPLY_BYTES_MAX:
                chunk = await stream.receive_some()
                if not chunk:
                    break
                reply += chunk
            return reply == b"+PONG\r\n"
    except (OSError, trio.BrokenResourceError):
        return False


async def _reads_ready_for_query(stream: trio.SocketStream) -> bool:
    """Read messages (a type byte, a length that counts itself, a body) up to Z or E."""
    held = b""
    while len(held) < _REPLY_BYTES_MAX:
        chunk = await stream.receive_some()
        if not chunk:
            return False
        held += chunk
        while len(held) >= _HEADER_BYTES:
            kind, length = held[:1], struct.unpack_from("!i", held, 1)[0]
            if kind in b"ZE":
                return kind == b"Z"
            if len(held) < length + 1:
                break
            held = held[length + 1 :]
    return False

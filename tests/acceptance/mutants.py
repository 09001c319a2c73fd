"""Requests of a hostile peer, made from a seed alone: the same seed, the same bytes.

It opens no connection and knows no answer; WebSocket frames come from `mutant_frames`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from tests.acceptance.mutant_frames import MESSAGES, filled, frames

TOKEN = b"<TOKEN>"
USER = b"<USER>"
LOAN = b"<LOAN>"
A_UUID = b"0" * 36

SIGNED_IN = b"Host: localhost\r\nAuthorization: Bearer <TOKEN>\r\n"
UPGRADE = (
    b"GET /ws/connect/<USER> HTTP/1.1\r\n" + SIGNED_IN + b"Upgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
STRANGERS_UPGRADE = UPGRADE.replace(b"Authorization: Bearer <TOKEN>\r\n", b"")


def _with_body(path: bytes, body: bytes) -> bytes:
    head = b"POST %s HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    length = len(filled(body, {LOAN: A_UUID, USER: A_UUID}))
    return head % (path, SIGNED_IN, length) + body


REQUESTS = (
    b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /loans/?limit=5&status=ACTIVE HTTP/1.1\r\n" + SIGNED_IN + b"\r\n",
    b"GET /loans/<LOAN>/schedule HTTP/1.1\r\n" + SIGNED_IN + b"If-None-Match: *\r\n\r\n",
    b"HEAD /loans/<LOAN> HTTP/1.1\r\n" + SIGNED_IN + b"\r\n",
    b"OPTIONS /payments/ HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\n\r\n",
    b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"GET /docs/swagger-ui.css HTTP/1.0\r\n\r\n",
    b"GET /supervision/ HTTP/1.1\r\n" + SIGNED_IN + b"Accept-Encoding: gzip\r\n\r\n",
    _with_body(b"/payments/", b'{"loan_id":"<LOAN>","amount":"0.01"}'),
    _with_body(b"/loans/<LOAN>/comments", '{"body":"grüezi, \\u00e9 <3"}'.encode()),
    _with_body(b"/auth/refresh", b'{"refresh_token":"never-given"}'),
    _with_body(b"/auth/login", b'{"email":"nobody@example.com","password":"x"}'),
    STRANGERS_UPGRADE,
    UPGRADE,
)
HEADERS = (
    b"Content-Length: 5",
    b"Content-Length: 0",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: xchunked",
    b"Expect: 100-continue",
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    b"Connection: close",
    b"Content-Encoding: gzip",
    b"Content-Type: application/json; charset=utf-16",
    b"Idempotency-Key: \x01",
    b"X-Forwarded-For: 1.2.3.4, \xff",
    b"X-Request-Id: " + b"r" * 300,
    b"Origin: null",
    b"Sec-WebSocket-Extensions: permessage-deflate",
    b"Sec-WebSocket-Protocol: lendwire.v1, lendwire.bearer.x",
    b"Host: other",
    b" folded: yes",
    b"NoColon",
    b": empty",
    b"A" * 2_000 + b": b",
)
TARGETS = (
    b"*",
    b"//",
    b"/%00",
    b"/%ff%fe",
    b"/../../etc/passwd",
    b"/loans/%2e%2e/users",
    b"/?" + b"a=b&" * 500,
    b"http://other/health",
    b"/" + b"a" * 9_000,
    b"/loans/?limit=1e9",
    b"/loans/?cursor=%00",
    b"/ws/connect/x",
)
CHUNKS = (
    b"0\r\n\r\n",
    b"5\r\nabcde\r\n",
    b"5;x=" + b"y" * 3_000 + b"\r\nabcde\r\n",
    b"-5\r\nabcde\r\n",
    b"0x5\r\nabcde\r\n",
    b"ffffffffffffffff\r\n",
    b"5\nabcde\n",
    b"5\r\nabcdefgh\r\n",
    b"0\r\nTrailer: x\r\n\r\n",
    b"\r\n",
    b"1\r\nx\r\n" * 200,
)


class Ending(Enum):
    """What the peer does once all is sent."""

    READ = auto()
    LEAVE = auto()
    RESET = auto()
    SHUT = auto()
    STAY = auto()


@dataclass(frozen=True)
class Mutant:
    """What one hostile connection sends, part by part, and how it ends.

    With `is_patient` it waits for an answer to the first part, an upgrade, before it goes on.
    """

    seed: int
    story: tuple[str, ...]
    parts: tuple[bytes, ...]
    ending: Ending
    is_patient: bool


def mutant(seed: int, secrets: dict[bytes, bytes]) -> Mutant:
    """The connection of a seed; `secrets` stand for TOKEN, USER and LOAN, and stay whole."""
    chance = random.Random(seed)
    is_patient = False
    if chance.random() < 0.4:
        opening, story = UPGRADE, ["websocket"]
        if chance.random() < 0.1:
            opening, story = STRANGERS_UPGRADE, ["stranger"]
        sent, told = frames(chance, secrets)
        parts = [opening, *sent]
        is_patient = chance.random() < 0.9
        story += told if is_patient else [*told, "at once"]
    else:
        parts, story = [chance.choice(REQUESTS)], []
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            change = chance.choice(CHANGES)
            parts = change(chance, parts)
            story.append(change.__name__.strip("_"))
    if chance.random() < 0.2:
        parts = [*parts[:is_patient], *_torn(chance, parts[is_patient:])]
    parts = [filled(part, secrets) for part in parts]
    ending = chance.choices(list(Ending), weights=(12, 2, 2, 2, 2))[0]
    return Mutant(seed, tuple(story), tuple(parts), ending, is_patient)


def _flipped(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    data = bytearray(b"".join(parts))
    for _ in range(chance.choice((1, 1, 2, 8))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return [bytes(data)]


def _flipped_in_body(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    head, empty, body = b"".join(parts).partition(b"\r\n\r\n")
    return [head, empty, *_flipped(chance, [body or b"surplus"])]


def _embodied(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    path = chance.choice((b"/loans/", b"/payments/", b"/loans/<LOAN>/comments", b"/auth/login"))
    body = chance.choice(MESSAGES)
    if chance.random() < 0.5:
        fields = (b"amount", b"loan_id", b"body", b"email", b"customer_id", b"principal")
        body = b'{"%s":%s}' % (chance.choice(fields), body or b"-0")
    return [_with_body(path, body)]


def _cut(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    data = b"".join(parts)
    return [data[: chance.randrange(1, len(data) + 1)]]


def _spliced(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    data, other = b"".join(parts), chance.choice(REQUESTS)
    return [data[: chance.randrange(1, len(data) + 1)] + other[chance.randrange(len(other)) :]]


def _strewn(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    data = b"".join(parts)
    at = chance.randrange(len(data))
    return [data[:at] + chance.randbytes(chance.choice((1, 4, 64, 5_000))) + data[at:]]


def _with_header(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    data = b"".join(parts)
    lines = data.split(b"\r\n")
    line = chance.choice(HEADERS) if chance.random() < 0.7 else chance.choice(lines)
    lines[1:1] = [line] * chance.choice((1, 1, 2, 150))
    return [b"\r\n".join(lines)]


def _aimed(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    method, _, rest = b"".join(parts).partition(b" ")
    version = rest.partition(b" ")[2]
    if chance.random() < 0.3:
        method = chance.choice((b"PUT", b"DELETE", b"TRACE", b"CONNECT", b"PRI", b"get", b"\x00"))
    return [method + b" " + chance.choice(TARGETS) + b" " + version]


def _chunked(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    head = b"".join(parts).partition(b"\r\n\r\n")[0]
    if chance.random() < 0.8:
        lines = (line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
        head = b"\r\n".join(lines)
    head += b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    return [head, *(chance.choice(CHUNKS) for _ in range(chance.randint(1, 6)))]


def _pipelined(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    others = [chance.choice(REQUESTS[:-2]) for _ in range(chance.choice((1, 3, 30)))]
    data = b"".join(parts)
    return [data + b"".join(others)] if chance.random() < 0.5 else [b"".join(others) + data]


def _bare(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    return [part.replace(b"\r\n", chance.choice((b"\n", b"\r", b"\r\n\r\n"))) for part in parts]


def _torn(chance: random.Random, parts: list[bytes]) -> list[bytes]:
    data = b"".join(parts)
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randint(1, 5)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a < b]


CHANGES: tuple[Callable[[random.Random, list[bytes]], list[bytes]], ...] = (
    _flipped,
    _flipped_in_body,
    _embodied,
    _cut,
    _spliced,
    _strewn,
    _with_header,
    _aimed,
    _chunked,
    _pipelined,
    _bare,
    _torn,
)

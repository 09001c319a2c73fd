"""Frames of a hostile WebSocket client, from a source of chance; it opens no connection."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FINAL = 0x80
MASK = b"\x01\x02\x03\x04"

MESSAGES = (
    b'{"type":"ping","ref":"1"}',
    b'{"type":"subscribe","notification_types":["comment_added"],"topics":["loan:<LOAN>"]}',
    b'{"type":"subscribe","notification_types":[],"since":{"epoch":"<USER>","seq":0}}',
    b'{"type":"unsubscribe","topics":["loan:<LOAN>"]}',
    b'{"type":"authenticate","token":"<TOKEN>"}',
    b'{"type":"authenticate","token":"not one"}',
    b'{"type":"nonsense"}',
    b"null",
    b"[]",
    b'""',
    b"",
    b"{",
    b'{"type":"ping","type":"ping"}',
    b'{"type":"ping","ref":"\\ud800"}',
    b'{"type":"ping","ref":1e999}',
    b'{"type":NaN}',
    b"[" * 10_000,
    b'{"a":' * 10_000,
    b"\xef\xbb\xbf{}",
)
RESERVED = tuple(FINAL | bits for bits in (0x40, 0x20, 0x10, 0x70))
NOT_UTF_8 = (b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82")
FALSE_LENGTHS = (126, 65_536, 2**40, 2**63, 2**64 - 1)
CLOSES = (
    b"",
    b"\x03",
    b"\x03\xe8",
    b"\x03\xe8bye",
    b"\x03\xed",
    b"\x0f\xa0\xff",
    b"\xff\xff" + b"x" * 123,
)


def frame(
    opcode: int,
    payload: bytes,
    *,
    first: int = FINAL,
    masked: bool = True,
    claimed: int | None = None,
) -> bytes:
    """A frame of a client; `first` holds the bits beside the opcode, `claimed` a false length."""
    length = len(payload) if claimed is None else claimed
    bit = 0x80 if masked else 0
    if length <= 125:
        head = bytes((first | opcode, bit | length))
    elif length <= 0xFFFF:
        head = struct.pack("!BBH", first | opcode, bit | 126, length)
    else:
        head = struct.pack("!BBQ", first | opcode, bit | 127, length & 0xFFFFFFFFFFFFFFFF)
    if not masked:
        return head + payload
    key = int.from_bytes((MASK * (len(payload) // 4 + 1))[: len(payload)], "big")
    hidden = (int.from_bytes(payload, "big") ^ key).to_bytes(len(payload), "big")
    return head + MASK + hidden


def filled(data: bytes, secrets: dict[bytes, bytes]) -> bytes:
    """Put in what a template leaves open."""
    for name, value in secrets.items():
        data = data.replace(name, value)
    return data


def frames(chance: random.Random, secrets: dict[bytes, bytes]) -> tuple[list[bytes], list[str]]:
    """What a client sends after its upgrade, frame by frame, and what that was."""
    sent: list[bytes] = []
    told: list[str] = []
    for _ in range(chance.randint(1, 5)):
        name = chance.choice(list(KINDS))
        sent += KINDS[name](chance, filled(chance.choice(MESSAGES), secrets))
        told.append(name)
    if chance.random() < 0.15:
        data = bytearray(b"".join(sent))
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        sent, told = [bytes(data)], [*told, "flipped"]
    return sent, told


Kind = Callable[[random.Random, bytes], list[bytes]]


def _parts(_: random.Random, message: bytes) -> list[bytes]:
    parts = [frame(CONTINUATION, b"[", first=0)] * 400
    return [frame(TEXT, b"", first=0), *parts, frame(PING, b"?"), frame(CONTINUATION, message)]


KINDS: dict[str, Kind] = {
    "message": lambda _, text: [frame(TEXT, text)],
    "bad utf-8": lambda chance, text: [frame(TEXT, text + chance.choice(NOT_UTF_8))],
    "unmasked": lambda _, text: [frame(TEXT, text, masked=False)],
    "reserved bits": lambda chance, text: [frame(TEXT, text, first=chance.choice(RESERVED))],
    "reserved opcode": lambda chance, text: [frame(chance.choice((3, 7, 11, 15)), text)],
    "oversized": lambda chance, _: [frame(TEXT, b"x" * chance.choice((65_536, 65_537, 200_000)))],
    "false length": lambda chance, _: [
        frame(BINARY, b"x" * 20, claimed=chance.choice(FALSE_LENGTHS))
    ],
    "empty binary": lambda *_: [frame(BINARY, b"")],
    "parts": _parts,
    "stray continuation": lambda _, text: [frame(CONTINUATION, text)],
    "message in a message": lambda _, text: [frame(TEXT, b"{", first=0), frame(TEXT, text)],
    "flood": lambda _, text: [frame(TEXT, text[:200]) * 200],
    "noise": lambda chance, _: [chance.randbytes(chance.choice((1, 7, 300, 20_000)))],
    "fragmented control": lambda chance, _: [
        frame(chance.choice((PING, CLOSE)), b"ab", first=0),
        frame(CONTINUATION, b"cd"),
    ],
    "long control": lambda chance, _: [frame(PING, b"x" * chance.choice((125, 126, 1_000)))],
    "flood of pings": lambda *_: [frame(PING, b"p" * 100) * 500],
    "pongs": lambda *_: [frame(PONG, b"") * 50],
    "close": lambda chance, _: [frame(CLOSE, chance.choice(CLOSES))],
}

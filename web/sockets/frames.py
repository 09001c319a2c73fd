"""Encode unmasked server frames of RFC 6455, pure; it keeps no state and negotiates nothing."""

import struct

TEXT = 0x81
PING = 0x89

CONTROL_BYTES_MAX = 125
SHORT_BYTES_MAX = 125
MEDIUM_BYTES_MAX = 0xFFFF


def frame_text(payload: bytes) -> bytes:
    """One final text frame around UTF-8 bytes; the same for every client, as nothing is deflated.

    Source: RFC 6455, section 5.2.
    """
    return _head(TEXT, len(payload)) + payload


def frame_ping(payload: bytes = b"") -> bytes:
    """A ping of at most 125 bytes. Raises `ValueError` when it is longer."""
    if len(payload) > CONTROL_BYTES_MAX:
        raise ValueError("a control frame carries at most 125 bytes")
    return _head(PING, len(payload)) + payload


def payload_of(frame: bytes) -> bytes:
    """The payload of one of our own frames."""
    length = frame[1]
    if length <= SHORT_BYTES_MAX:
        return frame[2:]
    return frame[4:] if length == 126 else frame[10:]  # noqa: PLR2004 - as in `_head`


def _head(first: int, length: int) -> bytes:
    if length <= SHORT_BYTES_MAX:
        return bytes((first, length))
    if length <= MEDIUM_BYTES_MAX:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)

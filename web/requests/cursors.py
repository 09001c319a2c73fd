"""Opaque cursors of lists: the last row of a page, signed together with the list it belongs to.

A cursor of one list or filter is refused by every other. It grants nothing: what may be seen is
decided anew for each page.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

KEY_BYTES_MIN: Final = 32
_MAC_BYTES: Final = 16
_ID_BYTES: Final = 16
_PART_BYTES: Final = 4
_CURSOR_CHARS: Final = 48
CURSOR_PATTERN: Final = f"^[A-Za-z0-9_-]{{{_CURSOR_CHARS}}}$"


class Place(NamedTuple):
    """Where a page ended: at the row of an id, and at which of them where it has several."""

    after: UUID
    part: int = 0


class Cursors:
    """Seals and opens cursors with one key."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES_MIN:
            raise ValueError(f"a cursor key needs {KEY_BYTES_MIN} bytes")
        self._key = key

    def seal(self, place: Place, scope: str) -> str:
        """A cursor that goes on after `place` in the list that `scope` describes."""
        told = place.after.bytes + place.part.to_bytes(_PART_BYTES, "big")
        return urlsafe_b64encode(told + self._mac(told, scope)).decode()

    def open(self, cursor: str, scope: str) -> Place | None:
        """The place in a cursor; None when it is not ours, or another list's."""
        if len(cursor) != _CURSOR_CHARS or not cursor.isascii():
            return None
        try:
            sealed = urlsafe_b64decode(cursor)
        except ValueError:
            return None
        told, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(told, scope)):
            return None
        return Place(UUID(bytes=told[:_ID_BYTES]), int.from_bytes(told[_ID_BYTES:], "big"))

    def _mac(self, told: bytes, scope: str) -> bytes:
        # What is told has a fixed length, so nothing can be moved from one part to the other.
        return hmac.new(self._key, told + scope.encode(), sha256).digest()[:_MAC_BYTES]

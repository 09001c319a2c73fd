"""Opaque cursors of lists: the last id of a page, signed together with the list that it belongs to.

A cursor of one list or filter is refused by every other. It grants nothing: what may be seen is
decided anew for each page.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final
from uuid import UUID

KEY_BYTES_MIN: Final = 32
_MAC_BYTES: Final = 16
_CURSOR_CHARS: Final = 43


class Cursors:
    """Seals and opens cursors with one key."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES_MIN:
            raise ValueError(f"a cursor key needs {KEY_BYTES_MIN} bytes")
        self._key = key

    def seal(self, after: UUID, scope: str) -> str:
        """A cursor that goes on after `after` in the list that `scope` describes."""
        sealed = after.bytes + self._mac(after.bytes, scope)
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, cursor: str, scope: str) -> UUID | None:
        """The id in a cursor; None when it is not ours, or another list's."""
        if len(cursor) != _CURSOR_CHARS or not cursor.isascii():
            return None
        try:
            sealed = urlsafe_b64decode(cursor + "=")
        except ValueError:
            return None
        place, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(place, scope)):
            return None
        return UUID(bytes=place)

    def _mac(self, place: bytes, scope: str) -> bytes:
        # The id has a fixed length, so nothing can be moved from one part to the other.
        return hmac.new(self._key, place + scope.encode(), sha256).digest()[:_MAC_BYTES]

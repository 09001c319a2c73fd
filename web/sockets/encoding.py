"""Notifications as the bytes that all subscribers get: encoded and framed once, not deflated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from domain.notifications.notification import FeedEntry
from web.sockets.frames import frame_text

_encode: Final = msgspec.json.Encoder().encode


def encode_notification(entry: FeedEntry) -> bytes:
    """A notification as one WebSocket text frame. Satisfies the port `FrameEncoder`."""
    return frame_text(
        _encode(
            {
                "type": entry.notice.type,
                "id": entry.seq,
                "timestamp": entry.at,
                "data": dict(entry.notice.data),
            }
        )
    )


def encode_message(message: Mapping[str, Any]) -> bytes:
    """What the server says to one client, as one WebSocket text frame."""
    return frame_text(_encode(message))

"""The codes with which a socket is closed, for whoever closes one; what each means is told in web.

1006 and 1011 are not among them: nobody chooses them.
"""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """Part of the interface: 1012 and 4408 mean reconnect and resume; 4401 and 4403 mean do not."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL = 1002
    UNSUPPORTED = 1003
    BAD_TEXT = 1007
    TOO_BIG = 1009
    RESTART = 1012
    SIGNED_OUT = 4401
    FORBIDDEN = 4403
    TOO_SLOW = 4408
    RESUMED_ELSEWHERE = 4409
    FLOOD = 4429
    FULL = 4503

"""Which of several media types a caller would rather have, by his Accept header (RFC 9110, 12.5.1).

It refuses nothing: whoever accepts none of them gets the first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_RANGES_MAX: Final = 20
_QUALITY: Final = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """The one of `offered` with the highest quality; of equals the first."""
    if accept is None:
        return offered[0]
    ranges = [_read(part) for part in accept.split(",")[:_RANGES_MAX]]
    return max(offered, key=lambda media_type: _quality(media_type, ranges))


def _read(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return media_range, float(value) if _QUALITY.fullmatch(value.strip()) else 0.0
    return media_range, 1.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """That of the most specific range that holds it; nothing where none does."""
    kind = media_type.partition("/")[0]
    for wanted in (media_type, f"{kind}/*", "*/*"):
        found = [quality for media_range, quality in ranges if media_range == wanted]
        if found:
            return max(found)
    return 0.0

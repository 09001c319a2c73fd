"""What a handler answers, and how it becomes a response.

Bodies are encoded here and nowhere else; the headers that every response has are added by `app.py`,
once. A handler never sees a response.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
from quart import Response
from quart_trio.wrappers import TrioResponse

from web.problems import MEDIA_TYPE, Problem

JSON: Final = "application/json"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is encoded: `document` holds JSON values, UUIDs, dates and instants."""

    document: object
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """An answer that is not JSON."""

    body: bytes
    media_type: str
    headers: tuple[tuple[str, str], ...] = ()


NOTHING: Final = Reply(None, 204)

Outcome = Reply | Page | Problem


def respond(outcome: Outcome, instance: str, request_id: str) -> Response:
    """Encode an outcome; `instance` is the path that was asked for."""
    if isinstance(outcome, Reply):
        if outcome.document is None:
            return _response(b"", outcome.status, None, outcome.headers)
        return _response(_encode(outcome.document), outcome.status, JSON, outcome.headers)
    if isinstance(outcome, Problem):
        body = _encode(outcome.document(instance, request_id))
        return _response(body, outcome.status, MEDIA_TYPE, outcome.headers)
    return _response(outcome.body, 200, outcome.media_type, outcome.headers)


def _response(
    body: bytes, status: int, media_type: str | None, headers: Iterable[tuple[str, str]]
) -> Response:
    response = TrioResponse(body or None, status, content_type=media_type)
    if media_type is None:
        # 204 and 304 describe no body, so they name no type for it.
        del response.headers["Content-Type"]
    for name, value in headers:
        response.headers[name] = value
    return response

"""What a handler answers, and how it becomes a response.

Bodies are encoded here and nowhere else; the headers that every response has are added by `app.py`,
once. A handler never sees a response.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from quart import Response
from quart_trio.wrappers import TrioResponse
from werkzeug.datastructures import Headers as WerkzeugHeaders

from web.responses.problems import MEDIA_TYPE, Problem

JSON: Final = "application/json"
Headers = Sequence[tuple[str, str]]

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is encoded: `document` holds JSON values, UUIDs, dates and instants."""

    document: object
    status: int = 200
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Page:
    """An answer that is not JSON."""

    body: bytes
    media_type: str
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that comes bit by bit, for as long as `body` goes on: it has no time-out."""

    body: AsyncGenerator[bytes, None]
    media_type: str
    headers: Headers = ()

    def bare(self) -> Stream:
        """The same without its body, which is then never begun: what a HEAD is answered with."""
        return replace(self, body=_no_body())


NOTHING: Final = Reply(None, 204)

Outcome = Reply | Page | Stream | Problem


async def _no_body() -> AsyncGenerator[bytes, None]:
    parts: tuple[bytes, ...] = ()
    for part in parts:
        yield part


class WireResponse(TrioResponse):
    """A response whose headers are complete when it is made: nothing is looked up in them again."""

    automatically_set_content_length = False


def respond(outcome: Outcome, instance: str, request_id: str, shared: Headers) -> Response:
    """Encode an outcome; `instance` is the path that was asked for, `shared` every response's.

    A header that the outcome sets is left out of the shared ones.
    """
    if isinstance(outcome, Problem):
        body = _encode(outcome.document(instance, request_id))
        return _response(body, outcome.status, MEDIA_TYPE, outcome.headers, shared)
    if isinstance(outcome, Page):
        return _response(outcome.body, 200, outcome.media_type, outcome.headers, shared)
    if isinstance(outcome, Stream):
        return _streamed(outcome, shared)
    if outcome.document is None:
        return _response(b"", outcome.status, None, outcome.headers, shared)
    return _response(_encode(outcome.document), outcome.status, JSON, outcome.headers, shared)


def _streamed(outcome: Stream, shared: Headers) -> Response:
    headers = WerkzeugHeaders([*outcome.headers, ("Content-Type", outcome.media_type), *shared])
    response = WireResponse(outcome.body, 200, headers, content_type=outcome.media_type)
    response.timeout = None
    return response


def _response(
    body: bytes, status: int, media_type: str | None, own: Headers, shared: Headers
) -> Response:
    headers = [*own]
    if media_type is not None:
        headers += (("Content-Type", media_type), ("Content-Length", str(len(body))))
    names = {name for name, _ in own}
    headers += [header for header in shared if header[0] not in names]
    response = WireResponse(body, status, WerkzeugHeaders(headers), content_type=media_type)
    if media_type is None:
        # 204 and 304 have no body, so they describe none.
        response.headers.remove("Content-Type")
    return response

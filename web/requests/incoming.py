"""A request as it arrives: with its id and its client's address, before its route is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import trio
from quart_trio.wrappers import TrioRequest

from domain.identifiers import UserId

Given = Mapping[str, str]
"""The headers of a request by their lower-case names; repeated ones are joined by commas."""


class ArrivedRequest(TrioRequest):
    """Quart's request and what `app.py` and `web/routing/endpoint.py` find out about it.

    `given` is read many times for each request, and most of it is absent: Quart's own headers
    would raise for each. `arrived_at` is Trio's time; `user_id` is known once a token was read;
    `limit_headers` tell how much of a rate limit is left, once one was asked.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.given = given_headers(self.scope["headers"])
        self.arrived_at = trio.current_time()
        self.request_id = ""
        self.user_id: UserId | None = None
        self.client_address = ""
        self.limit_headers: tuple[tuple[str, str], ...] = ()


def given_headers(raw: Iterable[tuple[bytes, bytes]]) -> Given:
    """Index the headers of an ASGI scope (RFC 9110, section 5.3)."""
    given: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        given[key] = f"{given[key]}, {text}" if key in given else text
    return given

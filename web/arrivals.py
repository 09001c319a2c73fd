"""A request as it arrives: with its id and its client's address, before its route is known."""

from __future__ import annotations

from typing import Any

from quart_trio.wrappers import TrioRequest


class ArrivedRequest(TrioRequest):
    """Quart's request and what `app.py` and `endpoint.py` find out about it.

    `limit_headers` tell how much of a rate limit is left, once one was asked.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request_id = ""
        self.client_address = ""
        self.limit_headers: tuple[tuple[str, str], ...] = ()

"""Reading a list from its first page to its last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from domain.queries import PageRequest
from domain.reports.views import Page

Row = TypeVar("Row")
Read = Callable[[PageRequest], Awaitable[Page[Any]]]


async def whole(read: Read, limit: int, *, descending: bool = False) -> list[Any]:
    """All pages, one after the other; each full but the last."""
    rows: list[Any] = []
    request = PageRequest(limit=limit, descending=descending, with_total=True)
    while True:
        page = await read(request)
        rows.extend(page.items)
        assert page.total is not None
        if page.next_after is None:
            assert len(rows) == page.total
            return rows
        assert len(page.items) == limit
        request = replace(request, after=page.next_after)


def there(row: Row | None) -> Row:
    assert row is not None
    return row

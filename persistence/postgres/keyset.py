"""Keyset pages: rows after an id in the order of ids, one more than asked for to see an end.

A list is a FROM with columns and named conditions; each combination of conditions, direction and
total is compiled once, so that the planner sees only what is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, final

from sqlalchemy import text

from domain.access.roles import Scope, Sight
from domain.queries import PageRequest
from domain.reports.views import Page
from persistence.postgres.pool import PostgresPool
from persistence.postgres.statements import Statement, compiled

Row = TypeVar("Row")
LIMIT_MAX: Final = 200
_AFTER: Final = "CAST(:after AS uuid)"


@final
class KeysetList:
    """One list.

    columns, source: SQL of SELECT and FROM. key: the column that orders; `id` names the row.
    conditions: SQL by name, each with one parameter of that name. after: the value of `key` in the
    row with the id `:after`. part: a second column that orders, where an id has several rows.
    """

    def __init__(
        self,
        columns: str,
        source: str,
        key: str,
        conditions: Mapping[str, str],
        *,
        after: str = _AFTER,
        part: str | None = None,
    ) -> None:
        self._columns = columns
        self._source = source
        self._key = key
        self._after = after
        self._part = part
        self._conditions = dict(conditions)
        self._statements: dict[tuple[object, ...], Statement] = {}

    async def page(
        self,
        pool: PostgresPool,
        request: PageRequest,
        narrowed: Mapping[str, object],
        make: Callable[[Mapping[str, Any]], Row],
    ) -> Page[Row]:
        """On the loop's side: the page, of rows that meet every condition in `narrowed`."""
        assert 1 <= request.limit <= LIMIT_MAX, "the web lets no other limit through"
        values = dict(narrowed)
        if request.after is not None:
            values["after"] = request.after
            if self._part is not None:
                values["after_part"] = request.after_part
        statement = self._statement(tuple(narrowed), request)
        rows = await pool.fetch(statement, page_limit=request.limit + 1, **values)
        items = tuple([make(row) for row in rows[: request.limit]])
        more = len(rows) > request.limit
        total = None
        if request.with_total:
            total = await pool.fetchval(self._total(tuple(narrowed)), **narrowed)
        if not more:
            return Page(items, None, total)
        last = rows[request.limit - 1]
        return Page(items, last["id"], total, 0 if self._part is None else last["part"])

    def _statement(self, names: tuple[str, ...], request: PageRequest) -> Statement:
        shape = (names, request.after is not None, request.descending)
        known = self._statements.get(shape)
        if known is None:
            wanted = [self._conditions[name] for name in names]
            if request.after is not None:
                wanted.append(self._beyond("<" if request.descending else ">"))
            known = self._statements[shape] = compiled(
                text(
                    f"SELECT {self._columns} FROM {self._source}{_where(wanted)}"  # noqa: S608
                    f" ORDER BY {self._order(' DESC' if request.descending else '')}"
                    " LIMIT CAST(:page_limit AS integer)"
                )
            )
        return known

    def _beyond(self, sign: str) -> str:
        if self._part is None:
            return f"{self._key} {sign} {self._after}"
        place = f"({self._after}, CAST(:after_part AS integer))"
        return f"({self._key}, {self._part}) {sign} {place}"

    def _order(self, direction: str) -> str:
        columns = [self._key] if self._part is None else [self._key, self._part]
        return ", ".join(f"{column}{direction}" for column in columns)

    def _total(self, names: tuple[str, ...]) -> Statement:
        shape = ("total", names)
        known = self._statements.get(shape)
        if known is None:
            wanted = [self._conditions[name] for name in names]
            known = self._statements[shape] = compiled(
                text(f"SELECT count(*) FROM {self._source}{_where(wanted)}")  # noqa: S608
            )
        return known


def in_sight(sight: Sight) -> dict[str, object]:
    """The condition that a sight puts on a list, as its name and value; none for all."""
    match sight.scope:
        case Scope.ALL:
            return {}
        case Scope.BRANCH:
            return {"seen_branch": sight.branch_id}
        case Scope.OWN:
            return {"seen_customer": sight.user_id}


def _where(conditions: list[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""

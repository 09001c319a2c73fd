"""What a list of loans and the dashboard read of the database, on a book of any size.

Loans are copied row by row in SQL, under identifiers in the order of their making, as all are;
neither reads their instalments or payments. The dashboard's figures grow by as much.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.access.roles import Sight
from domain.queries import ListLoans, PageRequest
from persistence.commit.compaction import fold
from persistence.postgres.statements import Statement
from persistence.postgres.transaction import transaction
from persistence.queries.loans import LOANS
from persistence.queries.statistics import statistics
from persistence.store import Store

COPIES = """
INSERT INTO loans SELECT (copied.l).* FROM (
  SELECT jsonb_populate_record(l, jsonb_build_object(
           'id', '00000000-0000-7000-8000-'
             || lpad(to_hex(c.n * 1000 + CAST(right(l.number, 3) AS integer)), 12, '0'),
           'number', l.number || '-' || c.n)) AS l
    FROM loans AS l, generate_series({first}, {last}) AS c (n)
   WHERE l.number NOT LIKE '%-%-%' ORDER BY c.n, l.number) AS copied
"""
TALLIES = """
INSERT INTO tally_deltas
SELECT kind, branch_id, currency, status, day, sum(rows) * {times}, sum(total_minor) * {times},
       sum(principal_minor) * {times}
  FROM (SELECT * FROM tallies UNION ALL SELECT * FROM tally_deltas) AS t
 WHERE kind = 'loans' GROUP BY kind, branch_id, currency, status, day
"""
TIDY = "VACUUM (ANALYZE) {table}"
GROW_WITHIN_S = 600.0


@dataclass(frozen=True)
class Reads:
    """Rows that scans gave, and 8 kB pages that were looked at, in memory or not."""

    rows: int
    buffers: int


class Explaining:
    """Stands in for the pool: runs each statement explained, and adds up what it read."""

    def __init__(self, store: Store) -> None:
        self._pool = store.connections.pool
        self.reads = Reads(0, 0)

    async def fetch(self, statement: Statement, **values: object) -> list[Any]:
        """The rows, as the pool gives them."""
        sql = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.sql}"
        async with self._pool.lease() as connection:
            plan = await connection.fetchval(sql, *statement.arguments(**values))
        top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
        buffers = top["Shared Hit Blocks"] + top["Shared Read Blocks"]
        self.reads = Reads(self.reads.rows + _scanned(top), self.reads.buffers + buffers)
        return await self._pool.fetch(statement, **values)


def _scanned(node: dict[str, Any]) -> int:
    own = node["Actual Rows"] * node["Actual Loops"] if "Relation Name" in node else 0
    return int(own) + sum(_scanned(child) for child in node.get("Plans", ()))


async def grow(store: Store, templates: int, loans_before: int, loans: int) -> None:
    """Copy the `templates` that are there until there are `loans`; tidy up as autovacuum would."""
    first, last = loans_before // templates, loans // templates - 1
    await store.connections.run(_run, store, COPIES.format(first=first, last=last))
    times = loans // loans_before - 1
    await store.connections.run(_run, store, TALLIES.format(times=times))
    await store.connections.run(_fold, store)
    for table in ("loans", "tallies", "tally_deltas"):
        await store.connections.run(_run, store, TIDY.format(table=table))


async def _run(store: Store, statement: str) -> None:
    async with store.connections.pool.lease(limit_s=GROW_WITHIN_S) as connection:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute(statement, timeout=GROW_WITHIN_S)
        await connection.execute("RESET statement_timeout")


async def _fold(store: Store) -> None:
    async with transaction(store.connections.pool) as tx:
        assert await fold(tx), "nobody else folds here"


async def list_of_50(store: Store) -> Reads:
    """A page of fifty loans, as `GET /loans/?limit=50` reads it."""
    query = ListLoans(PageRequest(limit=50))

    async def read() -> Reads:
        explaining: Any = Explaining(store)
        page = await LOANS.page(explaining, query.page, {}, lambda row: row)
        assert len(page.items) == 50
        return Reads(explaining.reads.rows, explaining.reads.buffers)

    return await store.connections.run(read)


async def dashboard(store: Store, sight: Sight, today: date) -> Reads:
    """The dashboard's figures over everything in sight."""

    async def read() -> Reads:
        explaining: Any = Explaining(store)
        shown = await statistics(explaining, sight, today)
        assert sum(shown.loans_by_status.values()) > 0
        return Reads(explaining.reads.rows, explaining.reads.buffers)

    return await store.connections.run(read)

"""The change feed: stamps what was committed with dense numbers in the order of commits, and reads.

A transaction stages its notices after all else it writes, and after it has locked what it changes.
So of two transactions of which one saw the other's work, the later one has the higher staging
number, whatever order their commits became visible in. The stamper moves what is committed: a lock
first, then (in a new statement, which sees what the last holder left) one move, transactions in the
order of their highest staging number and each kept together, numbered on from the locked head. It
is a function of the database, `stamp_feed`, so that a look costs two round trips.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, final

from sqlalchemy import text

from domain.identifiers import BranchId, LoanId, UserId
from domain.notices import Audience, FeedBatch, FeedEntry, Notice, NoticeType
from domain.views import FeedPosition
from persistence.commit_bell import CommitBell
from persistence.commit_ears import CommitEars
from persistence.connections import Connections
from persistence.statements import compiled
from persistence.tally_fold import fold
from persistence.transaction import transaction

FOLD_EVERY: Final = 200  # stamped notices, so that reading the figures takes a millisecond

SELECT_HEAD: Final = compiled(text("SELECT epoch, seq FROM feed_head"))
STAMP: Final = compiled(text("SELECT stamp_feed()"))  # written out in the first migration
SELECT_AFTER: Final = compiled(
    text(
        """SELECT h.epoch, h.seq AS head_seq, f.seq, f.at, f.type, f.branch_id, f.customer_id,
               f.topic, f.data
          FROM feed_head AS h
          LEFT JOIN LATERAL (
              SELECT * FROM feed
               WHERE seq > CAST(:after AS bigint) AND h.epoch = CAST(:epoch AS uuid)
               ORDER BY seq LIMIT CAST(:page_limit AS integer)) AS f ON TRUE
         ORDER BY f.seq"""
    )
)


@final
class PostgresFeed:
    """Satisfies the port `Feed`. Every method may raise an Outage."""

    def __init__(self, connections: Connections, bell: CommitBell) -> None:
        self._connections = connections
        self._ears = CommitEars(connections, bell)
        self._stamped = 0  # since the last fold, by this process

    async def position(self) -> FeedPosition:
        """Where the feed ends now: what is staged but not stamped comes after it."""
        row = await self._connections.run(self._connections.pool.fetchrow, SELECT_HEAD)
        assert row is not None, "the feed has a head since the first migration"
        return FeedPosition(row["epoch"], row["seq"])

    async def advance(self, after: FeedPosition, limit: int) -> FeedBatch:
        """Stamp what was committed, then read on, in one crossing.

        With another epoch than that of `after` there are no entries and `head` is where the feed
        ends now: what the caller knew is of no use any more.
        """
        return await self._connections.run(self._advance, after, limit)

    async def history(self, after: FeedPosition, limit: int) -> FeedBatch:
        """Read on without stamping: for those who missed what others were told."""
        return await self._connections.run(self._history, after, limit)

    async def listen(self, on_wake: Callable[[], object], on_lost: Callable[[str], object]) -> None:
        """Call `on_wake` on the Trio thread whenever somebody committed, `on_lost` when deaf."""
        await self._ears.listen(on_wake, on_lost)

    async def stop_listening(self) -> None:
        """Undo `listen`."""
        await self._ears.stop()

    async def _advance(self, after: FeedPosition, limit: int) -> FeedBatch:
        pool = self._connections.pool
        self._stamped += await pool.fetchval(STAMP)
        if self._stamped >= FOLD_EVERY:
            self._stamped = 0
            async with transaction(pool) as tx:
                await fold(tx)
        return await self._history(after, limit)

    async def _history(self, after: FeedPosition, limit: int) -> FeedBatch:
        pool = self._connections.pool
        rows = await pool.fetch(SELECT_AFTER, after=after.seq, epoch=after.epoch, page_limit=limit)
        return _batch(rows, after)


def _batch(rows: list[Any], after: FeedPosition) -> FeedBatch:
    epoch, end = rows[0]["epoch"], rows[0]["head_seq"]
    if epoch != after.epoch:
        return FeedBatch(FeedPosition(epoch, end), (), more=False)
    entries = tuple([_entry(row) for row in rows if row["seq"] is not None])
    last = entries[-1].seq if entries else after.seq
    return FeedBatch(FeedPosition(epoch, last), entries, more=last < end)


def _entry(row: Mapping[str, Any]) -> FeedEntry:
    branch_id, customer_id, topic = row["branch_id"], row["customer_id"], row["topic"]
    notice = Notice(
        NoticeType(row["type"]),
        Audience(
            None if branch_id is None else BranchId(branch_id),
            None if customer_id is None else UserId(customer_id),
        ),
        None if topic is None else LoanId(topic),
        row["data"],
    )
    return FeedEntry(row["seq"], row["at"], notice)

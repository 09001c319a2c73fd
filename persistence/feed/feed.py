"""The change feed: stamps what was committed with dense numbers in the order of commits, and reads.

A transaction stages its notices after all else it writes, and after it has locked what it changes.
So of two transactions of which one saw the other's work, the later one has the higher staging
number, whatever order their commits became visible in. The stamper moves what is committed: a lock
first, then (in a new statement, which sees what the last holder left) one move, transactions in the
order of their highest staging number and each kept together, numbered on from the locked head. It
is a function of the database, `stamp_feed`, so that a look costs two round trips.

Each look compares the life of the database (persistence/feed/life.py): in another one, or when it
was heard further than it goes, the feed has another epoch and no entries for whoever asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, final

from sqlalchemy import text

from domain.identifiers import BranchId, LoanId, UserId
from domain.notifications.notification import Audience, FeedBatch, FeedEntry, Notice, NoticeType
from domain.reports.views import FeedPosition
from persistence.commit.commit_notifier import CommitBell
from persistence.commit.compaction import fold
from persistence.connections import Connections
from persistence.feed.commit_listener import CommitEars
from persistence.feed.life import FeedLife
from persistence.postgres.statements import compiled
from persistence.postgres.transaction import transaction

FOLD_EVERY: Final = 200  # stamped notices, so that reading the figures takes a millisecond

STAMP: Final = compiled(text("SELECT stamp_feed()"))  # written out in the first migration


@final
class PostgresFeed:
    """Satisfies the port `Feed`. Every method may raise an Outage."""

    def __init__(self, connections: Connections, bell: CommitBell) -> None:
        self._connections = connections
        self._ears = CommitEars(connections, bell)
        self._life = FeedLife()
        self._stamped = 0  # since the last fold, by this process

    async def position(self) -> FeedPosition:
        """Where the feed ends now: what is staged but not stamped comes after it."""
        return await self._connections.run(self._position)

    async def advance(self, after: FeedPosition, limit: int) -> FeedBatch:
        """Stamp what was committed, then read on, in one crossing.

        With another epoch than that of `after` there are no entries and `head` is where the feed
        ends now: what the caller knew is of no use any more.
        """
        return await self._connections.run(self._advance, after, limit)

    async def history(self, after: FeedPosition, limit: int) -> FeedBatch:
        """Read on without stamping: for those who missed what others were told."""
        return await self._connections.run(self._history, after, limit)

    async def begin_epoch(self) -> FeedPosition:
        """Begin another epoch because somebody says so; where the feed ends in it."""
        return await self._connections.run(self._begin_epoch)

    async def listen(self, on_wake: Callable[[], object], on_lost: Callable[[str], object]) -> None:
        """Call `on_wake` on the Trio thread when another worker committed, `on_lost` when deaf."""
        await self._ears.listen(on_wake, on_lost)

    async def stop_listening(self) -> None:
        """Undo `listen`."""
        await self._ears.stop()

    async def _position(self) -> FeedPosition:
        async with self._connections.pool.lease() as connection:
            return await self._life.head(connection)

    async def _begin_epoch(self) -> FeedPosition:
        async with self._connections.pool.lease() as connection:
            return await self._life.begin(connection, is_ordered=True)

    async def _advance(self, after: FeedPosition, limit: int) -> FeedBatch:
        pool = self._connections.pool
        async with pool.lease() as connection:
            self._stamped += await connection.fetchval(STAMP.sql)
            batch = await self._batch(connection, after, limit, read_to=after)
        if self._stamped >= FOLD_EVERY:
            self._stamped = 0
            async with transaction(pool) as tx:
                await fold(tx)
        return batch

    async def _history(self, after: FeedPosition, limit: int) -> FeedBatch:
        async with self._connections.pool.lease() as connection:
            return await self._batch(connection, after, limit, read_to=None)

    async def _batch(
        self, connection: Any, after: FeedPosition, limit: int, read_to: FeedPosition | None
    ) -> FeedBatch:
        """What comes after a position. `read_to` is one that this process has read to itself."""
        rows = await self._life.after(connection, after, limit)
        head = FeedPosition(rows[0]["epoch"], rows[0]["head_seq"])
        is_behind = head.epoch == after.epoch and head.seq < after.seq
        if not rows[0]["is_same"] or (is_behind and read_to is not None):
            head = await self._life.begin(connection, read_to)
        if head.epoch != after.epoch or is_behind:
            return FeedBatch(head, (), more=False)
        entries = tuple([_entry(row) for row in rows if row["seq"] is not None])
        last = entries[-1].seq if entries else after.seq
        return FeedBatch(FeedPosition(head.epoch, last), entries, more=last < head.seq)


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

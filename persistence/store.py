"""The store: bridge, pools and all adapters as one thing that is started and stopped.

Its adapters are attributes that may be taken before the start and outlive a restart. A database
that goes away later is not an end of the store: calls raise outages until it is back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, final
from uuid import UUID

import trio

from domain.identifiers import UserId
from domain.outages import DeadlinePassed, StoreUnavailable
from persistence.accounts.accounts import PostgresAccounts
from persistence.accounts.wrong_tries import PostgresWrongTries
from persistence.commit.commit_notifier import CHANNEL, CommitBell
from persistence.commit.unit_of_work import UnitsOfWork
from persistence.connections import Connections
from persistence.consistency.rebuild import PostgresRebuild
from persistence.feed.announcements import PostgresAnnouncements
from persistence.feed.feed import PostgresFeed
from persistence.loans.book import PostgresLoanBook
from persistence.migration import Migrated, migrate
from persistence.migration_watch import Patience
from persistence.node.cleanup import KEYS_KEPT, PostgresUpkeep
from persistence.node.database_clock import DatabaseTime
from persistence.node.health import StoreHealth
from persistence.node.leadership import PostgresLeadership
from persistence.node.operations_log import PostgresOperationsLog
from persistence.node.presence import PostgresPresence
from persistence.node.sockets import PostgresSocketRecords
from persistence.postgres.dial import PoolLimits
from persistence.postgres.errors import NotLetIn
from persistence.products import PostgresProducts
from persistence.queries.ledger import PostgresBooks
from persistence.queries.loans import PostgresReadings
from persistence.redis_pool import RedisPool

TRY_AGAIN_S: Final = 0.25
TELL_S: Final = 5.0

_log = logging.getLogger("persistence.store")


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """What may be set: bounds of the pool, how long keys are kept, the channel of the bell.

    `holder` is the name under which it leads; `node` (the machine and its program) and `worker` are
    those under which it says who is present.
    """

    limits: PoolLimits = field(default_factory=PoolLimits)
    keys_kept: timedelta = KEYS_KEPT
    channel: str = CHANNEL
    holder: str = "a worker"
    node: str = "a node"
    worker: str = "worker-1"


@final
class Store:
    """Satisfies by its attributes all ports of a store.

    LoanBook, Products, Readings, Books, Accounts, Announcements, OperationsLog, SocketRecords,
    PresenceBoard, Feed, Upkeep, TryLedger, Leadership and Health.

    database_url: `postgresql://` or `postgresql+asyncpg://`. redis_url: empty for none.
    """

    def __init__(
        self, database_url: str, redis_url: str = "", options: StoreOptions | None = None
    ) -> None:
        options = options or StoreOptions()
        self.connections = Connections(database_url, redis_url, options.limits)
        self._bell = CommitBell(self.connections, options.channel)
        units = UnitsOfWork(self.connections, self._bell)
        self.loan_book = PostgresLoanBook(units)
        self.readings = PostgresReadings(self.connections)
        self.products = PostgresProducts(self.connections, units)
        self.books = PostgresBooks(self.connections)
        self.accounts = PostgresAccounts(self.connections, units)
        self.announcements = PostgresAnnouncements(units)
        self.operations = PostgresOperationsLog(units)
        self.presence = PostgresPresence(self.connections, options.node, options.worker)
        self.sockets = PostgresSocketRecords(self.connections, units)
        self.feed = PostgresFeed(self.connections, self._bell)
        self.rebuild = PostgresRebuild(self.connections, units)
        self.upkeep = PostgresUpkeep(self.connections, keys_kept=options.keys_kept)
        self.leadership = PostgresLeadership(self.connections, options.holder)
        self.wrong_tries = PostgresWrongTries(self.connections)
        self.time = DatabaseTime(self.connections)
        self.health = StoreHealth(self.connections)

    async def start(self, *, wait_s: float = 30.0, tell_s: float = TELL_S) -> Migrated:
        """Start the bridge and bring the database to our schema; started means ready.

        Waits up to `wait_s` for a database that is away or silent, then raises its
        StoreUnavailable; a migration that the database works on may take longer. While it waits,
        the log says every `tell_s` what for. Raises NotLetIn at once where no waiting mends it, and
        SchemaIsNewer when this program is too old.
        What was begun is undone on any error.
        """
        await self.connections.open()
        try:
            return await self._migrated(wait_s, Patience(tell_s=tell_s))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Hang up; may be started again. Shielded, and bounded by the bridge and the pools."""
        with trio.CancelScope(shield=True):
            await self.connections.close()

    def on_commit(self, listener: Callable[[], object]) -> None:
        """Have `listener` called on the Trio thread after each commit of this process."""
        self._bell.on_ring(listener)

    async def has_users(self) -> bool:
        """Whether anybody could sign in at all."""
        return await self.accounts.has_users()

    async def make_first_administrator(
        self,
        user_id: UserId,
        email: str,
        password_hash: str,
        at: datetime,
        *,
        must_change_password: bool = False,
    ) -> bool:
        """Make the first user, an administrator without a branch; False when there is one."""
        return await self.accounts.make_first_administrator(
            user_id, email, password_hash, at, must_change_password=must_change_password
        )

    async def record_four_eyes(self, entry_id: UUID, at: datetime, node: str, *, on: bool) -> None:
        """Have the audit trail say whether one person may act alone, if it says otherwise."""
        await self.operations.record_four_eyes(entry_id, at, node, on=on)

    async def wait_lost(self) -> None:
        """Return when the bridge's thread has ended, asked or not."""
        await self.connections.bridge.wait_ended()

    @property
    def redis(self) -> RedisPool | None:
        """The connections to Redis, for what else is to be quick; use on the loop's side."""
        return self.connections.redis

    async def _migrated(self, wait_s: float, patience: Patience) -> Migrated:
        began = told_at = trio.current_time()
        while True:
            # One try must not outlast the deadline of them all.
            left_s = max(TRY_AGAIN_S, began + wait_s - trio.current_time())
            once = replace(patience, silence_s=min(patience.silence_s, left_s))
            try:
                return await self.connections.run(migrate, self.connections.pool, once)
            except (StoreUnavailable, DeadlinePassed) as outage:
                now = trio.current_time()
                is_final = isinstance(outage, NotLetIn) and not outage.may_come
                if is_final or now + TRY_AGAIN_S >= began + wait_s:
                    raise
                if now - told_at >= patience.tell_s:
                    told_at = now
                    _log.warning(
                        "waiting for the database, for %.0f s of %.0f s so far: %s",
                        *(now - began, wait_s, outage.in_full),
                    )
            await trio.sleep(TRY_AGAIN_S)

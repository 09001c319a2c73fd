"""In which life of the database the feed is: whether it was put back since its epoch began.

A restore brings an earlier feed back, and so does a fail-over to a replica that lagged. Each is
told by what it does not bring along: the cluster's system identifier (a dump in another cluster),
its timeline (a promoted replica, a recovery to a point in time), and the oids of the database and
of `feed_head` (a dump in the same cluster, a copy that was renamed). All four stand in `feed_head`,
as they were when the epoch began, and are compared with those of now in every look at the feed:
nothing is handed on that was not read in the life of its epoch. In another life another epoch
begins, and the terms of leaders go on far beyond those that the former life may have given out.

The timeline is also asked of the log that is written now: after a promotion pg_control tells of it
no sooner than at the next checkpoint. A copy of files differs in nothing: whoever puts one back
says so (`lendwire new-epoch`).
"""

from __future__ import annotations

import logging
from typing import Any, Final, final

import asyncpg
from sqlalchemy import text
from uuid_utils.compat import uuid7

from domain.reports.views import FeedPosition
from persistence.postgres.statements import Statement, compiled

FORBIDDEN: Final = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedFunctionError,
    asyncpg.FeatureNotSupportedError,
)
TERMS_PER_LIFE: Final = 1_000_000  # more than change hands after any back-up
MARKS: Final = {
    "system_identifier": "the cluster",
    "timeline": "the timeline",
    "database_oid": "the database",
    "table_oid": "the table",
}

_NOW: Final = """
    SELECT c.system_identifier, CAST(d.oid AS bigint) AS database_oid,
           greatest(k.timeline_id, CASE WHEN NOT pg_is_in_recovery() THEN CAST(CAST('x' ||
               left(pg_walfile_name(pg_current_wal_lsn()), 8) AS bit(32)) AS integer) END)
               AS timeline
      FROM pg_control_system() AS c, pg_control_checkpoint() AS k, pg_database AS d
     WHERE d.datname = current_database()"""
_NOW_BY_OIDS: Final = """
    SELECT CAST(NULL AS bigint) AS system_identifier, CAST(d.oid AS bigint) AS database_oid,
           CAST(NULL AS integer) AS timeline
      FROM pg_database AS d WHERE d.datname = current_database()"""
_SAME_BY_OIDS: Final = (
    "h.database_oid = now.database_oid AND h.table_oid = CAST(h.tableoid AS bigint)"
)
_SAME: Final = (
    f"h.system_identifier = now.system_identifier AND h.timeline = now.timeline AND {_SAME_BY_OIDS}"
)

_log = logging.getLogger("persistence.feed_life")


@final
class Looks:
    """The statements that look at the feed and compare its life; `is_same` is a column of each.

    now: a query for the marks of now. same: whether they are those of the epoch, NULL for no.
    """

    def __init__(self, now: str, same: str) -> None:
        same = f"coalesce({same}, FALSE)"
        self.head: Statement = compiled(
            text(
                f"SELECT h.epoch, h.seq AS head_seq, {same} AS is_same"  # noqa: S608  constants
                f" FROM feed_head AS h, ({now}) AS now"
            )
        )
        self.after: Statement = compiled(
            text(
                f"""SELECT h.epoch, h.seq AS head_seq, {same} AS is_same,
                       f.seq, f.at, f.type, f.branch_id, f.customer_id, f.topic, f.data
                  FROM feed_head AS h CROSS JOIN ({now}) AS now
                  LEFT JOIN LATERAL (
                      SELECT * FROM feed
                       WHERE seq > CAST(:after AS bigint) AND h.epoch = CAST(:epoch AS uuid)
                       ORDER BY seq LIMIT CAST(:page_limit AS integer)) AS f ON TRUE
                 ORDER BY f.seq"""  # noqa: S608
            )
        )
        self.marks: Statement = compiled(
            text(
                f"""SELECT h.epoch, h.seq, h.system_identifier, h.timeline, h.database_oid,
                       h.table_oid, now.system_identifier AS system_identifier_now,
                       now.timeline AS timeline_now, now.database_oid AS database_oid_now,
                       CAST(h.tableoid AS bigint) AS table_oid_now
                  FROM feed_head AS h, ({now}) AS now"""  # noqa: S608
            )
        )
        # One statement, so that of all who notice the same restore one begins an epoch.
        self.begin: Statement = compiled(
            text(
                f"""WITH begun AS (
                    UPDATE feed_head AS h
                       SET epoch = CAST(:epoch AS uuid), system_identifier = now.system_identifier,
                           timeline = now.timeline, database_oid = now.database_oid,
                           table_oid = CAST(h.tableoid AS bigint)
                      FROM ({now}) AS now
                     WHERE CAST(:is_ordered AS boolean) OR NOT {same}
                        OR (h.epoch = CAST(:heard_epoch AS uuid)
                            AND h.seq < CAST(:heard_seq AS bigint))
                    RETURNING h.epoch, h.seq),
                deposed AS (
                    UPDATE leadership SET term = term + CAST(:terms AS bigint)
                     WHERE CAST(:terms AS bigint) > 0 AND EXISTS (SELECT FROM begun))
                SELECT epoch, seq FROM begun"""  # noqa: S608
            )
        )


ALL_MARKS: Final = Looks(_NOW, _SAME)
BY_OIDS: Final = Looks(_NOW_BY_OIDS, _SAME_BY_OIDS)


@final
class FeedLife:
    """Looks at the feed, on a connection that is lent, and begins another epoch when it is due.

    On the loop's side.
    """

    def __init__(self) -> None:
        self._looks = ALL_MARKS

    async def head(self, connection: Any) -> FeedPosition:
        """Where the feed ends, in the epoch of this life."""
        row = (await self._look(connection, "head"))[0]
        if not row["is_same"]:
            return await self.begin(connection)
        return FeedPosition(row["epoch"], row["head_seq"])

    async def after(self, connection: Any, after: FeedPosition, limit: int) -> list[Any]:
        """The head with the entries after a position: one row at least, see `Looks.after`."""
        return await self._look(
            connection, "after", after=after.seq, epoch=after.epoch, page_limit=limit
        )

    async def begin(
        self, connection: Any, heard: FeedPosition | None = None, *, is_ordered: bool = False
    ) -> FeedPosition:
        """Begin another epoch, unless somebody has meanwhile; where the feed ends in it.

        That the feed has been `heard` further than it goes is a reason, and so is an order.
        """
        before = (await self._look(connection, "marks"))[0]
        begun = await self._look(
            connection,
            "begin",
            epoch=uuid7(),
            is_ordered=is_ordered,
            heard_epoch=None if heard is None else heard.epoch,
            heard_seq=None if heard is None else heard.seq,
            terms=TERMS_PER_LIFE if is_ordered or before["database_oid"] is not None else 0,
        )
        if not begun:
            row = (await self._look(connection, "head"))[0]
            return FeedPosition(row["epoch"], row["head_seq"])
        position = FeedPosition(begun[0]["epoch"], begun[0]["seq"])
        # A database that was just made is of no known life either, and nobody has heard of it.
        _log.log(
            logging.INFO
            if before["database_oid"] is None and position.seq == 0
            else logging.WARNING,
            "another epoch of the feed begins: %s",
            "as ordered" if is_ordered else _why(before, heard),
            extra={"seq": position.seq, "epoch": str(position.epoch)},
        )
        return position

    async def _look(self, connection: Any, which: str, **values: object) -> list[Any]:
        statement: Statement = getattr(self._looks, which)
        try:
            rows: list[Any] = await connection.fetch(statement.sql, *statement.arguments(**values))
        except FORBIDDEN as error:
            if self._looks is BY_OIDS:
                raise
            self._looks = BY_OIDS
            _log.warning(
                "pg_control_system and pg_control_checkpoint may not be asked (%s): a restore is"
                " noticed by the oids of the database and of its table alone, so say it after a"
                " fail-over (lendwire new-epoch)",
                error,
            )
            return await self._look(connection, which, **values)
        return rows


def _why(marks: Any, heard: FeedPosition | None) -> str:
    if marks["database_oid"] is None:
        return "nothing tells yet which life of the database this is"
    changed = [
        name
        for mark, name in MARKS.items()
        if marks[f"{mark}_now"] is not None and marks[mark] != marks[f"{mark}_now"]
    ]
    if changed:
        return f"the database was put back: not as before are {' and '.join(changed)}"
    if heard is not None:
        return f"the database was put back, it ends at {marks['seq']} and was read to {heard.seq}"
    return "the database was put back"

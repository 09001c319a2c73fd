"""Who is present: what each worker writes of its own users, and what is read of all of them.

A worker that is silent for longer than `STALE` is gone, and its users with it. Who has no socket
left stays present for a `LINGER`: that is a flap, and his `since` goes on. All instants are
the database's, so that machines need not agree on the hour. Redis has no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, final
from uuid import UUID, uuid4

from sqlalchemy import text

from domain.access.roles import Role, Scope, Sight
from domain.identifiers import BranchId, UserId
from domain.queries import PageRequest
from domain.reports.views import Page, PresentUser
from persistence.connections import Connections
from persistence.postgres.keyset import KeysetList
from persistence.postgres.statements import compiled

LINGER: Final = timedelta(seconds=10)
STALE: Final = timedelta(seconds=15)

_LINGER: Final = f"interval '{LINGER.total_seconds()} seconds'"
_STALE: Final = f"interval '{STALE.total_seconds()} seconds'"
_IS_THERE: Final = (
    f"w.seen_at > clock_timestamp() - {_STALE}"
    f" AND (p.left_at IS NULL OR p.left_at > clock_timestamp() - {_LINGER})"
)

# `since` goes on while the user is or lingers anywhere, this worker included.
REPORT: Final = compiled(
    text(
        f"""WITH alive AS (
            INSERT INTO presence_workers (id, node, name, seen_at)
            VALUES (CAST(:worker_id AS uuid), CAST(:node AS text), CAST(:name AS text),
                    clock_timestamp())
            ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()),
        vanished AS (
            UPDATE presence SET sockets = 0, left_at = clock_timestamp()
             WHERE CAST(:whole AS boolean) AND worker_id = CAST(:worker_id AS uuid)
               AND sockets > 0 AND user_id <> ALL (CAST(:users AS uuid[])))
        INSERT INTO presence AS p (user_id, worker_id, sockets, since, left_at)
        SELECT given.user_id, CAST(:worker_id AS uuid), given.sockets,
               coalesce(known.since, clock_timestamp()),
               CASE WHEN given.sockets = 0 THEN clock_timestamp() END
          FROM unnest(CAST(:users AS uuid[]), CAST(:counts AS integer[]))
               AS given (user_id, sockets)
          LEFT JOIN LATERAL (
               SELECT min(p.since) AS since
                 FROM presence AS p JOIN presence_workers AS w ON w.id = p.worker_id
                WHERE p.user_id = given.user_id AND {_IS_THERE}) AS known ON TRUE
        ON CONFLICT (user_id, worker_id) DO UPDATE
           SET sockets = EXCLUDED.sockets, since = EXCLUDED.since, left_at = EXCLUDED.left_at"""  # noqa: S608
    )
)
SELECT_AFAR: Final = compiled(
    text(
        f"""SELECT w.node || '/' || w.name AS worker, p.user_id, p.sockets
          FROM presence_workers AS w LEFT JOIN presence AS p
            ON p.worker_id = w.id AND p.sockets > 0
         WHERE w.node <> CAST(:node AS text) AND w.seen_at > clock_timestamp() - {_STALE}"""  # noqa: S608
    )
)
PRESENT: Final = KeysetList(
    "u.id, u.full_name, u.role, u.branch_id, here.since, here.sockets, here.left_at",
    f"""users AS u JOIN (
        SELECT p.user_id, min(p.since) AS since, sum(p.sockets)::integer AS sockets,
               CASE WHEN bool_and(p.left_at IS NOT NULL) THEN max(p.left_at) END AS left_at
          FROM presence AS p JOIN presence_workers AS w ON w.id = p.worker_id
         WHERE {_IS_THERE} GROUP BY p.user_id) AS here ON here.user_id = u.id""",  # noqa: S608
    "u.id",
    {
        "seen_branch": "u.branch_id = CAST(:seen_branch AS uuid)",
        "seen_user": "u.id = CAST(:seen_user AS uuid)",
    },
)


@final
class PostgresPresence:
    """Satisfies the port `PresenceBoard`. Every method may raise an Outage.

    node: the machine and program of this worker; name: which of its workers it is.
    """

    def __init__(self, connections: Connections, node: str, name: str) -> None:
        self._connections = connections
        self._worker_id: UUID = uuid4()
        self._node = node
        self._name = name

    async def report(self, sockets: Mapping[UserId, int], *, whole: bool) -> None:
        """Write how many sockets these users have here, and that this worker is alive.

        With `whole` nobody else has any here.
        """
        await self._connections.run(
            self._connections.pool.fetch,
            REPORT,
            worker_id=self._worker_id,
            node=self._node,
            name=self._name,
            whole=whole,
            users=list(sockets),
            counts=list(sockets.values()),
        )

    async def afar(self) -> dict[str, dict[UserId, int]]:
        """The sockets of each user at each worker of other nodes on this database."""
        rows = await self._connections.run(
            self._connections.pool.fetch, SELECT_AFAR, node=self._node
        )
        found: dict[str, dict[UserId, int]] = {}
        for row in rows:
            users = found.setdefault(row["worker"], {})
            if row["user_id"] is not None:
                users[UserId(row["user_id"])] = row["sockets"]
        return found

    async def present(self, page: PageRequest, sight: Sight) -> Page[PresentUser]:
        """A page of who is present anywhere, of those in sight."""
        narrowed: dict[str, object] = {}
        if sight.scope is Scope.BRANCH:
            narrowed["seen_branch"] = sight.branch_id
        elif sight.scope is Scope.OWN:
            narrowed["seen_user"] = sight.user_id
        return await self._connections.run(
            PRESENT.page, self._connections.pool, page, narrowed, _present
        )


def _present(row: Mapping[str, Any]) -> PresentUser:
    return PresentUser(
        user_id=UserId(row["id"]),
        full_name=row["full_name"],
        role=Role(row["role"]),
        branch_id=None if row["branch_id"] is None else BranchId(row["branch_id"]),
        connections=row["sockets"],
        since=row["since"],
        left_at=row["left_at"],
    )

"""What a socket with its session weighs: resident memory of a real server, users all distinct.

    python bench/socket_weight.py [--sockets 1000]

The users and their sign-ins are copies of one, made in SQL; their tokens are minted here.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

from bench import run, seed_lendwire  # noqa: E402
from bench.fanout import ROOMY  # noqa: E402
from bench.subscribers import Subscribers  # noqa: E402
from domain.access.account import Account  # noqa: E402
from domain.access.roles import Role  # noqa: E402
from domain.identifiers import SessionId, UserId  # noqa: E402
from server.embedded.home import Home  # noqa: E402
from server.embedded.postgres import EmbeddedPostgres  # noqa: E402
from server.embedded.valkey import EmbeddedValkey  # noqa: E402
from web.security.tokens import JwtTokens  # noqa: E402

KEY = "0123456789abcdef" * 4
SETTLE_S = 3.0
PAIRS = """
CREATE TEMP TABLE copies AS SELECT n, gen_random_uuid() AS user_id, gen_random_uuid() AS session_id
FROM generate_series(1, $1::integer) AS n
"""
USERS = """
INSERT INTO users SELECT (u).* FROM (
  SELECT jsonb_populate_record(
    users, jsonb_build_object('id', c.user_id, 'email', 'copy' || c.n || '@example.com')) AS u
  FROM users, copies c WHERE users.id = $1) AS copied
"""
SESSIONS = """
INSERT INTO sign_in_sessions SELECT (s).* FROM (
  SELECT jsonb_populate_record(
    sign_in_sessions, jsonb_build_object('id', c.session_id, 'user_id', c.user_id)) AS s
  FROM sign_in_sessions, copies c WHERE sign_in_sessions.user_id = $1) AS copied
"""


async def copy_people(dsn: str, user_id: str, count: int) -> list[tuple[UUID, UUID]]:
    """Make copies of a signed-in user; their ids and those of their sign-ins."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(PAIRS.replace("$1::integer", str(count)))
        for statement in (USERS, SESSIONS):
            await connection.execute(statement, user_id)
        rows = await connection.fetch("SELECT user_id, session_id FROM copies")
        return [(row["user_id"], row["session_id"]) for row in rows]
    finally:
        await connection.close()


def tickets_in(people: list[tuple[UUID, UUID]]) -> list[tuple[str, str | None]]:
    """A path and a token for each."""
    tokens, now = JwtTokens(KEY.encode(), timedelta(hours=1)), datetime.now(UTC)
    found: list[tuple[str, str | None]] = []
    for user_id, session_id in people:
        account = Account(
            UserId(user_id),
            "",
            "",
            Role.OFFICER,
            None,
            is_active=True,
            version=1,
            sync_status="local",
            created_at=now,
            updated_at=now,
        )
        token, _ = tokens.access_token(account, SessionId(session_id), now)
        found.append((f"/ws/connect/{user_id}", token))
    return found


def pid_of(counts: Path) -> int:
    """The server that was told to count there."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(counts).encode() in told:
            return int(entry.name)
    sys.exit("the server has gone")


def resident_kib(pid: int) -> int:
    """The resident set of a process."""
    for line in (Path("/proc") / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    sys.exit("the server has gone")


def settled_kib(pid: int) -> int:
    """The same when it has come to rest."""
    time.sleep(SETTLE_S)
    return resident_kib(pid)


def main() -> None:
    """Start a server, open the sockets in two halves, and say what one weighs."""
    place = Path(tempfile.mkdtemp(prefix="lendwire-bench-"))
    try:
        with run.lendwire(place / "stores", {}):
            home = Home(place / "stores")
            dsn, redis_url = EmbeddedPostgres(home).dsn, EmbeddedValkey(home).url
            asyncio.run(run.create_databases(dsn, "ours"))
            ours = dsn.replace("/postgres?", "/ours?")
            own = {"DATABASE_URL": ours, "REDIS_URL": redis_url, "JWT_SECRET_KEY": KEY, **ROOMY}
            with run.lendwire(place / "node", own, place / "counts") as url:
                book = seed_lendwire.seed(url, ours, run.ADMIN, 10)
                people = asyncio.run(copy_people(ours, book.user_ids[0], ARGUMENTS.sockets + 100))
                who, port = tickets_in(people), int(url.rsplit(":", 1)[1])
                first = Subscribers(port, who[:100])  # whatever is made once is made by these
                pid = pid_of(place / "counts")
                before = settled_kib(pid)
                rest = Subscribers(port, who[100:])
                weighed = (settled_kib(pid) - before) / len(rest)
                print(f"a socket with its session: {weighed:.1f} KiB ({len(rest)} distinct users)")
                first.close()
                rest.close()
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockets", type=int, default=1000)
    ARGUMENTS = parser.parse_args()
    main()

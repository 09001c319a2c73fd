"""Migrations: once, whoever tries; to the end, whoever was killed; and never under a newer one."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from domain.outages import StoreUnavailable
from persistence import migration
from persistence.connections import Connections
from persistence.migration import MIGRATIONS, Migrated, SchemaIsNewer, migrate, newest_revision
from persistence.tables import FACTS, METADATA

pytestmark = pytest.mark.store

ROOT = Path(__file__).resolve().parents[2]
MIGRATOR = """
import sys, trio
from persistence.connections import Connections
from persistence.migration import migrate
async def main():
    connections = Connections(sys.argv[1], "")
    await connections.open()
    print(await connections.run(migrate, connections.pool))
    await connections.close()
trio.run(main)
"""


@pytest.fixture
async def connections(empty_dsn: str) -> AsyncIterator[Connections]:
    connections = Connections(empty_dsn, "")
    await connections.open()
    yield connections
    await connections.close()


async def sql(connections: Connections, text: str) -> list[Any]:
    async def run() -> list[Any]:
        async with connections.pool.lease() as connection:
            return list(await connection.fetch(text))

    return await connections.run(run)


async def in_schema(connections: Connections, look: Any) -> Any:
    async def run() -> Any:
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=connections.pool.dial, poolclass=NullPool
        )
        async with engine.begin() as connection:
            return await connection.run_sync(look)

    return await connections.run(run)


async def test_five_that_start_at_once_migrate_once(empty_dsn: str) -> None:
    done: list[Migrated] = []

    async def start() -> None:
        connections = Connections(empty_dsn, "")
        await connections.open()
        done.append(await connections.run(migrate, connections.pool))
        await connections.close()

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(start)
    head = newest_revision()
    assert sorted(str(migrated.before) for migrated in done) == [head] * 4 + ["None"]
    assert {migrated.after for migrated in done} == {head}


async def test_a_killed_migrator_leaves_the_next_one_able_to_finish(
    connections: Connections, empty_dsn: str
) -> None:
    """It is killed in the middle of its steps: they wait for a table that we hold."""
    held = await connections.run(connections.pool.dial)
    await connections.run(held.execute, "BEGIN; CREATE TABLE branches (id int)")
    migrator = subprocess.Popen([sys.executable, "-c", MIGRATOR, empty_dsn], cwd=ROOT)
    waiting = (
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%CREATE%'"
    )
    with trio.fail_after(60):
        while not await sql(connections, waiting):
            assert migrator.poll() is None
            await trio.sleep(0.05)
    migrator.send_signal(signal.SIGKILL)
    migrator.wait()
    await connections.run(held.execute, "ROLLBACK")
    await connections.run(held.close)
    with trio.fail_after(60):
        migrated = await connections.run(migrate, connections.pool)
    assert migrated == Migrated(None, newest_revision())
    assert len(await sql(connections, "SELECT FROM node")) == 1


async def test_an_older_program_refuses_a_newer_schema(connections: Connections) -> None:
    await connections.run(migrate, connections.pool)
    await sql(connections, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaIsNewer) as refused:
        await connections.run(migrate, connections.pool)
    said = str(refused.value)
    assert "9999" in said
    assert said.count(".") == 1, "one sentence"


async def test_a_database_that_is_away_is_an_outage() -> None:
    connections = Connections("postgresql://postgres@127.0.0.1:1/nothing", "")
    await connections.open()
    with pytest.raises(StoreUnavailable):
        await connections.run(migrate, connections.pool)
    await connections.close()


async def test_the_schema_is_the_sum_of_its_migrations(connections: Connections) -> None:
    await connections.run(migrate, connections.pool)

    def compare(connection: Connection) -> Any:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)

    assert await in_schema(connections, compare) == []
    migrated = await catalogue(connections)

    def rebuild(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE SCHEMA described")
        connection.exec_driver_sql("SET search_path = described")
        METADATA.create_all(connection)

    await in_schema(connections, rebuild)
    described = await catalogue(connections, "described")
    assert migrated - described == set()
    assert described - migrated == set()
    assert len(described) > 300


async def catalogue(connections: Connections, schema: str = "public") -> set[str]:
    """Every table, column, constraint, index and sequence, in PostgreSQL's words."""
    rows = await sql(
        connections,
        f"""
        SELECT 'table ' || c.relname || coalesce(c.reloptions::text, '') AS line
          FROM pg_class AS c WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind = 'r'
        UNION ALL
        SELECT concat_ws(' ', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                         a.attnotnull, a.attidentity::text, pg_get_expr(d.adbin, d.adrelid))
          FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
          LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind = 'r'
           AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT concat_ws(' ', 'constraint', c.relname, k.conname, pg_get_constraintdef(k.oid))
          FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
         WHERE k.connamespace = '{schema}'::regnamespace AND k.contype <> 't'
        UNION ALL
        SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = '{schema}'
        UNION ALL
        SELECT concat_ws(' ', 'sequence', sequencename, start_value, increment_by, cache_size)
          FROM pg_sequences WHERE schemaname = '{schema}'""",
    )
    lines = {re.sub(rf"\b{schema}\.", "", row["line"]) for row in rows}
    return {line for line in lines if "alembic_version" not in line}


async def test_the_triggers_guard_the_books_and_count_changes_of_access(
    connections: Connections,
) -> None:
    await connections.run(migrate, connections.pool)
    rows = await sql(
        connections,
        "SELECT pg_get_triggerdef(oid) AS line FROM pg_trigger WHERE NOT tgisinternal",
    )
    guards = {
        f"CREATE TRIGGER {table.name}_are_facts BEFORE DELETE OR UPDATE OR TRUNCATE"
        f" ON public.{table.name} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        for table in FACTS
    }
    # Servers differ in the brackets that they put round a condition.
    told = {re.sub(r" WHEN \(.*\) EXECUTE", " WHEN (...) EXECUTE", row["line"]) for row in rows}
    assert told == guards | {
        (
            "CREATE CONSTRAINT TRIGGER journal_transactions_balance AFTER INSERT"
            " ON public.journal_transactions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            " EXECUTE FUNCTION journal_transaction_balances()"
        ),
        (
            "CREATE TRIGGER journal_lines_balance AFTER INSERT ON public.journal_lines"
            " REFERENCING NEW TABLE AS added FOR EACH STATEMENT"
            " EXECUTE FUNCTION journal_lines_balance()"
        ),
        (
            "CREATE TRIGGER users_raise_access_number BEFORE UPDATE OF role, branch_id, is_active"
            " ON public.users FOR EACH ROW WHEN (...)"
            " EXECUTE FUNCTION raise_access_number()"
        ),
    }


def test_migrations_are_numbered_without_gaps_and_never_go_back() -> None:
    names = sorted(path.name for path in (MIGRATIONS / "versions").glob("*.py"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for name in names:
        assert "def downgrade" not in (MIGRATIONS / "versions" / name).read_text()


async def test_fingerprints_of_bodies_with_passwords_are_deleted_and_their_keys_kept(
    connections: Connections,
) -> None:
    """V2: a replay after the upgrade is answered from what is kept, and does nothing twice."""
    await in_schema(connections, climbing_to("0014"))
    await sql(
        connections,
        "INSERT INTO idempotency_keys (user_id, method, path, key, fingerprint, view_type, view,"
        " created_at) SELECT gen_random_uuid(), method, path, 'k', sha256('hunter2'), 'account',"
        " '{}', now() FROM (VALUES ('POST', '/users'), ('POST', '/users/a-user/password'),"
        " ('POST', '/payments'), ('POST', '/loans/a-loan/users'), ('DELETE', '/users'))"
        " AS asked (method, path)",
    )
    await in_schema(connections, climbing_to("0015"))
    kept = await sql(connections, "SELECT method, path, fingerprint FROM idempotency_keys")
    assert {(row["method"], row["path"]) for row in kept if row["fingerprint"] is None} == {
        ("POST", "/users"),
        ("POST", "/users/a-user/password"),
    }
    assert len(kept) == 5


def climbing_to(revision: str) -> Any:
    """What brings an older schema to `revision`, and no further."""

    def climb(connection: Connection) -> None:
        config = migration._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    return climb

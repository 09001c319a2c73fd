"""`lendwire rebuild` beside a running server: what was damaged is found, named and repaired."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import asyncpg
import pytest
import trio

from tests.acceptance.node import Node, active_loan, hire


async def rebuild(node: Node, *flags: str) -> subprocess.CompletedProcess[str]:
    return await trio.to_thread.run_sync(
        lambda: subprocess.run(
            [*node.beside(), sys.executable, "-m", "server", "rebuild", *flags],
            env={**os.environ, **node.environment, "LENDWIRE_HOME": str(node.home)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    )


async def damage(node: Node, statement: str, *values: object) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(node.database_url)
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()

    await trio.to_thread.run_sync(lambda: asyncio.run(run()))


@pytest.mark.slow
async def test_damage_is_found_and_repaired_while_the_server_runs(embedded_node):
    node = embedded_node
    staff = await hire(node)
    loan = await active_loan(node, staff)
    proved = await rebuild(node, "--check")
    assert (proved.returncode, proved.stderr) == (0, ""), proved
    assert "follows from their events" in proved.stdout
    await damage(
        node, "UPDATE loans SET outstanding_fees_minor = 700 WHERE id = $1::uuid", loan["id"]
    )
    found = await rebuild(node, "--check")
    assert found.returncode == 1
    line = f"{loan['number']} loan: outstanding_fees_minor: kept 700, by the events 0"
    assert line in found.stdout
    assert (await node.get(staff.officer, f"/loans/{loan['id']}"))["outstanding"]["fees"] == "7.00"
    mended = await rebuild(node)
    assert mended.returncode == 0, mended
    assert line in mended.stdout
    assert (await node.get(staff.officer, f"/loans/{loan['id']}"))["outstanding"]["fees"] == "0.00"
    assert (await rebuild(node, "--check")).returncode == 0

"""R1: a database that was put back, on running servers, by the commands of the page on operating.

Whoever listened or comes back is told that something is missing; nobody hears of what is no more.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.acceptance.event_reader import EventReader
from tests.acceptance.node import Node, Staff, active_loan, fresh_home, hire
from tests.acceptance.test_story import hear
from tests.stores import a_copy_of, on_database, put_in_place, value_in, with_database

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
PATIENCE_S = 180
TYPES = ["payment_recorded"]
Position = dict[str, Any]


def block(heading: str) -> str:
    """The commands under a heading of the page."""
    pattern = rf"^### {heading}\n.*?^```sh\n(.*?)^```"
    found = re.search(pattern, PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found.group(1)


def follow(heading: str, node: Node, **places: str) -> None:
    """Run them as somebody would who has the command `lendwire` on their path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    where = {"LENDWIRE_HOME": str(node.home), **places, "PATH": path}
    done = subprocess.run(
        ["sh", "-eu", "-c", block(heading)],
        env={**os.environ, **node.environment, **where},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 2,
        check=False,
    )
    assert done.returncode == 0, f"{heading}: {done.stdout} {done.stderr}"


async def pay(node: Node, staff: Staff, loan: dict[str, Any], key: str) -> tuple[str, bool]:
    """Record a payment under a key, however long the database is away: its id, and if repeated."""
    with trio.fail_after(PATIENCE_S):
        async with node.client(staff.officer) as client:
            while True:
                answer = await client.post(
                    "/payments/",
                    json={"loan_id": loan["id"], "amount": "1.00"},
                    headers={"Idempotency-Key": key},
                )
                if answer.status_code == 201:
                    return answer.json()["id"], "Idempotent-Replayed" in answer.headers
                assert answer.status_code in (409, 503), answer.text
                await trio.sleep(0.1)


async def pays(node: Node, staff: Staff, loan: dict[str, Any], name: str, count: int) -> set[str]:
    return {(await pay(node, staff, loan, f"{name}-{number}"))[0] for number in range(count)}


async def end_of_feed(node: Node, staff: Staff, database_url: str) -> Position:
    """Where a new socket is welcomed, once all that was committed is in the feed and told."""
    end = "SELECT seq FROM feed_head WHERE NOT EXISTS (SELECT FROM feed_staging)"
    with trio.fail_after(PATIENCE_S):
        while True:
            seq = await trio.to_thread.run_sync(value_in, database_url, end)
            async with node.listen(staff.officer_id, staff.officer) as socket:
                position: Position = (await hear(socket, "welcome", PATIENCE_S))["position"]
            if position["seq"] == seq:
                return position
            await trio.sleep(0.1)


async def resumed(node: Node, staff: Staff, since: Position) -> tuple[dict[str, Any], list[Any]]:
    """What is answered to who comes back to a position, and what is told before that."""
    told: list[dict[str, Any]] = []
    async with node.listen(staff.officer_id, staff.officer) as socket:
        subscribe = {"type": "subscribe", "notification_types": TYPES, "since": since}
        await socket.send_message(json.dumps(subscribe))
        with trio.fail_after(PATIENCE_S):
            while not told or told[-1]["type"] != "subscribed":
                told.append(json.loads(await socket.get_message()))
    return told[-1], [one for one in told if one["type"] == "payment_recorded"]


async def nobody_is_misled(node: Node, staff: Staff, former: list[Position]) -> None:
    """Whoever comes back to a position of the former life is told so, on every road."""
    for since in former:
        answer, told = await resumed(node, staff, since)
        assert (answer["recovered"], answer["from"], told) == (False, since, [])
        assert answer["to"]["epoch"] != since["epoch"]
        reader = EventReader(node, staff.officer, f"{since['epoch']}-{since['seq']}")
        async with reader.reading() as stream:
            assert (await stream.until("subscribed"))["recovered"] is False
        assert [name for _, name, _ in reader.events] == ["subscribed"]


@pytest.fixture
def copy_url(postgres_dsn: str) -> Iterator[str]:
    """Where a copy may be made."""
    name = f"lendwire_story_{uuid.uuid4().hex[:12]}"
    yield with_database(postgres_dsn, name)
    on_database(postgres_dsn, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def sent_away(node: Node, staff: Staff, while_open: Callable[[], None]) -> int:
    """The code with which an open socket is closed by what happens meanwhile."""
    with trio.fail_after(PATIENCE_S):
        async with node.listen(staff.officer_id, staff.officer) as socket:
            await hear(socket, "welcome", PATIENCE_S)
            await trio.to_thread.run_sync(while_open)
            try:
                while True:
                    message = json.loads(await socket.get_message())
                    assert message["type"] != "payment_recorded"
            except ConnectionClosed as closed:
                return int(closed.reason.code)


async def test_a_copy_that_took_the_databases_place_misleads_nobody(
    external_node: Node, postgres_dsn: str, copy_url: str
) -> None:
    """R1: the smallest case, without a restart of the server."""
    node, live = external_node, external_node.environment["DATABASE_URL"]
    staff = await hire(node)
    loan = await active_loan(node, staff)
    before = await pays(node, staff, loan, "before", 4)
    at_copy = await end_of_feed(node, staff, live)
    await trio.to_thread.run_sync(a_copy_of, postgres_dsn, live, copy_url)
    lost = await pays(node, staff, loan, "lost", 6)
    heard = await end_of_feed(node, staff, live)
    assert heard == {**at_copy, "seq": at_copy["seq"] + 6}
    code = await sent_away(node, staff, lambda: put_in_place(postgres_dsn, copy_url, live))
    assert code == 1012
    # Below the head that was heard, and beyond it.
    for name, count in (("fewer", 3), ("more", 6)):
        after = await pays(node, staff, loan, name, count)
        assert not after & (before | lost)
        below = {**at_copy, "seq": at_copy["seq"] - 2}
        await nobody_is_misled(node, staff, [heard, at_copy, below])
    end = await end_of_feed(node, staff, live)
    assert (end["epoch"] != heard["epoch"], end["seq"]) == (True, at_copy["seq"] + 9)
    # A key from before the copy has its answer; one of the former life has none, nor an effect.
    assert await pay(node, staff, loan, "before-0") in {(one, True) for one in before}
    anew, repeated = await pay(node, staff, loan, "lost-0")
    assert (anew in lost, repeated) == (False, False)
    # What comes now is told to whoever resumes from the new life.
    await end_of_feed(node, staff, live)
    answer, told = await resumed(node, staff, end)
    assert answer["recovered"] is True
    assert [one["data"]["payment_id"] for one in told] == [anew]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backup", "restore"),
    [("Back up by a dump", "Restore a dump"), ("Back up the files", "Put the files back")],
    ids=["dump", "files"],
)
async def test_a_new_home_made_from_a_backup_misleads_nobody(
    embedded_node: Node, tmp_path: Path, backup: str, restore: str
) -> None:
    """R1: who was further than the back-up comes back before and after the feed is that far."""
    node = embedded_node
    home = fresh_home()
    places = {"BACKUP": str(tmp_path), "NEW_HOME": str(home)}
    staff = await hire(node)
    loan = await active_loan(node, staff)
    before = await pays(node, staff, loan, "before", 3)
    at_backup = await end_of_feed(node, staff, node.database_url)
    if backup == "Back up the files":
        node.stop()
    await trio.to_thread.run_sync(lambda: follow(backup, node, **places))
    if backup == "Back up the files":
        node.start()
    lost = await pays(node, staff, loan, "lost", 4)
    heard = await end_of_feed(node, staff, node.database_url)
    assert heard == {**at_backup, "seq": at_backup["seq"] + 4}
    node.stop()
    await trio.to_thread.run_sync(lambda: follow(restore, node, **places))
    restored = Node(home, node.environment)
    try:
        restored.start()
        for name, count in (("fewer", 2), ("more", 6)):
            after = await pays(restored, staff, loan, name, count)
            assert not after & (before | lost)
            await nobody_is_misled(restored, staff, [heard, at_backup])
        end = await end_of_feed(restored, staff, restored.database_url)
        assert (end["epoch"] != heard["epoch"], end["seq"]) == (True, at_backup["seq"] + 8)
        assert await pay(restored, staff, loan, "before-0") in {(one, True) for one in before}
        assert (await pay(restored, staff, loan, "lost-0"))[1] is False
    finally:
        restored.clean_up()

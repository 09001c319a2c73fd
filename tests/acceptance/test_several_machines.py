"""Several workers, or machines on one PostgreSQL and one Redis: all is heard everywhere, in order.

With Redis as well as while it is away, dead or silent. How late it was is printed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.acceptance.node import Node, Staff, active_loan, hire
from tests.acceptance.own_valkey import OwnValkey
from tests.acceptance.test_sockets import on_both_workers
from tests.acceptance.test_story import hear
from tests.acceptance.two_workers import PATIENCE_S, two_workers
from tests.conftest import a_node

COMMENTS = 12


@pytest.fixture
async def valkey() -> AsyncIterator[OwnValkey]:
    place = Path(tempfile.mkdtemp(prefix="lw-", dir="/tmp"))
    found = OwnValkey(place)
    await found.start()
    yield found
    found.end()
    shutil.rmtree(place)


@pytest.fixture
def machines(external_services: dict[str, str], valkey: OwnValkey) -> Iterator[list[Node]]:
    """Two servers that share nothing but a database, a Redis and a key."""
    settings = {
        **external_services,
        "REDIS_URL": valkey.url,
        "JWT_SECRET_KEY": uuid.uuid4().hex * 2,
    }
    with a_node(**settings) as one, a_node(**settings) as other:
        yield [one, other]


@pytest.fixture
def workers(valkey: OwnValkey) -> Iterator[list[Node]]:
    """One server with two workers, which the kernel chooses between."""
    with two_workers(REDIS_URL=valkey.url) as node:
        yield [node]


@pytest.fixture(params=["machines", "workers"])
def places(request: pytest.FixtureRequest) -> list[Node]:
    """Where one may connect."""
    found: list[Node] = request.getfixturevalue(request.param)
    return found


@dataclass
class Ear:
    """A socket, and what it has heard of each loan."""

    socket: Any
    heard: dict[str, list[str]] = field(default_factory=dict)
    last_seq: int = 0
    grown: trio.Event = field(default_factory=trio.Event)

    async def listen(self) -> None:
        while True:
            told = await hear(self.socket, "comment_added", patience_s=PATIENCE_S)
            assert told["id"] > self.last_seq
            self.last_seq = told["id"]
            said = self.heard.setdefault(told["data"]["loan_id"], [])
            said.append(told["data"]["comment_id"])
            self.grown.set()
            self.grown = trio.Event()

    async def has_heard(self, loan_id: str, comment_id: str) -> None:
        while comment_id not in self.heard.get(loan_id, ()):
            await self.grown.wait()


@asynccontextmanager
async def ears_everywhere(places: list[Node], staff: Staff) -> AsyncIterator[list[Ear]]:
    """Sockets at every machine, and at every worker of it."""
    async with AsyncExitStack() as sockets:
        if len(places) == 1:
            opened = await on_both_workers(places[0], staff, sockets)
            found = [Ear(one["socket"]) for one in opened]
        else:
            found = []
            for place in places:
                socket = await sockets.enter_async_context(
                    place.listen(staff.officer_id, staff.officer)
                )
                await hear(socket, "welcome")
                found.append(Ear(socket))
        async with trio.open_nursery() as nursery:
            for ear in found:
                nursery.start_soon(ear.listen)
            yield found
            nursery.cancel_scope.cancel()


async def comment_and_be_heard(
    places: list[Node], staff: Staff, loan_id: str, ears: list[Ear], late_s: list[float]
) -> list[str]:
    """Comment at one place after another; each is heard everywhere, once the last one was said.

    The last of each three is waited for, so that some follow closely on one another.
    """
    said: list[str] = []
    for number in range(COMMENTS):
        place = places[number % len(places)]
        answer = await place.post(staff.officer, f"/loans/{loan_id}/comments", {"body": "hear"})
        said.append(answer["id"])
        if number % 3 == 2:
            began = trio.current_time()
            with trio.fail_after(PATIENCE_S):
                for ear in ears:
                    await ear.has_heard(loan_id, said[-1])
            late_s.append(trio.current_time() - began)
    return said


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["kill", "stop"])
async def test_whoever_listens_hears_all_that_is_committed_anywhere_with_redis_or_without(
    places, valkey, fault
):
    staff = await hire(places[0])
    loans = [(await active_loan(places[0], staff))["id"] for _ in range(2)]
    said: dict[str, list[str]] = {loan_id: [] for loan_id in loans}
    late_s: dict[str, list[float]] = {"with Redis": [], "without": [], "with Redis again": []}
    async with ears_everywhere(places, staff) as ears:

        async def speak(loan_id: str, when: str) -> None:
            said[loan_id] += await comment_and_be_heard(places, staff, loan_id, ears, late_s[when])

        for when in late_s:
            if when == "without":
                await getattr(valkey, fault)()
            if when == "with Redis again":
                await valkey.come_back()
            async with trio.open_nursery() as nursery:
                for loan_id in loans:
                    nursery.start_soon(speak, loan_id, when)
        for ear in ears:
            assert ear.heard == said  # once each, and on each loan in the order of the commits
    told = {when: f"{max(waits) * 1000:.0f} ms" for when, waits in late_s.items()}
    sys.stdout.write(f"{len(places)} servers, {len(ears)} sockets, at most {told}\n")

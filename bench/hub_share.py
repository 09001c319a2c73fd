"""What the hub alone costs of a fan-out: no commit, no feed, no network, in one process.

    python bench/hub_share.py [--sockets 500] [--rounds 9]

One publish is one message to the hub's mailbox. It looks up in the index who hears, encodes once
and hands the frame to the lane of each socket: everything but the write to the kernel.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import trio

sys.path[:0] = [str(Path(__file__).parents[1])]

from actors.messages.broadcast_hub import Deliver, Register  # noqa: E402
from actors.notifications.broadcast_hub import BroadcastHub  # noqa: E402
from actors.runtime.address import Address  # noqa: E402
from domain.access.roles import Principal, Role  # noqa: E402
from domain.identifiers import BranchId, LoanId, UserId  # noqa: E402
from domain.notifications.notification import Audience, FeedBatch, FeedEntry, Notice, NoticeType  # noqa: E402
from domain.reports.views import FeedPosition  # noqa: E402
from supervisors.runtime.child_spec import ChildSpec  # noqa: E402
from supervisors.runtime.supervisor import Supervisor  # noqa: E402
from web.edge.drain import Drain  # noqa: E402
from web.edge.limits import EdgeLimits  # noqa: E402
from web.edge.stream import GuardedStream  # noqa: E402
from web.sockets.encoding import encode_notification  # noqa: E402
from web.sockets.pending_queue import HeldLane  # noqa: E402
from web.sockets.send_queue import Lane  # noqa: E402

ASK_S = 10.0
PUBLISHES = 200
USERS = 16
JOINED = 8  # as many as post at once in bench/fanout.py
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
EPOCH = UUID(int=1)
HERE, ELSEWHERE = BranchId(UUID(int=2)), BranchId(UUID(int=3))
BODY = "looks sound to me, with the usual terms"


class Unwritten(GuardedStream):
    """A guarded stream whose kernel takes everything and does nothing."""

    taken_bytes = 0

    def _write(self, data: bytes | memoryview) -> int:
        Unwritten.taken_bytes += len(data)
        return len(data)


class NoFeed:
    """Satisfies the port `Feed`: only where it begins is asked for."""

    async def position(self) -> FeedPosition:
        """The beginning."""
        return FeedPosition(EPOCH, 0)

    async def advance(self, after: FeedPosition, limit: int) -> FeedBatch:
        """Nothing follows."""
        return FeedBatch(after, (), more=False)

    async def history(self, after: FeedPosition, limit: int) -> FeedBatch:
        """Nothing follows."""
        return FeedBatch(after, (), more=False)

    async def listen(self, on_wake: Callable[[], object], on_lost: Callable[[str], object]) -> None:
        """Nothing."""

    async def stop_listening(self) -> None:
        """Nothing."""


@dataclass(frozen=True)
class HubShare:
    """Microseconds of processor for a subscriber and an entry: published alone, eight at once."""

    alone_us: float
    joined_us: float


@asynccontextmanager
async def full_hub(sockets: int) -> AsyncIterator[Address[Any]]:
    """A hub with so many lanes that hear, and as many of another branch that do not."""
    directory = cast("Any", None)  # nobody's access changes here
    spec = ChildSpec("hub", lambda: BroadcastHub(NoFeed(), encode_notification, directory))
    supervisor = Supervisor("bench", [spec])
    mine, others = trio.socket.socketpair()
    stream = trio.SocketStream(mine)
    with contextlib.closing(others):
        async with stream, trio.open_nursery() as nursery:
            await nursery.start(supervisor.run)
            hub = supervisor.address("hub")
            for number in range(2 * sockets):
                branch = HERE if number < sockets else ELSEWHERE
                user = UserId(UUID(int=100 + number % USERS))
                lane = HeldLane(Lane(Unwritten(stream, EdgeLimits(), Drain())))
                lane.open(b"")
                who = Principal(user, Role.OFFICER, branch)
                await hub.ask(Register(UUID(int=1000 + number), who, lane), ASK_S)
            yield hub
            nursery.cancel_scope.cancel()


def comment(seq: int) -> FeedEntry:
    """What a comment on a loan of this branch tells."""
    loan, customer = LoanId(UUID(int=10_000 + seq % 2000)), UserId(UUID(int=99))
    data = {
        "comment_id": str(UUID(int=seq)),
        "loan_id": str(loan),
        "author_id": str(UUID(int=100)),
        "body": BODY,
    }
    audience = Audience(HERE, customer)
    return FeedEntry(seq, NOON, Notice(NoticeType.COMMENT_ADDED, audience, loan, data))


async def share(sockets: int, rounds: int) -> HubShare:
    """The medians over the rounds, in which the two ways take turns."""
    found: dict[int, list[float]] = {1: [], JOINED: []}
    async with full_hub(sockets) as hub:
        numbers = itertools.count(1)
        for _, joined in itertools.product(range(rounds + 1), found):
            batches = [
                tuple([comment(next(numbers)) for _ in range(joined)])
                for _ in range(PUBLISHES // joined)
            ]
            expected = sum(len(encode_notification(entry)) for batch in batches for entry in batch)
            before = Unwritten.taken_bytes
            began = time.process_time()
            for batch in batches:
                await hub.ask(Deliver(FeedPosition(EPOCH, batch[-1].seq), batch), ASK_S)
            took_s = time.process_time() - began
            if Unwritten.taken_bytes - before != expected * sockets:
                sys.exit("not every lane was handed every frame")
            found[joined].append(took_s / (len(batches) * joined * sockets) * 1e6)
    # The first round of each warms up.
    return HubShare(*(statistics.median(each[1:]) for each in found.values()))


def main() -> None:
    """Measure and print."""
    found = trio.run(share, ARGUMENTS.sockets, ARGUMENTS.rounds)
    print(
        f"hub alone, {ARGUMENTS.sockets} sockets: {found.alone_us:.2f} us each for one entry, "
        f"{found.joined_us:.2f} us with {JOINED} at once"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=9)
    ARGUMENTS = parser.parse_args()
    main()

"""Feed and hub on a feed in memory, as tests of the hub need them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from uuid import UUID

import trio
import trio.testing

from actors.messages.broadcast_hub import Register
from actors.messages.change_feed import Poke
from actors.notifications.broadcast_hub import BroadcastHub
from actors.notifications.change_feed import ChangeFeed
from actors.notifications.replay_buffer import RecentEntries
from domain.notifications.notification import FeedEntry
from domain.reports.views import FeedPosition
from supervisors.runtime.child_spec import ChildSpec
from supervisors.runtime.supervisor import Supervisor
from tests.actors.stand_ins import FeedInMemory, ListeningLane

ASK_S = 5


class Directory:
    """Session actors by user; a full one refuses what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.sought: list[object] = []
        self.refusals = 0

    def active(self, user_id):
        self.sought.append(user_id)
        return self

    def tell_nowait(self, message) -> bool:
        if self.refusals:
            self.refusals -= 1
            return False
        self.told.append(message)
        return True


def encode(entry: FeedEntry) -> bytes:
    return str(entry.seq).encode()


class House:
    """Feed and hub on a feed in memory; `remembered` is how many entries the hub keeps."""

    def __init__(self, remembered: int = 4096) -> None:
        self.written = FeedInMemory()
        self.directory = Directory()
        self.encoded: list[int] = []
        self.frame_bytes = 1
        self.remembered = remembered
        self.supervisor = Supervisor(
            "house", [ChildSpec("feed", self.make_feed), ChildSpec("hub", self.make_hub)]
        )
        self.hub = self.supervisor.address("hub")
        self.feed = self.supervisor.address("feed")

    def make_feed(self) -> ChangeFeed:
        self.reader = ChangeFeed(self.written, self.supervisor.address("hub"))
        return self.reader

    def make_hub(self) -> BroadcastHub:
        recent = RecentEntries(self.remembered)
        return BroadcastHub(self.written, self.encode, self.directory, recent)

    def encode(self, entry: FeedEntry) -> bytes:
        self.encoded.append(entry.seq)
        return encode(entry).rjust(self.frame_bytes, b"0")

    async def register(
        self, number: int, principal, lane: ListeningLane, *, quiet: bool = False
    ) -> FeedPosition:
        position: FeedPosition = await self.hub.ask(
            Register(UUID(int=number), principal, lane, quiet=quiet), timeout_s=ASK_S
        )
        return position

    async def settle(self) -> None:
        self.feed.tell_nowait(Poke())
        await trio.testing.wait_all_tasks_blocked()

    @asynccontextmanager
    async def open(self):
        async with trio.open_nursery() as nursery:
            await nursery.start(self.supervisor.run)
            yield self
            nursery.cancel_scope.cancel()

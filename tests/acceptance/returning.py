"""Listeners who lose their connection at random and come back, under a steady stream of comments.

Each keeps what he heard and from where; in the end everyone must have heard what he may see, once.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio
from wsproto.events import TextMessage

from tests.acceptance.node import Node, Staff, active_loan, hire
from tests.web.edge.edge_wire import Socket, websocket_to

HANG_GUARD_S = 300.0
MESSAGES_A_VISIT_MAX = 25
# A gap of 10,000 entries is no longer replayed: the stream does not run further ahead than this.
LEAD_MAX = 5_000
TYPES = ["comment_added", "payment_recorded", "loan_status_change", "new_application"]


@dataclass(frozen=True)
class Comment:
    """One that was committed: its number in the order of this test, its loan, its id."""

    loan_id: str
    comment_id: str


@dataclass
class Listener:
    """Somebody who hears comments on `loans`; `position` is what he resumes from."""

    name: str
    node: Node
    user_id: str
    token: str
    loans: frozenset[str]
    heard: list[tuple[int, Comment]] = field(default_factory=list)
    position: dict[str, Any] | None = None
    first_seq: int = 0
    breaks: int = 0
    gap_max: int = 0
    has_left: bool = False
    moved: trio.Event = field(default_factory=trio.Event)

    @asynccontextmanager
    async def visit(self, *, resume: bool) -> AsyncIterator[Socket]:
        """Connect and resume; the connection is dropped without a word."""
        port = int(self.node.url.rsplit(":", 1)[1])
        bearer = f"Authorization: Bearer {self.token}"
        with trio.fail_after(HANG_GUARD_S):
            async with websocket_to(port, f"/ws/connect/{self.user_id}", bearer) as socket:
                if resume:
                    await self._resume(socket)  # need not wait for the welcome
                welcome = await self._message(socket)
                assert welcome["type"] == "welcome"
                if self.position is None:
                    self.position = welcome["position"]
                    self.first_seq = welcome["position"]["seq"]
                yield socket

    async def _resume(self, socket: Socket) -> None:
        subscribe = {"type": "subscribe", "notification_types": TYPES, "since": self.position}
        await socket.send_text(json.dumps(subscribe))

    async def hear(self, socket: Socket) -> str:
        """Take one message, check what can be checked at once, and say of what type it was."""
        message = await self._message(socket)
        if message["type"] == "subscribed":
            assert message["recovered"] is True, (self.name, message)
            self.gap_max = max(self.gap_max, message["to"]["seq"] - message["from"]["seq"])
        elif message["type"] == "comment_added":
            comment = Comment(message["data"]["loan_id"], message["data"]["comment_id"])
            self.heard.append((message["id"], comment))
        else:
            assert message["type"] in {"heartbeat", *TYPES}, message
        if "id" in message:
            assert self.position is not None
            assert message["id"] > self.position["seq"], (self.name, message, self.position)
            self.position["seq"] = message["id"]
            self._tell_moved()
        return str(message["type"])

    async def lose(self, chance: random.Random, left: Iterator[int], stream: Stream) -> None:
        """Connect and be cut, over and over: before, while or after what was missed comes.

        All take from what is `left`: nobody who is done waits while the stream goes on.
        """
        assert self.position is not None
        for _ in left:
            resume = chance.random() < 0.9
            async with self.visit(resume=resume) as socket:
                if resume:
                    # Cut in the middle of what he missed, or some while after it.
                    if chance.random() < 0.5:
                        while await self.hear(socket) != "subscribed":
                            pass
                    for _ in range(chance.randrange(MESSAGES_A_VISIT_MAX)):
                        await self.hear(socket)
            self.breaks += 1
            if chance.random() < 0.3:
                await trio.sleep(chance.random() / 5)  # away for a while: that is the subject
            elif chance.random() < 0.015:
                # Away for long: mostly for a few pages, now and then for more than is in memory.
                missed = int(LEAD_MAX * chance.random() ** 8)
                heard = self.position["seq"] - self.first_seq
                await stream.reaches(min(len(stream.said) + missed, heard + LEAD_MAX))
        self.has_left = True
        self._tell_moved()

    async def near(self, said: int) -> None:
        """Wait until he is not too far behind, if he still comes, when so much has been said."""
        assert self.position is not None
        while not self.has_left and said - (self.position["seq"] - self.first_seq) > LEAD_MAX:
            await self.moved.wait()

    def _tell_moved(self) -> None:
        self.moved.set()
        self.moved = trio.Event()

    async def stay(self, comments: int) -> None:
        """Come back a last time, and hear until there were so many in all."""
        async with self.visit(resume=True) as socket:
            recovered = False
            while not recovered or len(self.heard) < comments:
                recovered |= await self.hear(socket) == "subscribed"

    def expected(self, said: list[Comment]) -> list[Comment]:
        return [comment for comment in said if comment.loan_id in self.loans]

    @staticmethod
    async def _message(socket: Socket) -> dict[str, Any]:
        text = ""
        while True:
            event = await socket.event()
            assert isinstance(event, TextMessage), event
            text += event.data
            if event.message_finished:
                message: dict[str, Any] = json.loads(text)
                return message


@dataclass
class Stream:
    """Comments on several loans, committed one after the other on each, for those who come back."""

    node: Node
    staff: Staff
    loans: list[str]
    listeners: list[Listener]
    said: list[Comment] = field(default_factory=list)
    has_ended: bool = False
    grown: trio.Event = field(default_factory=trio.Event)

    async def reaches(self, comments: int) -> None:
        while len(self.said) < comments:
            await self.grown.wait()

    async def speak(self, loan_id: str) -> None:
        """Comment on one loan until the stream ends."""
        async with self.node.client(self.staff.officer) as client:
            while not self.has_ended:
                for listener in self.listeners:
                    await listener.near(len(self.said))
                path = f"/loans/{loan_id}/comments"
                answer = await client.post(path, json={"body": "still here"})
                assert answer.status_code == 201, answer.text
                self.said.append(Comment(loan_id, answer.json()["id"]))
                self.grown.set()
                self.grown = trio.Event()


async def everyone_hears_everything(node: Node, seed: int, breaks: int) -> None:
    """Two customers, an officer and a manager, cut `breaks` times altogether."""
    sys.stdout.write(f"seed {seed}\n")
    chance = random.Random(seed)
    one, other = await hire(node), await hire(node)
    loans = [(await active_loan(node, staff))["id"] for staff in (one, one, other)]
    listeners = [
        Listener("customer", node, one.customer_id, one.customer, frozenset(loans[:2])),
        Listener("other customer", node, other.customer_id, other.customer, frozenset(loans[2:])),
        Listener("officer", node, one.officer_id, one.officer, frozenset(loans)),
        Listener("manager", node, other.manager_id, other.manager, frozenset(loans)),
    ]
    for listener in listeners:
        async with listener.visit(resume=False):
            pass  # from here on he is to hear everything
    stream = Stream(node, one, loans, listeners)
    left = iter(range(breaks))
    async with trio.open_nursery() as speaking:
        for loan_id in loans:
            speaking.start_soon(stream.speak, loan_id)
        async with trio.open_nursery() as listening:
            for listener in listeners:
                own = random.Random(chance.random())
                listening.start_soon(listener.lose, own, left, stream)
        stream.has_ended = True
    for listener in listeners:
        await listener.stay(len(listener.expected(stream.said)))
        _check(listener, stream)
    assert sum(listener.breaks for listener in listeners) == breaks
    gap = max(listener.gap_max for listener in listeners)
    sys.stdout.write(f"{breaks} breaks, {len(stream.said)} comments, the widest gap {gap}\n")


def _check(listener: Listener, stream: Stream) -> None:
    heard = [comment for _, comment in listener.heard]
    expected = listener.expected(stream.said)
    assert len(heard) == len(set(heard)), f"{listener.name} heard something twice"
    assert set(heard) == set(expected), f"{listener.name} missed something"
    for loan_id in listener.loans:
        # On each loan one followed on another: the order of answers is that of commits.
        assert [one for one in heard if one.loan_id == loan_id] == [
            one for one in expected if one.loan_id == loan_id
        ], f"{listener.name} heard of a loan in another order"

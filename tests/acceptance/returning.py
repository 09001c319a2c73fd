"""Listeners who lose their connection at random and come back, under a steady stream of comments.

Each keeps what he heard and from where; in the end everyone must have heard what he may see, once.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio
from wsproto.events import TextMessage

from tests.acceptance.node import Node, Staff, active_loan, hire
from tests.web.edge.edge_wire import Socket, websocket_to

HANG_GUARD_S = 60.0
MESSAGES_A_VISIT_MAX = 25
BREAKS_A_ROUND = 5
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
    breaks: int = 0

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
                yield socket

    async def _resume(self, socket: Socket) -> None:
        subscribe = {"type": "subscribe", "notification_types": TYPES, "since": self.position}
        await socket.send_text(json.dumps(subscribe))

    async def hear(self, socket: Socket) -> str:
        """Take one message, check what can be checked at once, and say of what type it was."""
        message = await self._message(socket)
        if message["type"] == "subscribed":
            assert message["recovered"] is True, (self.name, message)
        elif message["type"] == "comment_added":
            comment = Comment(message["data"]["loan_id"], message["data"]["comment_id"])
            self.heard.append((message["id"], comment))
        else:
            assert message["type"] in {"heartbeat", *TYPES}, message
        if "id" in message:
            assert self.position is not None
            assert message["id"] > self.position["seq"], (self.name, message, self.position)
            self.position["seq"] = message["id"]
        return str(message["type"])

    async def lose(self, chance: random.Random, breaks: int) -> None:
        """Connect and be cut, over and over: before, while or after what was missed comes."""
        for _ in range(breaks):
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

    async def stay(self, comments: int) -> None:
        """Come back a last time, and hear until there were so many in all."""
        async with self.visit(resume=True) as socket:
            while len(self.heard) < comments:
                await self.hear(socket)

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
    """Comments on several loans, committed one after the other on each."""

    node: Node
    staff: Staff
    loans: list[str]
    said: list[Comment] = field(default_factory=list)
    has_ended: bool = False

    async def speak(self, loan_id: str) -> None:
        """Comment on one loan until the stream ends."""
        async with self.node.client(self.staff.officer) as client:
            while not self.has_ended:
                path = f"/loans/{loan_id}/comments"
                answer = await client.post(path, json={"body": "still here"})
                assert answer.status_code == 201, answer.text
                self.said.append(Comment(loan_id, answer.json()["id"]))


async def everyone_hears_everything(node: Node, seed: int, breaks: int) -> None:
    """Two customers, their officers and the administrator, cut `breaks` times altogether."""
    chance = random.Random(seed)
    one, other = await hire(node), await hire(node)
    loans = [(await active_loan(node, staff))["id"] for staff in (one, one, other)]
    stream = Stream(node, one, loans)
    listeners = [
        Listener("customer", node, one.customer_id, one.customer, frozenset(loans[:2])),
        Listener("other customer", node, other.customer_id, other.customer, frozenset(loans[2:])),
        Listener("officer", node, one.officer_id, one.officer, frozenset(loans)),
        Listener("manager", node, other.manager_id, other.manager, frozenset(loans)),
    ]
    for listener in listeners:
        async with listener.visit(resume=False):
            pass  # from here on he is to hear everything
    async with trio.open_nursery() as speaking:
        for loan_id in loans:
            speaking.start_soon(stream.speak, loan_id)
        # In rounds, so that nobody who is done waits until the gap is longer than is replayed.
        for _ in range(breaks // (BREAKS_A_ROUND * len(listeners))):
            async with trio.open_nursery() as listening:
                for listener in listeners:
                    own = random.Random(chance.random())
                    listening.start_soon(listener.lose, own, BREAKS_A_ROUND)
        stream.has_ended = True
    for listener in listeners:
        await listener.stay(len(listener.expected(stream.said)))
        _check(listener, stream)
    assert sum(listener.breaks for listener in listeners) == breaks


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

"""Actors to test the runtime with, and a stage that runs a supervisor for the length of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import trio

from actors.runtime.actor import Actor, Context
from actors.runtime.address import Address
from actors.runtime.envelope import ActorError, Exit
from supervisors.runtime.backoff import Backoff
from supervisors.runtime.child import Order
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor
from supervisors.runtime.supervisor import Supervisor

EXACT = Backoff(base_s=1.0, cap_s=8.0, jitter=0.0, reset_after_s=30.0)


@dataclass(frozen=True)
class Boom:
    what: str = "boom"


@dataclass(frozen=True)
class Sleep:
    seconds: float
    key: object = None


@dataclass(frozen=True)
class Hang:
    key: object = None


@dataclass(frozen=True)
class Query:
    seconds: float = 0.0
    boom: bool = False


class Player(Actor[Any]):
    """Echoes, sleeps, hangs, or raises, as it is told."""

    interleaved = (Query,)

    def turn_key(self, message: Any) -> object:
        return getattr(message, "key", None)

    async def receive(self, message: Any) -> object:
        match message:
            case Boom(what):
                raise ValueError(what)
            case Sleep(seconds):
                await trio.sleep(seconds)
            case Hang():
                await trio.sleep_forever()
            case Query(seconds, boom):
                await trio.sleep(seconds)
                if boom:
                    raise KeyError("query")
        return message


class Diarist(Player):
    """A player that writes down when it starts and stops."""

    def __init__(self, name: str, diary: list[str], hang_s: float = 0.0) -> None:
        self.name = name
        self.diary = diary
        self.hang_s = hang_s

    async def on_start(self, ctx: Context) -> None:
        self.diary.append(f"+{self.name}")

    async def on_stop(self, reason: Exit) -> None:
        await trio.sleep(self.hang_s)
        self.diary.append(f"-{self.name}")


def diarist(name: str, diary: list[str]) -> Callable[[], Diarist]:
    return lambda: Diarist(name, diary)


@asynccontextmanager
async def on_stage(supervisor: Supervisor) -> AsyncIterator[Supervisor]:
    """Run the supervisor until the end of the block."""
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        yield supervisor
        nursery.cancel_scope.cancel()


async def run_to_its_end(supervisor: Supervisor, within_s: float = 100_000) -> None:
    """Run a supervisor that is to end by itself: one that does not fails the test, at once."""
    with trio.fail_after(within_s):
        await supervisor.run()


class Asked:
    """An ask on its way, and how and when it was resolved, once."""

    def __init__(self) -> None:
        self.outcomes: list[object] = []
        self.at = 0.0

    @property
    def outcome(self) -> object:
        (outcome,) = self.outcomes
        return outcome


def ask_soon(
    nursery: trio.Nursery, address: Address[Any], message: object, within_s: float = 60
) -> Asked:
    """Ask in a task of its own; errors become the outcome."""
    asked = Asked()

    async def ask() -> None:
        try:
            asked.outcomes.append(await address.ask(message, within_s))
        except ActorError as error:
            asked.outcomes.append(error)
        asked.at = trio.current_time()

    nursery.start_soon(ask)
    return asked


def seeded(seed: int = 1) -> Random:
    return Random(seed)


async def dismiss(supervisor: DynamicSupervisor, name: str) -> None:
    """Order one child to stop, if it is there, and wait for its end."""
    child = supervisor.children.get(name)
    if child is not None:
        await supervisor.halt(child, Order.STOP)

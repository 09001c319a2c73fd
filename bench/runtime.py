"""The actor runtime beside its peers, in one run and in turns: ratios, and what an actor weighs.

    python bench/runtime.py [--asks 3000] [--rounds 9] [--actors 5000]

Everything is timed in one process; weights are taken in processes of their own.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import peer_pykka  # noqa: E402
import trio  # noqa: E402

from actors.messages.user_session import Answer, RequestContext  # noqa: E402
from actors.runtime.actor import Actor  # noqa: E402
from actors.session.user_session import SessionOffices, UserSession  # noqa: E402
from domain.access.account import Access, Account, SignInSession  # noqa: E402
from domain.access.roles import Role  # noqa: E402
from domain.identifiers import BranchId, SessionId, UserId  # noqa: E402
from domain.queries import ReadMyself  # noqa: E402
from supervisors.runtime.child_spec import ChildSpec  # noqa: E402
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor  # noqa: E402
from supervisors.runtime.supervisor import Supervisor  # noqa: E402
from supervisors.user_sessions import SessionSupervisor  # noqa: E402

ASK_S = 5.0
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PAGE_BYTES = 4096


class Question:
    """Interleaved: it takes no turn."""


class LongQuestion:
    """Interleaved, and waited over."""


class Echo(Actor[object]):
    """Answers what it is asked."""

    interleaved = (Question, LongQuestion)

    async def receive(self, message: object) -> object:
        """Answer with the message."""
        if isinstance(message, LongQuestion):
            await trio.lowlevel.checkpoint()
        return message


# ---- speed -------------------------------------------------------------------------------------


class Ways:
    """The ways to ask one question after another, `asks` times."""

    def __init__(self, root: Supervisor, pykka_actor: Any) -> None:
        self.echo = root.address("echo")
        self.pykka_actor = pykka_actor
        self.out_send, self.out_receive = trio.open_memory_channel[object](64)
        self.back_send, self.back_receive = trio.open_memory_channel[object](64)

    async def answer(self) -> None:
        """The other end of the channels."""
        async for message in self.out_receive:
            await self.back_send.send(message)

    async def bare_channel_round_trip(self, asks: int) -> None:
        """There and back over two memory channels, nothing else."""
        for _ in range(asks):
            await self.out_send.send(1)
            await self.back_receive.receive()

    async def the_same_with_a_deadline(self, asks: int) -> None:
        """What an ask promises too."""
        for _ in range(asks):
            with trio.fail_after(ASK_S):
                await self.out_send.send(1)
                await self.back_receive.receive()

    async def two_tasks_waking_each_other(self, asks: int) -> None:
        """What no exchange between two tasks can do without."""
        others: list[trio.lowlevel.Task] = []

        async def wake_and_sleep() -> None:
            for _ in range(asks):
                if others:
                    trio.lowlevel.reschedule(others.pop())
                others.append(trio.lowlevel.current_task())
                await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.SUCCEEDED)

        async with trio.open_nursery() as pair:
            pair.start_soon(wake_and_sleep)
            await wake_and_sleep()
            pair.cancel_scope.cancel()

    async def ask(self, asks: int) -> None:
        """Ask in turn."""
        for _ in range(asks):
            await self.echo.ask(1, ASK_S)

    async def interleaved_ask(self, asks: int) -> None:
        """Ask what takes no turn and is answered at once."""
        echo, question = self.echo, Question()
        for _ in range(asks):
            await echo.ask(question, ASK_S)

    async def interleaved_ask_waited_over(self, asks: int) -> None:
        """Ask what takes no turn and is waited over."""
        echo, question = self.echo, LongQuestion()
        for _ in range(asks):
            await echo.ask(question, ASK_S)

    async def pykkas_ask(self, asks: int) -> None:
        """Thread to thread, with the loop standing still meanwhile."""
        for _ in range(asks):
            self.pykka_actor.ask(1, timeout=ASK_S)

    async def pykkas_ask_from_a_task(self, asks: int) -> None:
        """As a server on Trio would have to ask."""
        for _ in range(asks):
            await trio.to_thread.run_sync(lambda: self.pykka_actor.ask(1, timeout=ASK_S))

    def all(self) -> tuple[Callable[[int], Awaitable[None]], ...]:
        """In the order of the table; the yardstick comes first."""
        return (
            self.bare_channel_round_trip,
            self.the_same_with_a_deadline,
            self.two_tasks_waking_each_other,
            self.ask,
            self.interleaved_ask,
            self.interleaved_ask_waited_over,
            self.pykkas_ask,
            self.pykkas_ask_from_a_task,
        )


async def measure_speed(asks: int, rounds: int) -> dict[str, list[float]]:
    """Microseconds of each way to ask, round by round; every round has all of them in turn."""
    root = Supervisor("bench", [ChildSpec("echo", Echo)])
    pykka_actor = peer_pykka.Echo.start()
    ways = Ways(root, pykka_actor)
    took: dict[str, list[float]] = {}
    async with trio.open_nursery() as nursery:
        await nursery.start(root.run)
        nursery.start_soon(ways.answer)
        for _ in range(rounds):
            for way in ways.all():
                begun = time.perf_counter()
                await way(asks)
                took.setdefault(way.__name__, []).append((time.perf_counter() - begun) / asks * 1e6)
        nursery.cancel_scope.cancel()
    pykka_actor.stop()
    return took


# ---- weight ------------------------------------------------------------------------------------


class Offices:
    """What session actors share here: every user has an account and one sign-in, each his own."""

    def now(self) -> datetime:
        """The time of the bench."""
        return NOON

    async def access(self, user_id: UserId) -> Access:
        """Make the account and the sign-in as the store would: new values each time."""
        number = user_id.int
        account = Account(
            user_id, f"user{number}@example.com", f"User {number}", Role.CUSTOMER,
            BranchId(UUID(int=1)), is_active=True, version=1, sync_status="synced",
            created_at=NOON + timedelta(seconds=number), updated_at=NOON + timedelta(days=1),
        )  # fmt: skip
        session = SignInSession(
            sign_in_of(user_id), user_id, NOON + timedelta(seconds=number), NOON,
            NOON + timedelta(days=7), f"10.0.{number % 250}.{number % 99}", f"Browser {number}",
        )  # fmt: skip
        return Access(account, (session,))

    async def touch_sessions(self, seen: object) -> None:
        """Nobody else looks."""

    async def answer(self, account: Account, query: object) -> Account:
        """Answer the question who one is, after a wait, as a store would."""
        await trio.lowlevel.checkpoint()
        return account


def sign_in_of(user_id: UserId) -> SessionId:
    """The sign-in of a user."""
    return SessionId(UUID(int=user_id.int << 64))


def resident_bytes() -> int:
    """Memory of this process as the system counts it."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE_BYTES


async def weigh(what: str, actors: int) -> float:
    """Bytes of one actor among so many, with its task, its slot and its place in the tree."""
    kept = DynamicSupervisor("kept")
    shared = cast("Any", Offices())
    offices = SessionOffices(
        accounts=shared, clock=shared, commands=shared, queries=shared,
        operations=shared, sockets=cast("Any", None),
        idle_limit=timedelta(hours=1), linger_s=600.0,
    )  # fmt: skip
    sessions = SessionSupervisor(kept, lambda user_id: UserSession(user_id, offices), actors * 2)

    async def bring(number: int) -> None:
        if what == "idle":
            echo = await kept.start_child(ChildSpec(str(number), Echo))
            await echo.ask(1, ASK_S)
        else:
            user_id = UserId(UUID(int=number))
            address = await sessions.session(user_id)
            context = RequestContext(sign_in_of(user_id), f"request-{number}", "10.0.0.1")
            answer = await address.ask(Answer(context, ReadMyself()), ASK_S)
            assert isinstance(answer, Account)

    async with trio.open_nursery() as nursery:
        await nursery.start(kept.run)
        for number in range(1, 501):  # whatever is made once is made for these
            await bring(number)
        before = resident_bytes()
        for number in range(1001, 1001 + actors):
            await bring(number)
        weight = (resident_bytes() - before) / actors
        nursery.cancel_scope.cancel()
    return weight


def weigh_apart(what: str, actors: int) -> float:
    """Weigh in a process that has done nothing else."""
    command = [sys.executable, __file__, "--weigh", what, "--actors", str(actors)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


# ---- the table ---------------------------------------------------------------------------------


def main() -> None:
    """Measure everything, and print the table with the targets."""
    took = trio.run(measure_speed, ARGUMENTS.asks, ARGUMENTS.rounds)

    def ratio(way: str, other: str) -> float:
        return statistics.median(
            mine / theirs for mine, theirs in zip(took[way], took[other], strict=True)
        )

    bare = "bare_channel_round_trip"
    print(f"{'way':30} {'us':>7} {'of a round trip':>16}")
    for way, rounds in took.items():
        print(
            f"{way.replace('_', ' '):30} {statistics.median(rounds):7.1f} {ratio(way, bare):16.2f}"
        )
    idle, session = (weigh_apart(what, ARGUMENTS.actors) for what in ("idle", "session"))
    print(f"\n{'target':34} {'found':>7} {'at most':>8}")
    for name, found, most in (
        ("ask / bare round trip", ratio("ask", bare), 2.0),
        ("interleaved ask / bare round trip", ratio("interleaved_ask", bare), 0.2),
        ("ask / Pykka's ask", ratio("ask", "pykkas_ask"), 1 / 3),
        ("ask / Pykka's from a task", ratio("ask", "pykkas_ask_from_a_task"), 1 / 3),
        ("interleaved ask / Pykka's ask", ratio("interleaved_ask", "pykkas_ask"), 1 / 3),
        ("idle actor, KiB", idle / 1024, 8.0),
        ("signed-in session actor, KiB", session / 1024, 12.0),
    ):
        print(f"{name:34} {found:7.2f} {most:8.2f}{'' if found <= most else '  missed'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--asks", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--actors", type=int, default=5000)
    parser.add_argument("--weigh", choices=["idle", "session"])
    ARGUMENTS = parser.parse_args()
    if ARGUMENTS.weigh:
        print(trio.run(weigh, ARGUMENTS.weigh, ARGUMENTS.actors))
    else:
        main()

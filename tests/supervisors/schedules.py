"""Seeded schedules: a tree in trouble, its askers, its operators, its end; all from one number.

Trio shuffles its tasks: a seed is only worth something if it seeds that as well (`run_schedule`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import trio
from trio._core import _run as trio_run

from actors.runtime.actor import Context
from actors.runtime.address import Address
from actors.runtime.envelope import ActorError, Exit, TransientStartError
from actors.runtime.slot import Slot
from actors.runtime.slot_state import LIVE, State
from actors.runtime.trio_internals import switch
from domain.outages import StoreUnavailable
from supervisors.runtime.backoff import Backoff
from supervisors.runtime.child_spec import ChildSpec, OnRestart, Overflow, Restart, Strategy
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor
from supervisors.runtime.orders import restart_child, resume, suspend
from supervisors.runtime.restart_intensity import Intensity, RestartIntensityExceeded
from supervisors.runtime.subtree import Transition
from supervisors.runtime.supervisor import Supervisor
from tests.supervisors.players import Boom, Hang, Player, Query, Sleep, dismiss

BACKOFF = Backoff(base_s=0.5, cap_s=2.0, jitter=0.2, reset_after_s=5.0)
LENGTH_S = 8.0
GROUPED = (Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE)
READY = (State.RUNNING, State.SUSPENDED, State.STOPPED, State.FAILED)


@dataclass(frozen=True)
class Relay:
    """Has an actor ask another one."""

    key: object = None


class Switches(Counter[str]):
    """How the turns ended that an asker switched to, without a round of the loop."""

    EVERY = frozenset(
        {"answered at once", "answered later", "crashed at once", "crashed later", "cut later"}
        | {"within another"}
    )

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch a turn from its first to its last step."""
        depth, task = switch._here.pace.depth, trio.lowlevel.current_task()
        points, end = task._schedule_points, "answered"
        try:
            yield
        except trio.Cancelled:
            end = "cut"
            raise
        except ValueError:
            end = "crashed"
            raise
        finally:
            if depth:
                self[f"{end} {'at once' if points == task._schedule_points else 'later'}"] += 1
            if depth > 1:
                self["within another"] += 1


class Erratic(Player):
    """Starts badly, meets weather, and leaves badly, as chance has it."""

    def __init__(self, schedule: Schedule, turn_limit: int) -> None:
        self.schedule = schedule
        self.rng = schedule.rng
        self.turn_limit = turn_limit  # type: ignore[misc]
        self.interleaved_limit = 2  # type: ignore[misc]

    async def on_start(self, ctx: Context) -> None:
        await trio.sleep(self.rng.choice([0, 0.1]))
        if self.rng.random() < 0.1:
            raise TransientStartError(ctx.path, "away")
        if self.rng.random() < 0.05:
            raise ValueError("bad start")

    async def receive(self, message: Any) -> object:
        if isinstance(message, Query):
            return await self._carry_out(message)
        with self.schedule.switches.watched():
            return await self._carry_out(message)

    async def _carry_out(self, message: Any) -> object:
        if self.rng.random() < 0.05:
            raise StoreUnavailable("away")
        if isinstance(message, Relay):
            with suppress(ActorError):
                address = self.rng.choice(self.schedule.addresses)
                return await address.ask(self.schedule.message(), self.rng.choice([0.5, 3]))
        if self.rng.random() < 0.2:  # wait first in a scope of its own
            with trio.CancelScope():
                await trio.lowlevel.checkpoint()
        return await super().receive(message)

    async def on_stop(self, reason: Exit) -> None:
        await trio.sleep(self.rng.choice([0, 0, 0.2]))
        if self.rng.random() < 0.1:
            raise OSError("bad goodbye")


class Schedule:
    """One seeded run: askers, tellers, operators, guests, and a cancellation at some moment."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = Random(seed)
        self.asked = self.resolved = self.withdrawn = 0
        self.switches = Switches()
        self.guests = DynamicSupervisor("guests", backoff=BACKOFF, rng=Random(seed))
        self.inner = self._supervisor("in", [self._spec(name) for name in "xy"])
        kids: list[ChildSpec | Supervisor] = [self._spec(name) for name in "abc"]
        subtrees: list[Supervisor] = [self.inner, self.guests]
        for subtree in rng.sample(subtrees, rng.randrange(3)):
            kids.insert(rng.randrange(4), subtree)
        self.root = self._supervisor("root", kids)
        self.supervisors = [self.root] + [kid for kid in kids if isinstance(kid, Supervisor)]
        self.slots: dict[int, Slot] = {}
        self.addresses: list[Address[Any]] = []
        self._look()
        self.offences: list[str] = []
        self.root.observe(self._keep_order)

    def _supervisor(self, name: str, kids: list[Any]) -> Supervisor:
        rng = self.rng
        return Supervisor(
            name,
            kids,
            rng.choice([Strategy.ONE_FOR_ONE, *GROUPED]),
            intensity=rng.choice([None, Intensity(3, 5), Intensity(30, 5)]),
            backoff=BACKOFF,
            rng=Random(rng.random()),
            shutdown_s=rng.choice([0.5, 5]),
        )

    def _spec(self, name: str) -> ChildSpec:
        rng = self.rng
        overflow = rng.choice(list(Overflow))
        limit = rng.choice([1, 1, 3])
        return ChildSpec(
            name,
            lambda: Erratic(self, limit),
            rng.choice([Restart.PERMANENT, Restart.PERMANENT, Restart.TRANSIENT]),
            mailbox=rng.choice([1, 2, 8]),
            overflow=overflow,
            coalesce_key=type if overflow is Overflow.COALESCE else None,
            on_restart=rng.choice(list(OnRestart)),
            shutdown_s=rng.choice([0, 0.3, 5]),
        )

    def _look(self) -> None:
        """Get to know the children there are, those that will be forgotten included."""
        for supervisor in self.supervisors:
            for child in supervisor.children.values():
                if id(child.slot) not in self.slots:
                    self.slots[id(child.slot)] = child.slot
                    if child.subtree is None:
                        self.addresses.append(child.address)

    # ---- what happens --------------------------------------------------------------------------

    def message(self) -> object:
        rng = self.rng
        key = rng.randrange(3)
        kinds: list[object] = [Sleep(rng.choice([0, 0.1, 1]), key), Sleep(0.2, key), Hang(key)]
        kinds += [Query(rng.choice([0, 0.5, 3])), Query(0.1), Query(boom=True), Boom(), "plain"]
        kinds.append(Relay(key))
        return rng.choices(kinds, [6, 6, 1, 3, 3, 1, 2, 6, 3])[0]

    async def ask(self) -> None:
        """Ask once, perhaps giving up first; exactly one of the counters moves."""
        rng = self.rng
        address = rng.choice(self.addresses)
        self.asked += 1
        with trio.move_on_after(rng.choice([0.05, 1, 50])) as patience:
            with suppress(ActorError, StoreUnavailable):
                await address.ask(self.message(), rng.choice([0.05, 0.5, 3, 8]))
            self.resolved += 1
        if patience.cancelled_caught:
            self.withdrawn += 1

    async def tell(self) -> None:
        address = self.rng.choice(self.addresses)
        if self.rng.random() < 0.5:
            address.tell_nowait(self.message())
            return
        with trio.move_on_after(self.rng.choice([0.1, 5])):
            with suppress(ActorError):
                await address.tell(self.message(), self.rng.choice([None, 0.1, 2]))

    async def invite(self) -> None:
        """A guest comes, or is asked to leave."""
        spec = self._spec(f"guest{self.rng.randrange(4)}")
        with trio.move_on_after(self.rng.choice([0.05, 5])):
            with suppress(ActorError, StoreUnavailable):
                if self.rng.random() < 0.6:
                    await self.guests.start_child(spec)
                else:
                    await dismiss(self.guests, spec.id)

    def order(self) -> None:
        path = self.rng.choice(self.addresses).path
        act = self.rng.choice([restart_child, suspend, resume])
        with suppress(ValueError, KeyError):  # refused in this state, or gone
            act(self.root, path)

    async def play(self) -> None:
        """Let it all happen, looking at the books all the while."""
        happenings = [self.ask, self.ask, self.ask, self.ask, self.tell, self.tell, self.invite]
        async with trio.open_nursery() as crowd:
            async with trio.open_nursery() as stage:
                stage.start_soon(self._run)
                end = trio.current_time() + self.rng.uniform(0, LENGTH_S)
                while trio.current_time() < end:
                    crowd.start_soon(self.rng.choice(happenings))
                    if self.rng.random() < 0.03:
                        self.order()
                    await trio.sleep(self.rng.choice([0, 0, 0.01, 0.3]))
                    self.balance()
                stage.cancel_scope.cancel()
                cancelled_at = trio.current_time()
            assert trio.current_time() <= cancelled_at + self.root.shutdown_s + 0.001
            self.balance()

    async def _run(self) -> None:
        with suppress(RestartIntensityExceeded):
            await self.root.run()

    # ---- what must hold ------------------------------------------------------------------------

    def balance(self) -> None:
        self._look()
        for slot in self.slots.values():
            settled = slot.accounts.settled + slot.in_hand_count + slot.mailbox.depth
            assert settled == slot.accounts.received, slot.path

    def _keep_order(self, transition: Transition) -> None:
        """Groups start in order and stop in reverse; every ordered stop is in reverse."""
        for supervisor in self.supervisors:
            slots = [child.slot for child in supervisor.children.values()]
            paths = [slot.path for slot in slots]
            if transition.path not in paths or supervisor is self.guests:
                continue
            place = paths.index(transition.path)
            grouped, ending = supervisor.strategy in GROUPED, supervisor.state is State.STOPPING
            if grouped and transition.after == "starting":
                if any(slot.state not in READY for slot in slots[:place]):
                    self.offences.append(f"{transition.path} starts before its elders are ready")
                if any(slot.state in LIVE for slot in slots[place + 1 :]):
                    self.offences.append(f"{transition.path} starts below living juniors")
            stopping = transition.after == "stopping" and (grouped or ending)
            if stopping and any(slot.state in LIVE for slot in slots[place + 1 :]):
                self.offences.append(f"{transition.path} stops before its juniors")

    def verify_the_end(self, tasks: int, begun: float) -> None:
        assert self.offences == []
        assert self.asked == self.resolved + self.withdrawn
        for slot in self.slots.values():
            assert slot.in_hand_count == 0, slot.path
            if slot.incarnation:
                assert slot.state in (State.STOPPED, State.FAILED), slot.path
                assert slot.mailbox.depth == 0, slot.path
        assert trio.lowlevel.current_statistics().tasks_living == tasks
        assert trio.current_time() - begun < LENGTH_S + 20


async def run_schedule(seed: int) -> Schedule:
    """Run one schedule and verify it; whatever fails carries the seed as a note."""
    trio_run._r.seed(seed)
    tasks, begun = trio.lowlevel.current_statistics().tasks_living, trio.current_time()
    schedule = Schedule(seed)
    try:
        await schedule.play()
        schedule.verify_the_end(tasks, begun)
    except BaseException as error:
        error.add_note(f"schedule: run_schedule({seed}) of tests/supervisors/schedules.py")
        raise
    return schedule

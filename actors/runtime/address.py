"""Addresses: how actors and the edge reach an actor without ever holding one.

An address points at a slot, so it is stable over restarts and may be taken before the first start.
It queues, waits and refuses; it never runs a turn.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import trio

from actors.runtime.envelope import (
    ActorError,
    AskCycle,
    AskTimeout,
    Envelope,
    Exit,
    MailboxFull,
    ask_chain,
)
from actors.runtime.reentrant import ask_interleaved
from actors.runtime.slot_state import State
from actors.runtime.trio_internals.handler import effective_deadline
from actors.runtime.trio_internals.switch import switch_to
from actors.runtime.trio_internals.timer import TimedReply

if TYPE_CHECKING:
    from actors.runtime.slot import Slot

M = TypeVar("M")


class Address(Generic[M]):
    """The way to one actor's slot."""

    __slots__ = ("_slot",)

    def __init__(self, slot: Slot) -> None:
        """Point at a slot; supervisors make addresses, nobody else."""
        self._slot = slot

    def __repr__(self) -> str:
        return f"<Address {self._slot.path}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and self._slot is other._slot

    def __hash__(self) -> int:
        return hash(self._slot)

    @property
    def path(self) -> str:
        """The slot's path in the tree, such as `/root/core/hub`."""
        return self._slot.path

    @property
    def is_running(self) -> bool:
        """Whether an incarnation is ready, and neither suspended nor leaving."""
        return self._slot.state is State.RUNNING and not self._slot.mailbox.leaving

    async def tell(self, message: M, timeout_s: float | None = None) -> None:
        """Queue a message nobody waits for.

        Raises ActorStopped, or MailboxFull by the overflow rule or after waiting `timeout_s`.
        """
        slot, envelope = self._slot, Envelope(message)
        try:
            if timeout_s is None:
                await slot.mailbox.put(envelope)
                return
            with trio.move_on_after(timeout_s):
                await slot.mailbox.put(envelope)
                return
        except BaseException:
            slot.accounts.reject()
            raise
        slot.accounts.reject()
        raise MailboxFull(slot.path, f"no room within {timeout_s} s")

    def tell_nowait(self, message: M) -> bool:
        """Queue a message at once; False if it was refused. Never blocks, never raises for it."""
        slot = self._slot
        try:
            accepted = slot.mailbox.put_nowait(Envelope(message))
        except ActorError:
            accepted = False
        if not accepted:
            slot.accounts.reject()
        return accepted

    async def ask(self, message: M, timeout_s: float) -> Any:
        """Send a message and wait for its answer, at most `timeout_s` seconds.

        The deadline travels with the message and is never later than the asker's own. Raises
        AskTimeout, ActorCrashed (with its cause), ActorStopped, MailboxFull, AskCycle, or the
        Outage the actor met.
        """
        slot, chain = self._slot, ask_chain.get()
        if slot.path in chain:
            slot.accounts.reject()
            raise AskCycle(slot.path, chain)
        now = slot.clock.current_time()
        deadline = now + timeout_s
        if isinstance(message, slot.interleaved):  # it stands under the asker's deadline anyway
            return await ask_interleaved(slot, message, now, deadline, chain)
        askers_own = effective_deadline()
        reply = TimedReply(slot.path)
        until = min(deadline, askers_own)
        envelope = Envelope(message, reply, until, chain, now)
        try:
            wake = switch_to if askers_own > now else trio.lowlevel.reschedule
            if not slot.mailbox.put_nowait(envelope, wake):
                await self._wait_for_room(envelope)
        except BaseException:
            slot.accounts.reject()
            raise
        if not reply.is_open:
            return reply.result()
        try:
            if askers_own < deadline:  # that comes first, and will cut this short
                return await reply.wait()
            return await reply.wait_until(deadline)
        except trio.Cancelled:
            # The asker has left: what still waits for its turn is shed instead of carried out.
            envelope.deadline = -math.inf
            raise

    async def _wait_for_room(self, envelope: Envelope) -> None:
        with trio.CancelScope(deadline=envelope.deadline):
            await self._slot.mailbox.wait_for_room(envelope)
            return
        raise AskTimeout(self._slot.path, "no room before the deadline")

    async def watch(self) -> Exit:
        """Wait for the end of the current incarnation (or the next, if none lives) and say how.

        A child that is over answers at once.
        """
        return await self._slot.watch()

"""The mailbox by itself: bounds, overflow rules, turn keys, closing."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.runtime.counters import Accounts
from actors.runtime.envelope import (
    ActorStopped,
    AskTimeout,
    Envelope,
    KeyFailure,
    MailboxFull,
    Reply,
)
from actors.runtime.mailbox import Mailbox, Overflow


def mailbox(capacity: int, overflow: Overflow = Overflow.BLOCK, **rest: Any) -> Mailbox:
    return Mailbox("/m", Accounts(), capacity, overflow, **rest)


def drain(box: Mailbox) -> list[object]:
    drained = []
    while (envelope := box.take()) is not None:
        drained.append(envelope.message)
    return drained


async def test_blocked_senders_get_in_first_come_first_served(autojump_clock: MockClock) -> None:
    box = mailbox(1)
    await box.put(Envelope(0))
    async with trio.open_nursery() as nursery:
        for number in (1, 2, 3):
            nursery.start_soon(box.put, Envelope(number))
            await wait_all_tasks_blocked()
        taken = [box.take() for _ in range(4)]
    assert [envelope.message for envelope in taken if envelope] == [0, 1, 2, 3]
    assert box.high_water == 1


async def test_a_sender_cancelled_while_it_waits_has_sent_nothing(
    autojump_clock: MockClock,
) -> None:
    box = mailbox(1)
    await box.put(Envelope("first"))
    with trio.move_on_after(1) as scope:
        await box.put(Envelope("second"))
    assert scope.cancelled_caught
    assert drain(box) == ["first"]


async def test_reject_refuses_what_has_no_room() -> None:
    box = mailbox(1, Overflow.REJECT)
    await box.put(Envelope(1))
    with pytest.raises(MailboxFull):
        await box.put(Envelope(2))
    assert drain(box) == [1]


async def test_drop_oldest_makes_room_and_fails_the_evicted_ask() -> None:
    box, reply = mailbox(2, Overflow.DROP_OLDEST), Reply()
    await box.put(Envelope("old", reply))
    await box.put(Envelope("middle"))
    await box.put(Envelope("new"))
    with pytest.raises(MailboxFull):
        await reply.wait()
    assert drain(box) == ["middle", "new"]


async def test_coalesce_replaces_in_place_and_fails_the_older_ask() -> None:
    box = mailbox(2, Overflow.COALESCE, coalesce_key=lambda message: message[0])
    older = Reply()
    await box.put(Envelope(("a", 1), older))
    await box.put(Envelope(("b", 1)))
    await box.put(Envelope(("a", 2)))
    with pytest.raises(MailboxFull):
        await older.wait()
    assert drain(box) == [("a", 2), ("b", 1)]


async def test_coalesce_makes_a_third_key_wait_for_room(autojump_clock: MockClock) -> None:
    box = mailbox(1, Overflow.COALESCE, coalesce_key=lambda message: message)
    await box.put(Envelope("a"))
    assert not box.put_nowait(Envelope("b"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.put, Envelope("b"))
        nursery.start_soon(box.put, Envelope("b"))
        await wait_all_tasks_blocked()
        assert drain(box) == ["a", "b"]


async def test_closing_refuses_the_waiting_senders_and_keeps_what_is_queued(
    autojump_clock: MockClock,
) -> None:
    box = mailbox(1)
    await box.put(Envelope("queued"))

    async def refused() -> None:
        with pytest.raises(ActorStopped):
            await box.put(Envelope("too late"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(refused)
        await wait_all_tasks_blocked()
        box.close()
    with pytest.raises(ActorStopped):
        box.put_nowait(Envelope("later still"))
    assert not box.finished
    assert drain(box) == ["queued"]
    assert box.finished


async def test_messages_of_a_busy_key_are_passed_over_in_order() -> None:
    box = mailbox(8)
    for message in ("a1", "b1", "a2", "b2"):
        await box.put(Envelope(message))
    first = box.take({"a"}, lambda message: message[0])
    second = box.take({"a", "b"}, lambda message: message[0])
    third = box.take((), lambda message: message[0])
    assert first is not None
    assert second is None
    assert third is not None
    assert (first.message, third.message) == ("b1", "a1")


async def test_a_turn_key_that_raises_travels_with_its_message() -> None:
    box = mailbox(8)
    await box.put(Envelope(1))
    envelope = box.take((), lambda message: message["no such"])
    assert envelope is not None
    assert isinstance(envelope.turn_key, KeyFailure)


async def test_an_expired_message_is_shed_and_its_ask_told(autojump_clock: MockClock) -> None:
    box, reply = mailbox(8), Reply()
    await box.put(Envelope("expired", reply, trio.current_time() + 1))
    await box.put(Envelope("fresh", None, math.inf))
    await trio.sleep(2)
    assert drain(box) == ["fresh"]
    with pytest.raises(AskTimeout):
        await reply.wait()


async def test_an_interrupted_mailbox_keeps_its_queue_for_the_next_incarnation() -> None:
    box = mailbox(8)
    await box.put(Envelope(1))
    box.interrupt()
    assert box.finished
    assert box.take() is None
    box.reopen()
    assert drain(box) == [1]


async def test_the_first_answer_wins() -> None:
    reply = Reply()
    assert reply.answer(1)
    assert not reply.fail(ValueError("late"))
    assert await reply.wait() == 1

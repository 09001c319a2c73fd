"""The lane of a reader of events: in order, in bounds, and by the same rules as a socket's."""

from __future__ import annotations

from uuid import UUID

import trio
import trio.testing

from actors.ports.feed import EncodedEntry
from domain.notifications.notification import NoticeType
from web.sockets.event_queue import EventLane
from web.sockets.frames import frame_text, payload_of

EPOCH = UUID(int=9)
COMMENT, MAINTENANCE = NoticeType.COMMENT_ADDED, NoticeType.SYSTEM_MAINTENANCE


def entry(seq: int, kind: NoticeType = COMMENT, size: int = 2) -> EncodedEntry:
    return EncodedEntry(seq, kind, None, (), True, frame_text(b"{" + b" " * (size - 2) + b"}"))


def lane(waiting_bytes_max: int = 1000) -> EventLane:
    made = EventLane(waiting_bytes_max)
    made.epoch = EPOCH
    return made


def test_the_payload_of_a_frame_of_any_length_is_what_was_framed() -> None:
    for length in (0, 1, 125, 126, 65_535, 65_536):
        assert payload_of(frame_text(b"x" * length)) == b"x" * length


async def test_entries_are_events_with_their_position() -> None:
    reader = lane()
    assert reader.push_all([entry(1), entry(2, MAINTENANCE)])
    assert (
        await reader.take(trio.current_time())
        == (
            f"id: {EPOCH}-1\nevent: comment_added\ndata: {{}}\n\n"
            f"id: {EPOCH}-2\nevent: system_maintenance\ndata: {{}}\n\n"
        ).encode()
    )
    assert reader.take_now() == b""


async def test_what_comes_wakes_whoever_waits_and_so_does_the_end(autojump_clock) -> None:
    reader = lane()
    taken: list[bytes] = []

    async def take() -> None:
        taken.append(await reader.take(trio.current_time() + 3600))
        taken.append(await reader.take(trio.current_time() + 3600))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        await trio.testing.wait_all_tasks_blocked()
        reader.push_all([entry(1)])
        await trio.testing.wait_all_tasks_blocked()
        reader.close(4401, "signed out")
    assert [bool(one) for one in taken] == [True, False]
    assert trio.current_time() < 3600


async def test_over_the_bound_what_must_arrive_ends_it() -> None:
    reader = lane()
    assert reader.push_all([entry(1, size=500)])
    assert not reader.push_all([entry(2, size=500)])
    assert reader.ended == (4408, "too slow")
    assert not reader.push_all([entry(3)])


async def test_over_the_bound_the_newest_takes_the_place_of_the_older() -> None:
    reader = lane()
    assert reader.push_all([entry(1, size=800)])
    for seq in (2, 3, 4):
        assert reader.push_all([entry(seq, MAINTENANCE, size=300)])
    text = reader.take_now()
    assert [f"-{seq}\n".encode() in text for seq in (1, 2, 3, 4)] == [True, False, False, True]
    assert reader.ended is None

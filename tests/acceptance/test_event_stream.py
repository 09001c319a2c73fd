"""The same notifications as Server-Sent Events: live, after a break, by ticket, and to the end."""

from __future__ import annotations

import signal

import pytest
import trio

from tests.acceptance.event_reader import EventReader
from tests.acceptance.node import active_loan, hire
from tests.web.edge.edge_wire import wire


async def test_events_come_live_with_their_position_and_resume_after_the_last_id(shared_node):
    node = shared_node
    staff = await hire(node)
    reader = EventReader(node, staff.officer)
    async with reader.reading() as events:
        told = await events.until("subscribed")
        assert reader.last_id == f"{told['to']['epoch']}-{told['to']['seq']}"
        loan = await active_loan(node, staff)
        change = await events.until("loan_status_change")
        assert change["data"]["loan_id"] == loan["id"]
        assert reader.last_id == f"{told['to']['epoch']}-{change['id']}"
    for word in ("one", "two", "three"):
        await node.post(staff.officer, f"/loans/{loan['id']}/comments", {"body": word})
    async with reader.reading() as events:
        told = await events.until("subscribed")
        assert told["recovered"] is True
        await node.post(staff.officer, f"/loans/{loan['id']}/comments", {"body": "four"})
        # What the hub had not yet read when he came is live, and comes after the answer.
        for _ in range(4 - len(_said(reader))):
            await events.until("comment_added")
    assert _said(reader) == ["one", "two", "three", "four"]
    ids = [int(told_id.rpartition("-")[2]) for told_id, _, _ in reader.events if told_id]
    assert ids == sorted(ids)


async def test_types_and_topics_narrow_and_what_is_out_of_sight_is_not_found(shared_node):
    node = shared_node
    staff, other = await hire(node), await hire(node)
    loan, noise = await active_loan(node, staff), await active_loan(node, other)
    reader = EventReader(node, staff.customer)
    async with reader.reading(f"/events?types=comment_added&topics=loan:{loan['id']}") as events:
        await events.until("subscribed")
        for place in (noise, loan):
            await node.post(staff.officer, f"/loans/{place['id']}/comments", {"body": "hear"})
        assert (await events.until("comment_added"))["data"]["loan_id"] == loan["id"]
    await node.get(staff.customer, f"/events?topics=loan:{noise['id']}", expect=404)


@pytest.mark.parametrize(
    "query", ["types=everything", "types=", "topics=branch:1", "since=1", "page=2"]
)
async def test_what_cannot_be_read_is_refused(shared_node, query):
    staff = await hire(shared_node)
    answer = await shared_node.get(staff.officer, f"/events?{query}", expect=400)
    assert answer["parameter"] == query.partition("=")[0]


async def test_an_id_of_no_event_is_refused_and_one_of_another_feed_starts_afresh(shared_node):
    staff = await hire(shared_node)
    reader = EventReader(shared_node, staff.officer, last_id="yesterday")
    async with reader.reading():
        assert reader.status == 400
    reader.last_id = f"{staff.officer_id}-7"
    async with reader.reading() as events:
        assert (await events.until("subscribed"))["recovered"] is False


async def test_a_ticket_lets_in_once(shared_node):
    node = shared_node
    staff = await hire(node)
    ticket = (await node.post(staff.officer, "/ws/ticket"))["ticket"]
    reader = EventReader(node)
    async with reader.reading(f"/events?ticket={ticket}") as events:
        await events.until("subscribed")
    async with reader.reading(f"/events?ticket={ticket}"):
        assert reader.status == 401
    async with reader.reading():
        assert reader.status == 401


async def test_a_sign_out_ends_the_stream(shared_node):
    staff = await hire(shared_node)
    reader = EventReader(shared_node, staff.officer)
    async with reader.reading() as events:
        await events.until("subscribed")
        async with shared_node.client(staff.officer) as client:
            assert (await client.post("/auth/logout")).status_code == 204
        assert (await events.until("end"))["code"] == 4401
        assert await events.event() is None


async def test_readers_count_as_sockets_and_one_too_many_is_refused(shared_node):
    staff = await hire(shared_node)

    async def read(joined: trio.Event) -> None:
        reader = EventReader(shared_node, staff.officer)
        async with reader.reading() as events:
            await events.until("subscribed")
            joined.set()
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            joined = trio.Event()
            nursery.start_soon(read, joined)
            await joined.wait()
        reader = EventReader(shared_node, staff.officer)
        async with reader.reading():
            assert reader.status == 429
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("path", ["/events", "/supervision/events"])
async def test_a_head_is_answered_and_its_connection_goes_on(shared_node, path):
    token = (await shared_node.sign_in())["access_token"]
    async with wire(int(shared_node.url.rsplit(":", 1)[1])) as raw:
        told = await raw.get(path, f"Authorization: Bearer {token}", method="HEAD")
        assert (told.status, told.headers[b"content-type"]) == (200, b"text/event-stream")
        assert (await raw.get("/health")).status == 200


async def test_a_drain_says_when_to_come_back(embedded_node):
    reader = EventReader(embedded_node, (await embedded_node.sign_in())["access_token"])
    async with reader.reading() as events:
        await events.until("subscribed")
        assert embedded_node.process is not None
        embedded_node.process.send_signal(signal.SIGTERM)
        assert (await events.until("end"))["code"] == 1012
        assert await events.event() is None
    assert reader.retry_ms is not None
    assert 500 <= reader.retry_ms <= 5000
    with trio.fail_after(120):
        assert await trio.to_thread.run_sync(embedded_node.process.wait) == 0


def _said(reader: EventReader) -> list[str]:
    return [data["data"]["body"] for _, name, data in reader.events if name == "comment_added"]

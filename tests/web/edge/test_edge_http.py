"""HTTP/1.1 over the edge: what a client may expect of a connection."""

import trio

from tests.web.edge.edge_servers import edge
from tests.web.edge.edge_wire import HANG_GUARD_S, wire
from web.edge.limits import EdgeLimits

GET = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_requests_follow_each_other_on_one_connection() -> None:
    async with edge() as server, wire(server.port) as client:
        for _ in range(3):
            assert (await client.get("/hello")).body == b"hello"


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with edge() as server, wire(server.port) as client:
        post = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        await client.send(GET + post + GET)
        bodies = [(await client.reply()).body for _ in range(3)]
        assert bodies == [b"hello", b"abc", b"hello"]


async def test_a_client_that_sends_far_ahead_is_read_no_further_until_answered() -> None:
    limits = EdgeLimits(pipelined_bytes_max=1_000)
    async with edge(limits) as server, wire(server.port) as client:
        await client.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n" + GET * 100)
        await server.trace.reached("waiting")
        server.trace.mark("go")
        assert (await client.reply()).body == b"waited"
        for _ in range(100):
            assert (await client.reply()).body == b"hello"


async def test_what_is_sent_ahead_is_not_gathered_without_bound() -> None:
    async with edge(EdgeLimits(pipelined_bytes_max=1_000)) as server, wire(server.port) as client:
        await client.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await server.trace.reached("waiting")
        with trio.move_on_after(0.3) as scope:  # more than the kernel holds for both ends
            await client.stream.send_all(GET * 1_000_000)
        assert scope.cancelled_caught
        (connection,) = server.listener._connections
        assert len(connection.http.connection.trailing_data[0]) < 200_000
        server.trace.mark("go")


async def test_a_chunked_body_arrives_whole() -> None:
    async with edge() as server, wire(server.port) as client:
        head = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        await client.send(head + b"5\r\nhello\r\n")
        await client.send(b"6;ext=1\r\n world\r\n0\r\n\r\n")
        assert (await client.reply()).body == b"hello world"


async def test_head_has_the_length_and_no_body() -> None:
    async with edge() as server, wire(server.port) as client:
        reply = await client.get("/hello", method="HEAD")
        assert (reply.headers[b"content-length"], reply.body) == (b"5", b"")
        assert (await client.get("/hello")).body == b"hello"


async def test_a_body_is_asked_for_with_100_continue() -> None:
    async with edge() as server, wire(server.port) as client:
        head = (
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
        await client.send(head)
        assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 \r\n\r\n"
        await client.send(b"abc")
        assert (await client.reply()).body == b"abc"


async def test_a_big_upload_streams_through_a_small_buffer() -> None:
    limits = EdgeLimits(body_buffered_bytes_max=65_536, body_bytes_max=20_000_000)
    async with edge(limits) as server, wire(server.port) as client:
        reply = await client.post("/sum", bytes(16_000_000))
        assert reply.body == b"16000000"


async def test_an_unread_upload_gets_its_answer_and_ends_the_connection() -> None:
    limits = EdgeLimits(body_buffered_bytes_max=65_536, body_bytes_max=20_000_000)
    async with edge(limits) as server, wire(server.port) as client:
        reply = await client.post("/ignore", bytes(1_000_000))
        assert reply.body == b"ignored"
        assert await client.rest() == b""


async def test_an_answer_that_comes_before_the_body_says_that_nothing_follows() -> None:
    async with edge() as server, wire(server.port) as client:
        early = await client.get("/ignore", "Content-Length: 4", method="POST")
        assert (early.status, early.headers[b"connection"]) == (200, b"close")
        assert await client.rest() == b""
        async with wire(server.port) as other:
            whole = await other.post("/ignore", b"abcd")
            assert (whole.status, b"connection" in whole.headers) == (200, False)
            assert (await other.post("/ignore", b"abcd")).status == 200


async def test_a_stream_is_not_held_back_by_the_cork() -> None:
    async with edge() as server, wire(server.port) as client:
        await client.send(b"GET /ticks HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"first" in await client.until(b"first")
        server.trace.mark("go")
        assert b"second" in await client.until(b"0\r\n\r\n")
        assert (await client.get("/hello")).status == 200


async def test_a_disconnect_cancels_a_long_request() -> None:
    async with edge() as server:
        async with wire(server.port) as client:
            await client.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
            await server.trace.reached("waiting")
        with trio.fail_after(HANG_GUARD_S):
            await server.trace.reached("cancelled")


async def test_a_disconnect_cancels_a_request_whose_body_lies_unread() -> None:
    async with edge(EdgeLimits(body_buffered_bytes_max=1_000, sweep_s=0.02)) as server:
        async with wire(server.port) as client:
            head = b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
            await client.send(head + bytes(100_000))
            await server.trace.reached("waiting")
        with trio.fail_after(HANG_GUARD_S):
            await server.trace.reached("cancelled")


async def test_a_disconnect_cancels_a_request_with_another_behind_it() -> None:
    async with edge() as server:
        async with wire(server.port) as client:
            await client.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
            await server.trace.reached("waiting")
        with trio.fail_after(HANG_GUARD_S):
            await server.trace.reached("cancelled")


async def test_a_disconnect_cancels_a_request_that_is_held_back_from_the_next_ones() -> None:
    async with edge(EdgeLimits(pipelined_bytes_max=1_000, sweep_s=0.02)) as server:
        async with wire(server.port) as client:
            await client.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
            await server.trace.reached("waiting")
            await client.send(GET * 100)
        with trio.fail_after(HANG_GUARD_S):
            await server.trace.reached("cancelled")


async def test_an_error_of_the_handler_is_500_and_the_connection_lives() -> None:
    async with edge() as server, wire(server.port) as client:
        assert (await client.get("/boom")).status == 500
        assert (await client.get("/hello")).status == 200


async def test_http_1_0_is_answered_and_closed() -> None:
    async with edge() as server, wire(server.port) as client:
        await client.send(b"GET /hello HTTP/1.0\r\n\r\n")
        assert (await client.rest()).endswith(b"hello")


async def test_an_idle_connection_is_closed_without_a_word() -> None:
    async with edge(EdgeLimits(keep_alive_s=0.05)) as server, wire(server.port) as client:
        assert (await client.get("/hello")).status == 200
        assert await client.rest() == b""


async def test_responses_name_neither_server_nor_date() -> None:
    async with edge() as server, wire(server.port) as client:
        headers = (await client.get("/hello")).headers
        assert not {b"server", b"date"} & set(headers)

"""What the edge refuses to hand to the application (S36, S51)."""

import json

import pytest

from tests.web.edge.edge_servers import edge
from tests.web.edge.edge_wire import upgrade, wire
from web.edge.limits import EdgeLimits

HEAD = b"POST /echo HTTP/1.1\r\nHost: x\r\n"
REFUSED = {
    "both lengths": (400, HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "zero and chunked": (400, HEAD + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "two lengths": (400, HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    "one length twice": (400, HEAD + b"Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc"),
    "a list of lengths": (400, HEAD + b"Content-Length: 3, 3\r\n\r\nabc"),
    "a signed length": (400, HEAD + b"Content-Length: +3\r\n\r\nabc"),
    "an unknown coding": (501, HEAD + b"Transfer-Encoding: xchunked\r\n\r\n"),
    "two codings": (501, HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    "chunks in HTTP/1.0": (400, b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a bare line feed": (400, b"GET /hello HTTP/1.1\nHost: x\n\n"),
    "a folded line": (400, b"GET /hello HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"),
    "a space before the colon": (400, b"GET /hello HTTP/1.1\r\nHost : x\r\n\r\n"),
    "no host": (400, b"GET /hello HTTP/1.1\r\n\r\n"),
    "two hosts": (400, b"GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
    "nonsense": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    "a later version": (400, b"GET /hello HTTP/3.0\r\nHost: x\r\n\r\n"),
    "no path": (400, b"GET ?limit=5 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a relative path": (400, b"GET hello HTTP/1.1\r\nHost: x\r\n\r\n"),
    "an asterisk": (400, b"GET * HTTP/1.1\r\nHost: x\r\n\r\n"),
    "another scheme": (400, b"GET ftp://x/hello HTTP/1.1\r\nHost: x\r\n\r\n"),
    "no authority": (400, b"GET http:///hello HTTP/1.1\r\nHost: x\r\n\r\n"),
    "half an authority": (400, b"GET http://[/hello HTTP/1.1\r\nHost: x\r\n\r\n"),
    "no text": (400, b"GET \xff HTTP/1.1\r\nHost: x\r\n\r\n"),
    "CONNECT": (405, b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a method in small letters": (405, b"get /hello HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a long target": (414, b"GET /" + b"a" * 16_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a long head": (431, b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 100_000 + b"\r\n\r\n"),
    "a head at once": (431, b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 40_000 + b"\r\n\r\n"),
    "many headers": (431, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200 + b"\r\n"),
    "an upgrade with a body": (400, upgrade("/ws/echo", "Content-Length: 1") + b"x"),
    "an upgrade without a key": (
        400,
        b"GET /ws/echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ),
}


@pytest.mark.parametrize(("status", "opening"), REFUSED.values(), ids=REFUSED.keys())
async def test_it_is_refused_and_the_connection_closed(status: int, opening: bytes) -> None:
    async with edge() as server, wire(server.port) as client:
        await client.send(opening)
        reply = await client.reply()
        assert reply.status == status
        assert await client.rest() == b""
        if reply.body:
            problem = json.loads(reply.body)
            assert problem["status"] == status
            assert problem["request_id"].encode() == reply.headers[b"x-request-id"]
        if status == 405:
            assert b"GET" in reply.headers[b"allow"]
        assert reply.headers[b"connection"] == b"close"
        assert reply.headers[b"cache-control"] == b"no-store"


@pytest.mark.parametrize("method", ["TRACE", "QUERY", "BREW", "PROPFIND"])
async def test_of_a_method_that_its_path_does_not_take_the_application_says_which_it_does(
    method: str,
) -> None:
    """V11: 405 with the path's own Allow, and the connection goes on."""
    async with edge() as server, wire(server.port) as client:
        await client.send(f"{method} /hello HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        reply = await client.reply()
        assert reply.status == 405
        assert b"GET" in reply.headers[b"allow"]
        assert method.encode() not in reply.headers[b"allow"]
        await client.send(HEAD + b"\r\n")
        assert (await client.reply()).status != 405


async def test_a_smuggled_second_request_is_not_served() -> None:
    smuggled = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
    head = HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    async with edge() as server, wire(server.port) as client:
        await client.send(head + smuggled)
        answers = await client.rest()
        assert answers.count(b"HTTP/1.1 ") == 1
        assert b"hello" not in answers


async def test_a_broken_chunk_cancels_its_request() -> None:
    async with edge(EdgeLimits(linger_s=3_600)) as server, wire(server.port) as client:
        await client.send(b"POST /wait HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        await server.trace.reached("waiting")
        await client.send(b"xyz\r\n")
        assert (await client.reply()).status == 400
        await server.trace.reached("cancelled")


async def test_a_declared_body_over_the_limit_of_its_route_is_413_unread() -> None:
    async with edge(body_limit=lambda path: 10 if path == "/echo" else 100) as server:
        async with wire(server.port) as client:
            assert (await client.post("/sum", bytes(100))).body == b"100"
            assert (await client.post("/echo", bytes(10))).status == 200
            expect = b"Expect: 100-continue\r\nContent-Length: 11\r\n\r\n"
            await client.send(HEAD + expect)
            assert (await client.reply()).status == 413
            assert await client.rest() == b""


async def test_a_chunked_body_over_the_limit_is_413() -> None:
    async with edge(EdgeLimits(body_bytes_max=10)) as server, wire(server.port) as client:
        await client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        await client.send(b"6\r\nabcdef\r\n")
        await client.send(b"6\r\nabcdef\r\n")
        assert (await client.reply()).status == 413


async def test_the_413_reaches_a_client_that_is_still_sending() -> None:
    async with edge(EdgeLimits(body_bytes_max=1_000)) as server, wire(server.port) as client:
        assert (await client.post("/echo", bytes(2_000_000))).status == 413

"""F12: JSON that Quart answers with 500, or takes for good; the whole server refuses all of it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.web.edge.edge_process import running
from tests.web.edge.edge_wire import wire

BODIES = {
    # Deeper than any CPython recurses, and below what a stranger may send.
    "deep nesting": b"[" * 15_000,
    "invalid UTF-8": b'{"refresh_token":"\xff\xfe"}',
    "NaN": b'{"refresh_token":NaN}',
    "Infinity": b'{"refresh_token":-Infinity}',
    "1e999": b'{"refresh_token":1e999}',
    "a key twice": b'{"refresh_token":"a","refresh_token":"b"}',
    "a lone surrogate": b'{"refresh_token":"\\ud800"}',
    "NUL": b'{"refresh_token":"a\\u0000b"}',
}


@asynccontextmanager
async def parser(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[tuple[int, str]]:
    """The port and path of something that reads JSON: ours is Lendwire itself."""
    if kind == "edge":
        url: str = request.getfixturevalue("shared_node").url
        yield int(url.rpartition(":")[2]), "/auth/refresh"
        return
    async with running(kind) as server:
        yield server.port, "/parse"


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_f12_what_is_not_json_is_refused(
    server_kind: str, body: bytes, request: pytest.FixtureRequest
) -> None:
    async with parser(server_kind, request) as (port, path), wire(port) as client:
        reply = await client.post(path, body, "Content-Type: application/json")
        assert reply.status == 400
        assert json.loads(reply.body)["code"] == "not_json"


async def test_f12_the_parsers_take_what_is_json(request: pytest.FixtureRequest) -> None:
    for kind, status in (("edge", 401), ("stock", 200)):
        async with parser(kind, request) as (port, path), wire(port) as client:
            body = b'{"refresh_token":"\xc3\xa4\\ud83d\\ude00"}'
            assert (
                await client.post(path, body, "Content-Type: application/json")
            ).status == status

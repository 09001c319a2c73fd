"""The edge under any ASGI application, and what it counts as one address."""

from typing import Any

import pytest
import trio

from tests.web.edge.edge_wire import wire
from web.edge.listener import Listener, _address_of, bind


async def test_an_application_that_waits_for_the_end_is_told_of_it() -> None:
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        assert (await receive())["type"] == "http.request"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})
        heard.append((await receive())["type"])

    sockets = bind("127.0.0.1", 0)
    async with trio.open_nursery() as nursery:
        started = trio.Event()
        nursery.start_soon(Listener(app, sockets).run, None, started.set)
        await started.wait()
        async with wire(sockets[0].getsockname()[1]) as client:
            assert (await client.get("/")).body == b"done"
            assert (await client.get("/")).body == b"done"
        nursery.cancel_scope.cancel()
    for listening in sockets:
        listening.close()
    assert heard == ["http.disconnect", "http.disconnect"]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_a_network_of_64_bits_counts_as_one_address(host: str, address: str) -> None:
    assert _address_of(host) == address

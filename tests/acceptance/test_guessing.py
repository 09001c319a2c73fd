"""Guessing passwords on a running server: from many addresses, after a restart, and from within."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import trio

from tests.acceptance.node import PASSWORD, Node, hire
from tests.conftest import a_node

pytestmark = pytest.mark.slow

OWN_ADDRESS = "198.51.100.1"
NEW_ADDRESS = "198.51.100.2"


@pytest.fixture
def proxied_node() -> Iterator[Node]:
    """A server behind a proxy, so that a test may come from any address."""
    with a_node(TRUSTED_PROXIES="127.0.0.1") as node:
        yield node


async def sign_in(node: Node, email: str, password: str, address: str) -> int:
    async with node.client() as client:
        answer = await client.post(
            "/auth/login",
            json={"email": email, "password": password},
            headers={"X-Forwarded-For": address},
        )
    if answer.status_code == 429:
        assert answer.json()["code"] == "too_many_attempts"
        assert 1 <= int(answer.headers["Retry-After"]) <= 3601
    return int(answer.status_code)


async def test_a_hundred_guesses_from_many_addresses_and_the_account_is_slow(
    proxied_node: Node,
) -> None:
    """V4: n addresses give no ten n guesses, a restart forgives none, and the owner comes in."""
    node, email = proxied_node, f"{uuid.uuid4().hex[:8]}@example.com"
    admin = (await node.sign_in())["access_token"]
    person = {"email": email, "password": PASSWORD, "full_name": "An owner", "role": "customer"}
    await node.post(admin, "/users/", person)
    assert await sign_in(node, email, PASSWORD, OWN_ADDRESS) == 200
    statuses: list[int] = []
    guesses = iter(range(100))

    async def guess() -> None:
        for number in guesses:
            address = f"203.0.113.{number // 5}"
            while (status := await sign_in(node, email, f"guess {number}", address)) == 503:
                await trio.lowlevel.checkpoint()
            statuses.append(status)

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(guess)
    assert statuses == [401] * 100
    for _ in ("as it stands", "after a restart"):
        assert await sign_in(node, email, "another guess", NEW_ADDRESS) == 429
        assert await sign_in(node, email, PASSWORD, NEW_ADDRESS) == 429
        assert await sign_in(node, email, PASSWORD, OWN_ADDRESS) == 200
        node.stop()
        node.start()


async def test_the_current_password_is_guessed_no_faster_than_at_the_door(
    shared_node: Node,
) -> None:
    """V5: a stolen token gives ten guesses at the password, and then none at the sign-in either."""
    node = shared_node
    staff = await hire(node)
    path = f"/users/{staff.customer_id}/password"
    async with node.client(staff.customer) as client:
        answers = [
            await client.post(
                path,
                json={"current": f"guess {number}", "new_password": "a new heron in the reeds"},
            )
            for number in range(12)
        ]
        assert [answer.status_code for answer in answers] == [422] * 10 + [429] * 2
        assert answers[-1].json()["code"] == "too_many_attempts"
        assert int(answers[-1].headers["Retry-After"]) > 0
        right = {"current": PASSWORD, "new_password": "a new heron in the reeds"}
        assert (await client.post(path, json=right)).status_code == 429
        me = (await client.get("/auth/me")).json()
        again = {"email": me["email"], "password": PASSWORD}
        assert (await client.post("/auth/login", json=again)).status_code == 429

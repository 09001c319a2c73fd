"""Bad input over real sockets: a clear refusal with all its errors, and never a 5xx."""

from __future__ import annotations

from tests.acceptance.node import application, hire

BAD_BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe",
    b'{"a":1,"a":2}',
    b'{"principal":NaN}',
    b'{"principal":1e999}',
    b"[" * 100_000,
    b'{"principal": "1' + b"0" * 5000 + b'"}',
    '{"principal": "١٢"}'.encode(),
    b'{"principal": "\\ud800"}',
    b'{"principal": "\\u0000"}',
    b'{"principal": -1, "instalments": true, "frequency": "monthly", "extra": {}}',
]


async def test_every_bad_body_is_a_clear_refusal(shared_node):
    node = shared_node
    staff = await hire(node)
    async with node.client(staff.officer) as client:
        for path in ("/loans/", "/payments/", "/users/", "/auth/login", "/auth/refresh"):
            for body in BAD_BODIES:
                answer = await client.post(
                    path, content=body, headers={"Content-Type": "application/json"}
                )
                assert answer.status_code in {400, 413, 422}, (path, body[:40], answer.text)
                assert answer.headers["content-type"] == "application/problem+json"
        wrong = application("not-an-id", principal=1200, instalments="12", extra=True)
        answer = await client.post("/loans/", json=wrong)
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert {"/customer_id", "/principal", "/instalments", "/extra"} <= pointers

"""V14: with MUST_CHANGE_PASSWORD a first password opens nothing but the way to another."""

from __future__ import annotations

import uuid

import pytest
from trio_websocket import ConnectionRejected

from tests.acceptance.node import PASSWORD
from tests.conftest import a_node

REQUIRED = "password_change_required"
CHOSEN = "walnut-harbour-17"


@pytest.mark.slow
async def test_a_first_password_opens_nothing_but_the_way_to_another():
    with a_node(MUST_CHANGE_PASSWORD="true") as node:
        admin = await node.sign_in()
        email = f"{uuid.uuid4().hex}@example.com"
        person = {"email": email, "password": PASSWORD, "full_name": "N", "role": "officer"}
        made = await node.post(admin["access_token"], "/users/", person)
        grant = await node.sign_in(email)
        token, path = grant["access_token"], f"/users/{made['id']}"
        for closed in ("/loans/", "/users/", "/events", "/dashboard/stats", "/auth/sessions"):
            assert (await node.get(token, closed, expect=403))["code"] == REQUIRED, closed
        assert (await node.post(token, "/ws/ticket", expect=403))["code"] == REQUIRED
        assert admin["user"]["must_change_password"] is False  # an ADMIN_PASSWORD that was given
        assert grant["user"]["must_change_password"] is True
        assert (await node.get(token, "/users/me"))["must_change_password"] is True
        with pytest.raises((ConnectionRejected, ExceptionGroup)):
            async with node.listen(made["id"], token) as socket:
                await socket.get_message()
        change = {"current": PASSWORD, "new_password": CHOSEN}
        changed = await node.post(token, f"{path}/password", change, expect=200)
        assert changed["must_change_password"] is False
        await node.get(token, "/loans/")
        await node.post(token, "/ws/ticket", expect=201)

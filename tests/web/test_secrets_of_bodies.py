"""V2: secrets leave no trace: in no fingerprint, and in no text that could be logged or shown."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, cast

import pytest
from pydantic import BaseModel

from actors.messages.gatekeeper import Grant, Refresh, SignIn
from actors.messages.user_session import CarryOut
from domain.access.sign_in import Credentials
from domain.commands.loans import ChangePassword, CreateUser
from domain.loan.decision import Committed
from tests.web.bodies import BODIES
from tests.web.standins import ACCOUNT, OTHER_USER_ID, House
from web.api.table import ROUTES
from web.requests.fields import secret_fields
from web.requests.parsing import Body
from web.sockets.client_messages import SAID

SECRET_NAMES = ("password", "secret", "token", "current", "ticket", "private", "credential")
CANARY = "canary-in-the-mine-58"
SHAPES = [*(route.body for route in ROUTES if route.body is not None), *SAID.values()]
WITH_SECRETS = [
    route
    for route in ROUTES
    if route.body is not None and secret_fields(route.body) and route.idempotent
]
PATHS = {"create_user": "/users/", "change_password": f"/users/{OTHER_USER_ID}/password"}


def fields_of(shape: type[BaseModel], *path: str) -> Iterator[tuple[str, ...]]:
    """Each field of a shape, and those of the shapes inside it."""
    for name, field in shape.model_fields.items():
        yield (*path, name)
        for inner in models_in(field.annotation):
            yield from fields_of(inner, *path, name)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models_in(part)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_field_that_is_named_like_a_secret_is_declared_as_one(
    shape: type[BaseModel],
) -> None:
    for *outer, name in fields_of(shape):
        if any(word in name for word in SECRET_NAMES):
            assert not outer, "a secret inside of another field is not left out of fingerprints"
            assert name in secret_fields(shape)
            assert not shape.model_fields[name].repr


def test_the_routes_with_secrets_keep_their_keys() -> None:
    assert {route.name for route in WITH_SECRETS} >= {"create_user", "change_password"}


async def fingerprint(client: Any, house: House, name: str, body: dict[str, Any]) -> bytes:
    house.session.table = {
        CreateUser: Committed(ACCOUNT),
        ChangePassword: Committed(ACCOUNT),
    }
    headers = {**house.bearer, "Idempotency-Key": "once"}
    response = await client.post(PATHS[name], json=body, headers=headers)
    assert response.status_code in {200, 201}, await response.get_data()
    message = cast("CarryOut", house.session.asked[-1])
    assert message.context.idempotency is not None
    return message.context.idempotency.fingerprint


@pytest.mark.parametrize("name", PATHS)
async def test_a_fingerprint_says_nothing_of_a_password(
    client: Any, house: House, name: str
) -> None:
    body = BODIES[name]
    secrets = [field for field in body if any(word in field for word in SECRET_NAMES)]
    first = await fingerprint(client, house, name, body)
    whole = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
    assert first != sha256(whole).digest()
    for secret in secrets:
        assert await fingerprint(client, house, name, {**body, secret: CANARY}) == first


async def test_a_fingerprint_tells_all_else_apart(client: Any, house: House) -> None:
    body = BODIES["create_user"]
    first = await fingerprint(client, house, "create_user", body)
    other = await fingerprint(client, house, "create_user", {**body, "full_name": "Another"})
    assert other != first


async def test_no_secret_is_in_what_a_command_shows_of_itself(client: Any, house: House) -> None:
    body = {**BODIES["create_user"], "password": CANARY}
    await fingerprint(client, house, "create_user", body)
    assert CANARY not in repr(house.session.asked)
    body = {"current": CANARY, "new_password": CANARY}
    await fingerprint(client, house, "change_password", body)
    assert CANARY not in repr(house.session.asked)
    for shape in SHAPES:
        given = dict.fromkeys(secret_fields(shape), CANARY)
        assert CANARY not in repr(shape.model_construct(**given))
        assert CANARY not in repr(Body(shape.model_construct(**given), given))


@pytest.mark.parametrize(
    "message",
    [
        SignIn("a@b.example", CANARY, "192.0.2.1", None, "r"),
        Refresh(CANARY, "192.0.2.1", "r"),
        Grant(CANARY, CANARY, 60, ACCOUNT),
        Credentials(ACCOUNT, CANARY),
    ],
    ids=lambda message: type(message).__name__,
)
def test_no_secret_is_in_what_a_message_shows_of_itself(message: Any) -> None:
    assert CANARY not in repr(message)
    assert CANARY not in repr(dataclasses.replace(message))


@pytest.mark.parametrize("path", ["/users/", "/auth/login", "/auth/refresh"])
async def test_no_refusal_repeats_a_secret(client: Any, house: House, path: str) -> None:
    for body in (
        {"password": [CANARY], "refresh_token": {"of": CANARY}},
        {"password": CANARY * 200, "refresh_token": CANARY * 200},
        {"password": CANARY, "refresh_token": CANARY, "extra": CANARY, "email": CANARY},
    ):
        response = await client.post(path, json=body, headers=house.bearer)
        assert response.status_code == 422
        assert CANARY.encode() not in await response.get_data()
    raw = json.dumps({"password": CANARY}).encode()[:-2]
    headers = {**house.bearer, "Content-Type": "application/json"}
    response = await client.post(path, data=raw, headers=headers)
    assert response.status_code == 400
    assert CANARY.encode() not in await response.get_data()

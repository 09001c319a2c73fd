"""From a route to what serves it: recognise, limit, read strictly, hand over.

The order is that of cost: nothing is parsed for somebody who may not come in. It decides nothing
that a route or an actor could.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

import trio

from domain.addresses import client_place
from web.requests.fields import read_uuid
from web.requests.incoming import ArrivedRequest
from web.requests.parsing import (
    BodyReading,
    read_bearer,
    read_body,
    read_idempotency_key,
    read_query,
)
from web.responses import problems
from web.responses.problems import Problem
from web.responses.replies import Outcome, Stream
from web.routing.call import Call
from web.routing.dependencies import FrontDesk
from web.routing.route import Door, Route
from web.routing.tickets import TICKET, TOKEN_IN_URL, has_token, take_ticket
from web.security.rate_limit import RateLimit, Taken
from web.security.tokens import AccessClaims

Endpoint = Callable[[ArrivedRequest, dict[str, str]], Awaitable[Outcome]]

ID_SUFFIX: Final = "_id"
UNAUTHORIZED: Final = 401


def endpoint_of(route: Route, desk: FrontDesk) -> Endpoint:
    """What serves a route."""
    parameters = {parameter.name: parameter for parameter in route.query}
    reading = _body_reading(route, desk)

    async def serve(arrived: ArrivedRequest, path: dict[str, str]) -> Outcome:
        call = Call(
            desk=desk,
            method=arrived.method,
            path=arrived.path.rstrip("/") or "/",
            request_id=arrived.request_id,
            address=arrived.client_address,
            headers=arrived.given,
            ids={},
            words=path,
            query={},
            scope=arrived.scope,
        )
        refusal = await _let_in(route.door, call, arrived)
        if refusal is not None:
            return refusal
        ids = _ids(path)
        if isinstance(ids, Problem):
            return ids
        query = read_query(arrived.query_string, parameters)
        if isinstance(query, Problem):
            return TOKEN_IN_URL if has_token(arrived.query_string) else query
        call.ids, call.query = ids, query
        if call.claims is None and route.door is Door.TICKET:
            refusal = await _let_in_once(call, arrived)
            if refusal is not None:
                return refusal
        if reading is not None:
            refused = await _take_body(reading, route, call, arrived)
            if refused is not None:
                return refused
        outcome = await route.handler(call)
        if isinstance(outcome, Problem) and outcome.status == UNAUTHORIZED and call.claims:
            desk.living_sessions.forget(call.claims.session_id)
        if call.method == "HEAD" and isinstance(outcome, Stream):
            # Nobody is sent it: it would go on, and hold the connection, until the token ends.
            return outcome.bare()
        return outcome

    return serve


async def _let_in(door: Door, call: Call, arrived: ArrivedRequest) -> Problem | None:
    """Recognise whoever comes through `door`, and take one of the tokens of their limit."""
    desk = call.desk
    if door is Door.TICKET and "authorization" in arrived.given:
        door = Door.SIGNED_IN
    match door:
        case Door.OPEN | Door.TICKET:
            return None
        case Door.SIGN_IN:
            return _limited(desk.sign_in_limit, client_place(call.address), arrived)
        case Door.REFRESH:
            return _limited(desk.refresh_limit, client_place(call.address), arrived)
        case Door.SIGNED_IN:
            token = read_bearer(arrived.given)
            if token is None:
                return problems.NOT_SIGNED_IN
            claims = desk.doors.tokens.read_access_token(token, desk.doors.clock.now())
            if claims is None:
                return problems.NOT_SIGNED_IN
            return await _charge(claims, call, arrived)


async def _let_in_once(call: Call, arrived: ArrivedRequest) -> Problem | None:
    """Recognise whoever comes with a ticket, which is then no more."""
    ticket = call.query.get(TICKET.name)
    if ticket is None:
        return problems.NOT_SIGNED_IN
    claims = await take_ticket(call.desk, ticket, call.address)
    if isinstance(claims, Problem):
        return claims
    return await _charge(claims, call, arrived)


async def _charge(claims: AccessClaims, call: Call, arrived: ArrivedRequest) -> Problem | None:
    """Take a token of the user whose sign-in lives; of the sign-in itself while that is not known.

    So whoever has the token of a sign-in that has ended wears out a limit of its own, and costs its
    former owner nothing.
    """
    call.claims = claims
    arrived.user_id = claims.user_id
    desk = call.desk
    if not desk.living_sessions.is_alive(claims.session_id, trio.current_time()):
        refusal = _limited(desk.session_limit, claims.session_id, arrived)
        if refusal is not None or not await call.session_lives():
            return refusal
    return _limited(desk.user_limit, claims.user_id, arrived)


def _limited(limit: RateLimit, who: object, arrived: ArrivedRequest) -> Problem | None:
    taken: Taken = limit.take(who, trio.current_time())
    arrived.limit_headers = (
        ("RateLimit-Policy", limit.policy),
        ("RateLimit", f'"{limit.name}";r={taken.remaining};t={taken.full_after_s}'),
    )
    if taken.allowed:
        return None
    return Problem(
        429,
        "rate_limited",
        "Too many requests. Wait as long as Retry-After says.",
        headers=(problems.retry_after(taken.retry_after_s),),
    )


def has_ids(path: Mapping[str, str]) -> bool:
    """Whether every part of a path that stands for an id is one."""
    return all(read_uuid(text) for name, text in path.items() if name.endswith(ID_SUFFIX))


def _ids(path: dict[str, str]) -> dict[str, UUID] | Problem:
    found: dict[str, UUID] = {}
    for name, text in path.items():
        if name.endswith(ID_SUFFIX):
            value = read_uuid(text)
            if value is None:
                return problems.NOT_FOUND
            found[name] = value
    return found


def _body_reading(route: Route, desk: FrontDesk) -> BodyReading | None:
    if route.body is None:
        return None
    return BodyReading(
        shape=route.body,
        form_names=route.form_names,
        limits=route.body_limits,
        default_currency=desk.doors.options.default_currency,
    )


async def _take_body(
    reading: BodyReading, route: Route, call: Call, arrived: ArrivedRequest
) -> Problem | None:
    body = await read_body(arrived, reading)
    if isinstance(body, Problem):
        return body
    call.body, call.document = body.shape, body.document
    if route.idempotent:
        key = read_idempotency_key(arrived.given)
        if isinstance(key, Problem):
            return key
        call.idempotency_key = key
    return None

"""V1: no body stops the loop: what a body can cost is bounded before anything is made of it.

Counts are asserted, never a time: `bench/heavy_bodies.py` measures (docs/security.md).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.queries import QuoteTerms
from domain.rejections import FieldFault
from tests.web.bodies import BODIES
from tests.web.largest_bodies import largest_body, members_of
from tests.web.standins import House
from tests.web.told_of_loans import QUOTE
from web.api.table import ROUTES
from web.requests import faults, strict_json
from web.requests.parsing import OF_SCENARIOS, ORDINARY
from web.requests.strict_json import MEMBERS_MAX, NotJsonError, TooManyMembersError, parse
from web.responses.problems import FAULTS_MAX
from web.routing.route import Route
from web.sockets.client_messages import read_message

WITH_BODY = [route for route in ROUTES if route.body is not None]


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def unknown_fields(count: int) -> bytes:
    return json.dumps({f"f{number}": 1 for number in range(count)}, separators=(",", ":")).encode()


async def sent(client: Any, house: House, route: Route, raw: bytes) -> Any:
    path = route.path.replace("{status}", "active").replace("{path}", "root")
    for name in ("user", "loan", "payment", "product", "session", "customer"):
        path = path.replace(f"{{{name}_id}}", "00000000-0000-7000-8000-000000000001")
    headers = {**house.bearer, "Content-Type": "application/json"}
    response = await client.open(path, method=route.method, data=raw, headers=headers)
    response.told = json.loads(await response.get_data() or b"null")
    return response


@pytest.fixture
def made_faults(monkeypatch: pytest.MonkeyPatch) -> list[FieldFault]:
    """The faults that are made of what pydantic finds, as they are made."""
    made: list[FieldFault] = []

    def noted(*fields: str) -> FieldFault:
        made.append(FieldFault(*fields))
        return made[-1]

    monkeypatch.setattr(faults, "FieldFault", noted)
    return made


@pytest.fixture
def most_found(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many wrong fields pydantic had to find in each body."""
    found: list[int] = []
    whole = faults.faults_of

    def noted(error: ValidationError) -> tuple[FieldFault, ...]:
        found.append(error.error_count())
        return whole(error)

    monkeypatch.setattr("web.requests.parsing.faults_of", noted)
    return found


@pytest.mark.parametrize("route", WITH_BODY, ids=name_of)
async def test_a_body_of_80000_unknown_fields_is_refused_before_a_field_is_looked_at(
    client: Any, house: House, most_found: list[int], route: Route
) -> None:
    response = await sent(client, house, route, unknown_fields(80_000))
    assert response.status_code == 413
    assert response.told["code"] == "too_large"
    assert not most_found


@pytest.mark.parametrize("route", WITH_BODY, ids=name_of)
async def test_a_body_just_above_its_members_is_refused_before_a_field_is_looked_at(
    client: Any, house: House, most_found: list[int], route: Route
) -> None:
    response = await sent(client, house, route, unknown_fields(route.body_limits.members_max + 1))
    assert response.status_code == 413
    assert str(route.body_limits.members_max) in response.told["detail"]
    assert not most_found


@pytest.mark.parametrize("route", WITH_BODY, ids=name_of)
async def test_of_the_most_wrong_fields_no_more_faults_are_made_than_told(
    client: Any,
    house: House,
    made_faults: list[FieldFault],
    most_found: list[int],
    route: Route,
) -> None:
    most = route.body_limits.members_max
    response = await sent(client, house, route, unknown_fields(most))
    assert response.status_code == 422
    assert len(response.told["errors"]) == len(made_faults) == FAULTS_MAX
    assert route.body is not None
    assert most <= most_found[0] <= most + len(route.body.model_fields)


@pytest.mark.parametrize("route", WITH_BODY, ids=name_of)
async def test_a_body_of_a_megabyte_is_not_read_to_its_end(
    client: Any, house: House, monkeypatch: pytest.MonkeyPatch, route: Route
) -> None:
    parsed: list[bytes] = []
    monkeypatch.setattr(strict_json, "parse", lambda raw, _most: parsed.append(raw))
    response = await sent(client, house, route, b'"' + b"x" * 1_000_000 + b'"')
    assert response.status_code == 413
    assert not parsed


@pytest.mark.parametrize("route", WITH_BODY, ids=name_of)
def test_the_largest_body_that_a_shape_takes_is_within_the_limits_of_its_route(
    route: Route,
) -> None:
    """With every character an escape, and indented, as careful encoders write it."""
    largest = largest_body(route)
    assert len(json.dumps(largest, ensure_ascii=True, indent=2)) <= route.body_limits.bytes_max
    assert members_of(largest) <= route.body_limits.members_max


def test_all_but_terms_and_scenarios_are_ordinary() -> None:
    assert ORDINARY.bytes_max == 16 * 1024
    assert {route.name for route in WITH_BODY if route.body_limits is not ORDINARY} == {
        "submit_loan",
        "amend_loan",
        "quote_terms",
        "suppose_of_loan",
        "create_product",
        "replace_product",
    }


WIDE = {
    "unknown fields": unknown_fields(60_000),
    "objects of nothing": b'{"a":[' + b"{}," * 200_000 + b"{}]}",
    "lists of nothing": b"[" + b"[]," * 200_000 + b"[]]",
    "numbers": b"[" + b"1," * 200_000 + b"1]",
    "texts": b"[" + b'"",' * 200_000 + b'""]',
    "nested pairs": b"[" + b"[1]," * 200_000 + b"1]",
    "one in the other, side by side": b"[" + b'{"a":{"b":1}},' * 100_000 + b"1]",
    "openings and closings": b"[" + b"[1][1]" * 100_000 + b"]",
    "blanks in between": b"[" + b"1 , " * 100_000 + b"1]",
    "events of a scenario": b'{"scenarios":[{"events":['
    + b'{"type":"skip","date":"2027-01-01"},' * 50_000
    + b"1]}]}",
}


@pytest.mark.parametrize("raw", WIDE.values(), ids=WIDE.keys())
@pytest.mark.parametrize("members_max", [MEMBERS_MAX, OF_SCENARIOS.members_max])
def test_counting_ends_at_the_first_member_too_many(
    monkeypatch: pytest.MonkeyPatch, raw: bytes, members_max: int
) -> None:
    """What comes after it is not looked at: neither counted nor decoded."""
    looked_at: list[str] = []
    mark = strict_json._MARK

    class Counted:
        def finditer(self, text: str) -> Iterator[Any]:
            for found in mark.finditer(text):
                looked_at.append(found[0])
                yield found

    monkeypatch.setattr(strict_json, "_MARK", Counted())
    monkeypatch.setattr(strict_json, "_DECODER", None)  # whoever decodes it fails
    with pytest.raises(TooManyMembersError):
        parse(raw, members_max)
    assert len(looked_at) <= 4 * (members_max + 1) + 1


DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text(st.sampled_from('a"\\[]{},: '), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(st.text(st.sampled_from('a"\\[]{},: '), max_size=4), inner, max_size=6)
    ),
    max_leaves=40,
)


@given(DOCUMENTS, st.sampled_from([None, 1]), st.sampled_from([(",", ":"), (" , ", " : ")]))
def test_members_are_counted_exactly(document: Any, indent: int | None, marks: Any) -> None:
    raw = json.dumps(document, indent=indent, separators=marks).encode()
    members = members_of(document)
    assert parse(raw, members) == document
    if members:
        with pytest.raises(TooManyMembersError):
            parse(raw, members - 1)


@given(st.text(st.sampled_from('"\\[]{},: 1\n'), max_size=60))
def test_whatever_is_no_json_is_refused_under_small_bounds_as_well(text: str) -> None:
    try:
        document = json.loads(text)
    except ValueError:
        with pytest.raises(NotJsonError):
            parse(text.encode(), 3)
        return
    if members_of(document) > 3:
        with pytest.raises(TooManyMembersError):
            parse(text.encode(), 3)


def test_a_message_on_a_socket_with_thousands_of_members_is_not_looked_at() -> None:
    message = json.dumps({"type": "ping", **{f"f{number}": 1 for number in range(5_000)}})
    answer = read_message(message)
    assert isinstance(answer, dict)
    assert answer["code"] == "too_large"
    assert "errors" not in answer


def test_a_message_on_a_socket_tells_no_more_faults_than_a_problem() -> None:
    message = json.dumps({"type": "ping", **{f"f{number}": 1 for number in range(150)}})
    answer = read_message(message)
    assert isinstance(answer, dict)
    told = answer["errors"]
    assert isinstance(told, list)
    assert len(told) == FAULTS_MAX


async def test_everybody_has_a_turn_between_the_scenarios_of_a_quote(
    client: Any, house: House
) -> None:
    """Each is a whole schedule: together they would hold the loop for long."""
    asked: list[dict[str, list[object]]] = [{"events": []} for _ in range(10)]
    answer = dataclasses.replace(QUOTE.answer, scenarios=QUOTE.answer.scenarios * 10)
    house.session.table = {QuoteTerms: dataclasses.replace(QUOTE, answer=answer)}
    turns = Turns()
    trio.lowlevel.add_instrument(turns)
    try:
        body = {**BODIES["quote_terms"], "scenarios": asked}
        response = await client.post("/loans/quote", json=body, headers=house.bearer)
    finally:
        trio.lowlevel.remove_instrument(turns)
    assert response.status_code == 200
    assert len(json.loads(await response.get_data())["scenarios"]) == 10
    assert turns.count > 10


class Turns(trio.abc.Instrument):
    """Counts the turns of the loop."""

    count = 0

    def before_io_wait(self, timeout: float) -> None:
        del timeout
        self.count += 1

"""U9, V11: the document is what generators and linters take as it comes, and tells what is taken.

The rules are those of Redocly's `recommended` and of `spectral:oas`, and what
openapi-python-client makes of a document, held here without any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker

from tests.web.bodies import BODIES
from tests.web.standins import KEY, LOAN_ID, House
from web.api.table import ROUTES
from web.openapi import openapi_document
from web.requests.conditional import tag
from web.requests.cursors import Cursors, Place

DOCUMENT: dict[str, Any] = openapi_document(House().options)
OPERATIONS = [
    (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def parts(found: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a document, with the place where it stands."""
    if isinstance(found, dict):
        yield place, found
    inner = found.items() if isinstance(found, dict) else ()
    if isinstance(found, list):
        inner = enumerate(found)  # type: ignore[assignment]
    for name, part in inner:
        yield from parts(part, f"{place}/{name}")


def parameter(name: str) -> re.Pattern[str]:
    """The pattern of a parameter, by its key in the components or its name in a query."""
    for _, found in parts(DOCUMENT):
        if found.get("name") == name and "schema" in found:
            return re.compile(found["schema"]["pattern"])
    raise AssertionError(name)


def test_paths_are_listed_without_their_last_slash() -> None:
    assert not [path for path in DOCUMENT["paths"] if path != "/" and path.endswith("/")]


def test_every_array_says_what_its_items_are() -> None:
    arrays = [(place, part) for place, part in parts(DOCUMENT) if part.get("type") == "array"]
    assert arrays
    assert not [place for place, part in arrays if "items" not in part]


def test_what_is_described_is_described_in_words() -> None:
    info = DOCUMENT["info"]
    assert info["contact"]
    assert info["license"]
    assert all(one["description"] for one in DOCUMENT["tags"])
    assert {one["name"] for one in DOCUMENT["tags"]} == {route.tag for route in ROUTES}
    for _, path, operation in OPERATIONS:
        assert len(operation["description"]) > 3, path
        assert [status for status in operation["responses"] if status.startswith("2")], path


def test_an_operation_with_bodies_of_several_types_has_something_that_may_be_left_out() -> None:
    """A generator that forgets an import where nothing may be left out made no sign-in module."""
    several = [
        operation
        for _, _, operation in OPERATIONS
        if len(operation.get("requestBody", {}).get("content", {})) > 1
    ]
    assert [operation["operationId"] for operation in several] == ["sign_in"]
    for operation in several:
        assert {"$ref": "#/components/parameters/RequestId"} in operation["parameters"]


def test_the_patterns_of_parameters_are_what_is_read() -> None:
    """V11: cursor, Idempotency-Key, If-Match."""
    assert parameter("cursor").search(Cursors(KEY).seal(Place(LOAN_ID), "a list"))
    assert not parameter("cursor").search("next")
    key = parameter("Idempotency-Key")
    assert key.search("a key")
    assert key.search("k" * 255)
    assert not any(key.search(text) for text in (" k", "k ", "é", "k\x00", "k" * 256))
    assert parameter("If-Match").search(tag(3))
    assert not any(parameter("If-Match").search(text) for text in ("3", "*", 'W/"v3"', '"a"b"'))


@pytest.mark.parametrize("name", [route.name for route in ROUTES if route.body is not None])
def test_no_text_of_a_body_may_have_a_nul(name: str) -> None:
    """V11: nor be of blanks alone where that is refused."""
    route = next(route for route in ROUTES if route.name == name)
    assert route.body is not None
    reference = {"$ref": f"#/components/schemas/{route.body.__name__}"}
    validator = OAS31Validator(
        {**reference, "components": DOCUMENT["components"]}, format_checker=oas31_format_checker
    )
    body = BODIES.get(name, {})
    assert validator.is_valid(body)
    for field, value in body.items():
        if isinstance(value, str):
            assert not validator.is_valid({**body, field: f"{value}\x00"}), field
            assert not validator.is_valid({**body, field: "\x00"}), field
    for field in ("reason", "body", "full_name", "message", "name"):
        if field in body:
            assert not validator.is_valid({**body, field: "  "}), field

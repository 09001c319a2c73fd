"""The OpenAPI document is valid, complete, and true: real responses are what it says they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator
from quart_trio import QuartTrio

from tests.web.bodies import BODIES
from tests.web.full_house import everything, filled
from tests.web.standins import (
    House,
)
from web.api.table import ROUTES
from web.app import create_app, rule_of
from web.openapi import listed, openapi_document, problem_statuses
from web.routing.route import Route


@pytest.fixture(scope="module")
def house() -> House:
    made = House(
        rate_limit_user_burst=10_000,
        rate_limit_sign_in_per_minute=10_000,
        events_heartbeat_s=0.001,
    )
    everything(made)
    return made


@pytest.fixture(scope="module")
def app(house: House) -> QuartTrio:
    return create_app(house.doors)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(House().options)


def body_validator(document: dict[str, Any], reference: str) -> OAS31Validator:
    return OAS31Validator(
        {"$ref": reference, "components": document["components"]},
        format_checker=oas31_format_checker,
    )


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(json.loads(json.dumps(document))).validate()


def test_every_registered_route_is_in_it_and_nothing_else(
    app: QuartTrio, document: dict[str, Any]
) -> None:
    registered = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or {"GET"})
        if method not in {"HEAD", "OPTIONS"}
    }
    described = {
        (method.upper(), rule_of(path))
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert described == registered


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
    ]
    assert len(names) == len(set(names))


def test_every_contract_path_is_there(document: dict[str, Any]) -> None:
    contract = """
    POST /auth/login,POST /auth/refresh,POST /auth/logout,GET /auth/me,GET /users/,GET /users/me,
    GET /users/{user_id},PUT /users/{user_id},DELETE /users/{user_id},POST /loans/,GET /loans/,
    GET /loans/{loan_id},PUT /loans/{loan_id},DELETE /loans/{loan_id},
    GET /loans/customer/{customer_id},GET /loans/status/{status},POST /payments/,GET /payments/,
    GET /payments/{payment_id},PUT /payments/{payment_id},DELETE /payments/{payment_id},
    GET /payments/loan/{loan_id},GET /sync/pending-count,GET /sync/network-status,
    GET /dashboard/stats,GET /dashboard/network-status,GET /dashboard/sync-summary,
    GET /ws/connect/{user_id},GET /ws/active-connections,GET /,GET /health,GET /docs
    """
    for line in contract.split(","):
        method, path = line.split()
        assert method.lower() in document["paths"][listed(path)], line


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_a_real_response_is_what_the_document_says(
    house: House, app: QuartTrio, document: dict[str, Any], route: Route
) -> None:
    client = app.test_client()
    sent: dict[str, Any] = {"headers": house.bearer}
    if route.name in BODIES:
        sent["json"] = BODIES[route.name]
    for path in (filled(route.path).rstrip("/") or "/", filled(route.path).rstrip("/") + "/"):
        response = await client.open(path, method=route.method, **sent)
        raw = await response.get_data(as_text=False)
        operation = document["paths"][listed(route.path)][route.method.lower()]
        described = operation["responses"][str(response.status_code)]
        assert response.status_code in route.answers, raw
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        if schema and "$ref" in schema:
            body_validator(document, schema["$ref"]).validate(json.loads(raw))


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.body is not None],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_a_body_that_is_taken_is_one_that_the_document_allows(
    document: dict[str, Any], route: Route
) -> None:
    operation = document["paths"][listed(route.path)][route.method.lower()]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    validator = body_validator(document, reference)
    validator.validate(BODIES.get(route.name, {}))
    assert not validator.is_valid({**BODIES.get(route.name, {}), "is_admin": True})
    assert operation["requestBody"]["required"] == (not validator.is_valid({}))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_a_refusal_is_a_problem_that_the_document_names(
    house: House, app: QuartTrio, document: dict[str, Any], route: Route
) -> None:
    client = app.test_client()
    sent: dict[str, Any] = {"query_string": {"no": "such"}, "headers": house.bearer}
    response = await client.open(filled(route.path), method=route.method, **sent)
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    problem = json.loads(await response.get_data())
    body_validator(document, "#/components/schemas/ProblemShape").validate(problem)
    assert problem["code"] == "bad_parameter"
    described = document["paths"][listed(route.path)][route.method.lower()]["responses"]
    assert "application/problem+json" in described["400"]["content"]
    assert {str(status) for status in problem_statuses(route)} <= set(described)


def test_secured_operations_say_so(document: dict[str, Any]) -> None:
    loans = document["paths"]["/loans/{loan_id}"]["get"]
    assert loans["security"] == [{"bearer": []}]
    assert document["paths"]["/auth/login"]["post"]["security"] == []
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"

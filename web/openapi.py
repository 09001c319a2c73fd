"""The OpenAPI 3.1 document, built from the table of routes and the shapes beside it.

It needs no running server and no doors: the command line prints the same document that
`/openapi.json` serves. It describes; it registers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from inspect import getdoc
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from web.api.table import ROUTES
from web.dependencies import WebOptions
from web.problem_shape import ProblemShape
from web.requests.conditional import TAG_PATTERN
from web.requests.parsing import FORM, KEY_PATTERN, REQUEST_ID_PATTERN, Parameter
from web.responses.problems import MEDIA_TYPE, title
from web.responses.replies import JSON
from web.routing.route import Door, Route
from web.sockets.upgrade import QUERY

VERSION: Final = "3.1.0"
BEARER: Final = "bearer"

Json = dict[str, Any]

_REF: Final = "#/components/schemas/{model}"
NO_NUL_PATTERN: Final = r"^[^\u0000]*$"
# What says already which texts are taken.
_PLAIN: Final = frozenset({"pattern", "format", "enum", "const"})
_PATH_PART: Final = re.compile(r"\{(\w+)\}")
_TEXT: Final[Json] = {"type": "string"}
_PROBLEM_REF: Final[Json] = {"$ref": "#/components/schemas/ProblemShape"}

# A ticket stands in the query, where OpenAPI has it as a parameter.
_SECURITY: Final[Mapping[Door, list[Json]]] = {
    Door.SIGNED_IN: [{BEARER: []}],
    Door.TICKET: [{BEARER: []}, {}],
}
_HEADERS: Final[Mapping[str, Json]] = {
    "X-Request-Id": {
        "description": "The request's id, as sent or as made.",
        "schema": {"type": "string"},
    },
}
_TAGS: Final[Mapping[str, str]] = {
    "system": "What the server is and how it is.",
    "auth": "Signing in and out.",
    "users": "Who may come in, and as what.",
    "loans": "From an application to the last payment.",
    "products": "What is offered, version by version.",
    "comments": "What people say on a loan.",
    "payments": "Money that came in.",
    "books": "The journal, the trial balance and the audit trail.",
    "dashboard": "Figures over what the reader may see.",
    "sync": "How this node and its head office agree.",
    "real time": "Notifications as they happen, and who is present.",
    "supervision": "What operators see and order.",
}
_LOCATION: Final[Json] = {
    "description": "Where what was made can be read.",
    "schema": {"type": "string", "format": "uri-reference"},
}
_PARAMETERS: Final[Mapping[str, Json]] = {
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "required": False,
        "description": "The caller's own id of the request, for the logs of both sides.",
        "schema": {"type": "string", "pattern": f"^{REQUEST_ID_PATTERN}$"},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Makes a repeated request one and the same; the answer is then a replay.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": f"^{KEY_PATTERN}$",
        },
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The ETag that was read. Either this or `version` in the body is needed.",
        "schema": {"type": "string", "pattern": f"^{TAG_PATTERN}$", "examples": ['"v3"']},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The ETag that is known already: 304 when nothing changed.",
        "schema": {"type": "string"},
    },
}


def openapi_document(options: WebOptions) -> Json:
    """The whole document, as JSON values."""
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(listed(route.path), {})[route.method.lower()] = _operation(route)
    paths["/ws/connect/{user_id}"] = {"get": _connect_operation()}
    return {
        "openapi": VERSION,
        "info": {
            "title": options.api_title,
            "description": options.api_description,
            "version": options.api_version,
            "contact": {"name": "Whoever runs this server"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": dict(_schemas()),
            "parameters": dict(_PARAMETERS),
            "headers": {**_HEADERS, "Location": _LOCATION},
            "securitySchemes": {
                BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
        "tags": [
            {"name": name, "description": _TAGS[name]}
            for name in dict.fromkeys(route.tag for route in ROUTES)
        ],
    }


def listed(path: str) -> str:
    """A path as it is listed: without its last slash, with which it answers as well."""
    return path.rstrip("/") or "/"


@cache
def _schemas() -> Json:
    """The shapes of all bodies; they are the program's, the same under all options."""
    shapes: list[tuple[type[BaseModel], JsonSchemaMode]] = [(ProblemShape, "serialization")]
    for route in ROUTES:
        if route.body is not None:
            shapes.append((route.body, "validation"))
        shapes.extend(
            (shape, "serialization") for shape in route.answers.values() if shape is not None
        )
    _, definitions = models_json_schema(list(dict.fromkeys(shapes)), ref_template=_REF)
    schemas: Json = definitions["$defs"]
    for route in ROUTES:
        if route.body is not None:
            _tell_no_nul(schemas, schemas[route.body.__name__])
    return schemas


def _tell_no_nul(schemas: Json, found: Any) -> None:
    """Say of every text of a body that is taken what strict JSON refuses in it: NUL."""
    if isinstance(found, list):
        for part in found:
            _tell_no_nul(schemas, part)
    if not isinstance(found, dict):
        return
    if "$ref" in found:
        _tell_no_nul(schemas, schemas[found["$ref"].rpartition("/")[2]])
    elif found.get("type") == "string" and not _PLAIN.isdisjoint(found):
        return
    elif found.get("type") == "string":
        found["pattern"] = NO_NUL_PATTERN
    for part in found.values():
        _tell_no_nul(schemas, part)


def _operation(route: Route) -> Json:
    operation: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "description": getdoc(route.handler) or f"{route.summary}.",
        "tags": [route.tag],
        "parameters": [*_path_parameters(route.path), *_other_parameters(route)],
        "responses": _responses(route),
        "security": _SECURITY.get(route.door, []),
    }
    if route.body is not None:
        operation["requestBody"] = _request_body(route, route.body)
    return operation


def _path_parameters(path: str) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid"}
            if name.endswith("_id")
            else {"type": "string"},
        }
        for name in _PATH_PART.findall(path)
    ]


def _other_parameters(route: Route) -> Iterable[Json]:
    yield from (_query_parameter(parameter) for parameter in route.query)
    yield {"$ref": "#/components/parameters/RequestId"}
    if route.idempotent:
        yield {"$ref": "#/components/parameters/IdempotencyKey"}
    if route.versioned:
        yield {"$ref": "#/components/parameters/IfMatch"}
    if route.tagged:
        yield {"$ref": "#/components/parameters/IfNoneMatch"}


def _query_parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": f"Must be {parameter.expects}.",
        "schema": dict(parameter.schema),
    }


def _request_body(route: Route, body: type[BaseModel]) -> Json:
    content: Json = {JSON: {"schema": _ref(body)}}
    if route.form_names:
        content[FORM] = {
            "schema": {
                "type": "object",
                "properties": {
                    "username": {"type": "string", "pattern": NO_NUL_PATTERN},
                    "password": {"type": "string", "pattern": NO_NUL_PATTERN},
                },
                "required": ["username", "password"],
            }
        }
    required = any(field.is_required() for field in body.model_fields.values())
    return {"required": required, "content": content}


def _responses(route: Route) -> Json:
    responses: Json = {}
    for status, shape in route.answers.items():
        answer: Json = {"description": title(status), "headers": _header_refs()}
        if status == 201:  # noqa: PLR2004 - Created, whatever it was
            answer["headers"]["Location"] = {"$ref": "#/components/headers/Location"}
        if shape is not None:
            others = {kind: {"schema": {"type": "string"}} for kind in route.other_types}
            answer["content"] = {JSON: {"schema": _ref(shape)}, **others}
        elif status == 200:  # noqa: PLR2004 - OK, with a body that is no shape of ours
            answer["content"] = {
                route.media_type: {"schema": {} if route.media_type == JSON else _TEXT}
            }
        responses[str(status)] = answer
    if route.tagged:
        responses["304"] = {"description": title(304), "headers": _header_refs()}
    for status in sorted(set(problem_statuses(route)) - set(route.answers)):
        responses[str(status)] = _problem(status)
    return responses


def problem_statuses(route: Route) -> tuple[int, ...]:
    """Every status of refusal that a route may answer with."""
    found = {400, *route.problems}
    if route.door is not Door.OPEN:
        found |= {429, 503}
    if route.door in _SECURITY:
        found.add(401)
    if "_id}" in route.path:
        found.add(404)
    if route.body is not None:
        found |= {413, 415, 422}
    if route.idempotent:
        found.add(409)
    if route.versioned:
        found |= {412, 428}
    return tuple(found)


def _connect_operation() -> Json:
    statuses = (400, 401, 403, 404, 426, 429, 503)
    return {
        "operationId": "connect",
        "summary": "Notifications, by WebSocket",
        "description": (
            "Authenticate by header, by ticket, by the subprotocols lendwire.v1 and "
            "lendwire.bearer.<token>, or by a first message within five seconds."
        ),
        "tags": ["real time"],
        "parameters": [
            *_path_parameters("/ws/connect/{user_id}"),
            *(_query_parameter(parameter) for parameter in QUERY),
        ],
        "responses": {
            "101": {"description": title(101)},
            "200": {"description": "The same by HTTP/2 (RFC 8441), where a proxy speaks it."},
            **{str(status): _problem(status) for status in statuses},
        },
        "security": [{BEARER: []}, {}],
    }


def _problem(status: int) -> Json:
    return {
        "description": title(status),
        "headers": _header_refs(),
        "content": {MEDIA_TYPE: {"schema": _PROBLEM_REF}},
    }


def _header_refs() -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}


def _ref(shape: type[BaseModel]) -> Json:
    return {"$ref": _REF.format(model=shape.__name__)}

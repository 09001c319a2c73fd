"""The largest body that each route's shape takes, made from its JSON schema."""

from __future__ import annotations

import json
from typing import Any

from tests.web.standins import House
from web.openapi import openapi_document
from web.routing.route import Route

LONGEST_WORD = "x" * 40  # of a pattern or a format, all of which are shorter
CHARACTER = "я"  # six bytes as an escape


def largest_body(route: Route) -> Any:
    """Every field is there, every list is full, and every text is as long as it may be."""
    assert route.body is not None
    schemas = openapi_document(House().options)["components"]["schemas"]
    return _largest(schemas[route.body.__name__], schemas)


def members_of(document: Any) -> int:
    """Members of objects and items of lists, at every depth."""
    if isinstance(document, dict):
        document = list(document.values())
    if not isinstance(document, list):
        return 0
    return len(document) + sum(members_of(inner) for inner in document)


def _largest(schema: Any, schemas: Any) -> Any:  # noqa: C901, PLR0911 - one for each kind of schema
    if "$ref" in schema:
        return _largest(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return max((_largest(one, schemas) for one in schema[several]), key=_size)
    if "enum" in schema:
        return max(schema["enum"], key=_size)
    if "const" in schema:
        return schema["const"]
    kind = schema["type"]
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            return {name: _largest(one, schemas) for name, one in schema["properties"].items()}
        case "array" if "prefixItems" in schema:
            return [_largest(one, schemas) for one in schema["prefixItems"]]
        case "array":
            return [_largest(schema["items"], schemas)] * schema["maxItems"]
        case "string":
            bounded = "maxLength" in schema
            return CHARACTER * schema["maxLength"] if bounded else LONGEST_WORD
        case "integer":
            return 2**63
        case "boolean":
            return False
        case "null":
            return None
    raise AssertionError(f"no such kind: {schema}")


def _size(document: Any) -> int:
    return len(json.dumps(document))

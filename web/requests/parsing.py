"""Reading a request strictly: its query, its body, its headers. What is doubtful is refused.

It only reads: nothing here knows routes, users or actors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from domain.rejections import FieldFault
from web.requests import strict_json
from web.requests.faults import faults_of
from web.requests.fields import DEFAULT_CURRENCY
from web.requests.incoming import ArrivedRequest, Given
from web.responses.problems import Problem, bad_parameter, invalid_fields

FORM: Final = "application/x-www-form-urlencoded"
PARAMETERS_MAX: Final = 32
FORM_FIELDS_MAX: Final = 16

_JSON: Final = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)
REQUEST_ID_PATTERN: Final = r"[A-Za-z0-9._~+/=-]{1,128}"
KEY_PATTERN: Final = r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?"
_REQUEST_ID: Final = re.compile(REQUEST_ID_PATTERN)
_KEY: Final = re.compile(KEY_PATTERN)

TOO_LARGE: Final = Problem(413, "too_large", "The body is larger than this path takes.")
WRONG_TYPE: Final = Problem(
    415, "wrong_content_type", "The body must be application/json, in UTF-8 and not compressed."
)
BAD_KEY: Final = Problem(
    400, "bad_idempotency_key", "Idempotency-Key must be 1 to 255 visible ASCII characters."
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter: `read` answers None for a value that cannot be taken."""

    name: str
    read: Callable[[str], object | None]
    expects: str
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The most that a route's body may be: bytes, and members of objects and items of lists.

    They bound what reading a body costs the loop, which everybody shares: each shape has what its
    largest body needs, every character of it written as an escape, and little more.
    """

    bytes_max: int = 16 * 1024
    members_max: int = strict_json.MEMBERS_MAX


ORDINARY: Final = BodyLimits()
# All terms of a loan or a product, with their lists of fees and buckets.
OF_TERMS: Final = BodyLimits(64 * 1024, 500)
# The same beside ten scenarios of fifty events each.
OF_SCENARIOS: Final = BodyLimits(256 * 1024, 5_000)


@dataclass(frozen=True, slots=True)
class BodyReading:
    """How a route's body is read; `form_names` maps a form's fields to those of the shape."""

    shape: type[BaseModel]
    form_names: Mapping[str, str]
    limits: BodyLimits
    default_currency: str


@dataclass(frozen=True, slots=True)
class Body:
    """A body that was taken: its fields, and the JSON document they were read from."""

    shape: BaseModel
    document: object = field(repr=False)


def read_query(raw: bytes, known: Mapping[str, Parameter]) -> dict[str, object] | Problem:
    """The query's values by name; unknown, repeated and unreadable ones are refused."""
    if not raw:
        return {}
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=PARAMETERS_MAX,
        )
    except ValueError:
        return Problem(400, "bad_query", "The query cannot be read.")
    found: dict[str, object] = {}
    for name, text in pairs:
        parameter = known.get(name)
        if parameter is None:
            names = ", ".join(sorted(known)) or "none at all"
            return bad_parameter(name[:100], f"is not known here; known are {names}")
        if name in found:
            return bad_parameter(name, "is given twice")
        value = parameter.read(text)
        if value is None:
            return bad_parameter(name, f"must be {parameter.expects}")
        found[name] = value
    return found


async def read_body(request: ArrivedRequest, reading: BodyReading) -> Body | Problem:
    """Read and check a body: all its faults at once."""
    encoding = request.given.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        return WRONG_TYPE
    limits = reading.limits
    if (request.content_length or 0) > limits.bytes_max:
        return TOO_LARGE
    raw = await _read_up_to(request, limits.bytes_max)
    if raw is None:
        return TOO_LARGE
    document = _document(raw, request.given.get("content-type", ""), reading)
    if isinstance(document, Problem):
        return document
    if not isinstance(document, dict):
        return invalid_fields(FieldFault("", "wrong_type", "must be an object"))
    try:
        fields = reading.shape.model_validate(
            document, context={DEFAULT_CURRENCY: reading.default_currency}
        )
    except ValidationError as error:
        return invalid_fields(*faults_of(error))
    return Body(fields, document)


async def _read_up_to(request: ArrivedRequest, bytes_max: int) -> bytes | None:
    """The whole body; None as soon as it is longer, whether or not it says so beforehand."""
    if request.content_length is not None:
        whole: bytes = await request.body
        return whole if len(whole) <= bytes_max else None
    read = bytearray()
    async for part in request.body:
        read += part
        if len(read) > bytes_max:
            return None
    return bytes(read)


def _document(raw: bytes, content_type: str, reading: BodyReading) -> Any:
    if not raw and not any(field.is_required() for field in reading.shape.model_fields.values()):
        return {}
    form_names = reading.form_names
    if form_names and content_type.partition(";")[0].strip().lower() == FORM:
        return _form(raw, form_names)
    if not _JSON.fullmatch(content_type.strip()):
        return WRONG_TYPE
    try:
        return strict_json.parse(raw, reading.limits.members_max)
    except strict_json.TooManyMembersError as error:
        return Problem(413, TOO_LARGE.code, str(error))
    except strict_json.NotJsonError as error:
        return Problem(400, "not_json", str(error))


def _form(raw: bytes, names: Mapping[str, str]) -> dict[str, str] | Problem:
    """A form as the JSON it stands for; fields mapped to "" are taken and left out."""
    unreadable = Problem(400, "not_a_form", "The form cannot be read.")
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FORM_FIELDS_MAX,
        )
    except ValueError:
        return unreadable
    found: dict[str, str] = {}
    for name, text in pairs:
        field = names.get(name, name)
        if "\x00" in text or field in found:
            return unreadable
        if field:
            found[field] = text
    return found


def read_request_id(given: Given) -> str | None:
    """The caller's own request id, when it is one that may stand in logs."""
    text = given.get("x-request-id")
    return text if text is not None and _REQUEST_ID.fullmatch(text) else None


def read_bearer(given: Given) -> str | None:
    """The token of an Authorization header; None without one, or with another scheme."""
    text = given.get("authorization")
    if text is None:
        return None
    scheme, _, token = text.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def read_idempotency_key(given: Given) -> str | Problem | None:
    """The key under which a POST may be repeated."""
    text = given.get("idempotency-key")
    if text is None:
        return None
    return text if _KEY.fullmatch(text) else BAD_KEY

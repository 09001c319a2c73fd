"""What a client may say on a socket, and what the codes mean with which a socket is closed.

Strict like a request's body: every message has a type, and no field that is not known.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from actors.ports.close_codes import CloseCode
from domain.notifications.notification import PUBLIC_TYPES, NoticeType
from domain.rejections import FieldFault
from web.requests import strict_json
from web.requests.faults import faults_of
from web.requests.fields import SECRET, RequestShape, UuidField, read_uuid

TOPICS_MAX: Final = 50
_TOPIC: Final = "loan:"

CLOSE_MEANINGS: Final = {
    CloseCode.NORMAL: "The client has closed, and is answered with its own code.",
    CloseCode.GOING_AWAY: "The client leaves its page, and is answered with its own code.",
    CloseCode.PROTOCOL: "A frame broke the rules of RFC 6455. Mend the client.",
    CloseCode.UNSUPPORTED: "A binary message came: messages are text. Mend the client.",
    CloseCode.BAD_TEXT: "A text was not UTF-8. Mend the client.",
    CloseCode.TOO_BIG: "A message was larger than 64 KiB. Send smaller ones.",
    CloseCode.RESTART: "The server ends or repairs itself. Reconnect after the reconnect_after_ms "
    "of the reason, and resume.",
    CloseCode.SIGNED_OUT: "The sign-in or its token has ended. Sign in again; do not reconnect.",
    CloseCode.FORBIDDEN: "This is not to be heard, or not any more. Do not reconnect.",
    CloseCode.TOO_SLOW: "The client was too slow or silent. Reconnect and resume.",
    CloseCode.RESUMED_ELSEWHERE: "A newer connection took the place of this one. Do nothing.",
    CloseCode.FLOOD: "Too many messages, control frames or sockets. Wait before the next.",
    CloseCode.FULL: "The server has no room or cannot serve for the moment. Try again later.",
}


def _public_type(value: Any) -> NoticeType:
    if not isinstance(value, str) or value not in PUBLIC_TYPES:
        raise PydanticCustomError("unknown_type", "is not a type of notification")
    return NoticeType(value)


def _topic(value: Any) -> UUID:
    found = None
    if isinstance(value, str) and value.startswith(_TOPIC):
        found = read_uuid(value.removeprefix(_TOPIC))
    if found is None:
        raise PydanticCustomError("unknown_topic", 'is not a topic: "loan:<id>"')
    return found


_Type = Annotated[
    NoticeType,
    BeforeValidator(_public_type),
    WithJsonSchema({"type": "string", "enum": sorted(PUBLIC_TYPES)}),
]
_Topic = Annotated[
    UUID,
    BeforeValidator(_topic),
    WithJsonSchema({"type": "string", "pattern": f"^{_TOPIC}[0-9a-fA-F-]{{36}}$"}),
]
Types = Annotated[list[_Type], Field(max_length=20)]
Topics = Annotated[list[_Topic], Field(max_length=TOPICS_MAX)]
Ref = Annotated[str, Field(min_length=1, max_length=100)]


class Position(RequestShape):
    """A place in the change feed."""

    epoch: UuidField
    seq: Annotated[int, Field(ge=0, le=2**62)]


class Authenticate(RequestShape):
    """Who speaks; on a live socket, a newer token."""

    type: Literal["authenticate"]
    token: Annotated[str, Field(min_length=1, max_length=2048), SECRET] = Field(repr=False)
    ref: Ref | None = None


class Subscribe(RequestShape):
    """What is to be heard from now on: these types and, if given, only these topics."""

    type: Literal["subscribe"]
    notification_types: Types
    topics: Topics | None = None
    since: Position | None = None
    ref: Ref | None = None


class Unsubscribe(RequestShape):
    """What is no longer to be heard."""

    type: Literal["unsubscribe"]
    notification_types: Types = Field(default_factory=list)
    topics: Topics = Field(default_factory=list)
    ref: Ref | None = None


class Ping(RequestShape):
    """A question whether anybody is there."""

    type: Literal["ping"]
    ref: Ref | None = None


Said = Authenticate | Subscribe | Unsubscribe | Ping

SAID: Final[dict[str, type[BaseModel]]] = {
    "authenticate": Authenticate,
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "ping": Ping,
}


def topic_name(loan_id: UUID) -> str:
    """A topic as clients write it."""
    return f"{_TOPIC}{loan_id}"


def read_message(text: str) -> Said | dict[str, object]:
    """Read a client's message; an `error` message for what cannot be read."""
    try:
        document = strict_json.parse(text.encode("utf-8", "surrogatepass"))
    except strict_json.TooManyMembersError as error:
        return error_message("too_large", str(error))
    except strict_json.NotJsonError as error:
        return error_message("not_json", str(error))
    if not isinstance(document, dict):
        return error_message("wrong_type", "A message is a JSON object.")
    ref = document.get("ref")
    ref = ref if isinstance(ref, str) else None
    kind = document.get("type")
    shape = SAID.get(kind) if isinstance(kind, str) else None
    if shape is None:
        return error_message("unknown_message", "There is no message of this type.", ref)
    try:
        said = shape.model_validate(document)
    except ValidationError as error:
        return error_message(
            "invalid_fields", "The message has wrong fields.", ref, faults_of(error)
        )
    assert isinstance(said, Said)
    return said


def error_message(
    code: str, detail: str, ref: str | None = None, faults: tuple[FieldFault, ...] = ()
) -> dict[str, object]:
    """An `error` message; the socket stays open unless a close follows."""
    message: dict[str, object] = {"type": "error", "code": code, "detail": detail}
    if ref is not None:
        message["ref"] = ref[:100]
    if faults:
        message["errors"] = [
            {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail}
            for fault in faults
        ]
    return message

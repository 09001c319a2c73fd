"""The AsyncAPI 3.0 document of the socket, built from the types of its messages, and its page.

It needs no running server; it describes and registers nothing. Source: the AsyncAPI specification,
version 3.0.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from typing import Any, Final

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from web.dependencies import WebOptions
from web.sockets.client_messages import CLOSE_MEANINGS, SAID
from web.sockets.server_messages import TOLD
from web.sockets.upgrade import QUERY

VERSION: Final = "3.0.0"
ADDRESS: Final = "/ws/connect/{user_id}"
STYLE_NAME: Final = "asyncapi.css"
ICON_NAME: Final = "favicon-32x32.png"

Json = dict[str, Any]

_SCHEMA: Final = "#/components/schemas/{model}"
_DESCRIPTION: Final = (
    "What happens to loans, as soon as it is committed. Who connects says who they are by the "
    "Authorization header, else by a ticket (POST /ws/ticket), else by the subprotocols "
    "lendwire.v1 and lendwire.bearer.<token>, else by a first message `authenticate` within five "
    "seconds. Messages are text frames of at most 64 KiB; a client sends at most 100 a minute, "
    "20 of them at once. "
    "The same notifications come as Server-Sent Events from GET /events, each under its type as "
    "the event's name: an EventSource hears them by addEventListener('payment_recorded', ...), "
    "and never by onmessage."
)
STYLE: Final = b"""\
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; }
pre { background: #f4f4f4; padding: .75rem; overflow: auto; }
table { border-collapse: collapse; }
nav ul { margin: 0; padding-left: 1.25rem; }
nav li li { display: inline-block; margin-right: 1rem; }
th, td { border: 1px solid #ccc; padding: .25rem .6rem; text-align: left; }
"""


@cache
def asyncapi_document(options: WebOptions) -> Json:
    """The whole document, as JSON values."""
    return {
        "asyncapi": VERSION,
        "info": {
            "title": f"{options.api_title}: notifications",
            "version": options.api_version,
            "description": _DESCRIPTION,
        },
        "defaultContentType": "application/json",
        "channels": {"socket": _channel()},
        "operations": {
            "hear": _operation("receive", "What a client may say.", SAID.values()),
            "tell": _operation("send", "What the server says.", TOLD),
        },
        "components": {
            "schemas": _schemas(),
            "messages": {_name(shape): _message(shape) for shape in (*SAID.values(), *TOLD)},
        },
        "x-close-codes": [
            {"code": int(code), "name": code.name.lower(), "meaning": meaning}
            for code, meaning in CLOSE_MEANINGS.items()
        ],
    }


@cache
def asyncapi_json(options: WebOptions) -> bytes:
    """The document, encoded."""
    return msgspec.json.encode(asyncapi_document(options))


@cache
def asyncapi_page(options: WebOptions) -> bytes:
    """The document as a page that needs no script and nothing from elsewhere."""
    return "\n".join(_page(asyncapi_document(options))).encode()


def _channel() -> Json:
    properties = {
        one.name: {**one.schema, "description": f"Must be {one.expects}."} for one in QUERY
    }
    return {
        "address": ADDRESS,
        "title": "Notifications",
        "parameters": {"user_id": {"description": "Whose notifications; one's own id."}},
        "messages": {
            _name(shape): {"$ref": f"#/components/messages/{_name(shape)}"}
            for shape in (*SAID.values(), *TOLD)
        },
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {"type": "object", "properties": properties},
                "bindingVersion": "0.1.0",
            }
        },
    }


def _operation(action: str, summary: str, shapes: Iterable[type[BaseModel]]) -> Json:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{_name(shape)}"} for shape in shapes],
    }


def _message(shape: type[BaseModel]) -> Json:
    return {
        "name": _name(shape),
        "summary": " ".join((shape.__doc__ or "").split()),
        "contentType": "application/json",
        "payload": {"$ref": _SCHEMA.format(model=shape.__name__)},
    }


def _name(shape: type[BaseModel]) -> str:
    """The value of the field `type`, which is what tells messages apart."""
    (name,) = shape.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
    return str(name)


def _schemas() -> Json:
    shapes: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((shape, "validation") for shape in SAID.values()),
        *((shape, "serialization") for shape in TOLD),
    ]
    _, definitions = models_json_schema(shapes, ref_template=_SCHEMA)
    schemas: Json = definitions["$defs"]
    return schemas


def _page(document: Json) -> Iterator[str]:
    info = document["info"]
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield f"<title>{escape(info['title'])}</title>"
    yield f'<link rel="icon" type="image/png" href="/docs/{ICON_NAME}">'
    yield f'<link rel="stylesheet" href="/docs/{STYLE_NAME}"></head><body>'
    yield f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
    yield f"<p>{escape(info['description'])}</p>"
    yield f"<p><code>{escape(ADDRESS)}</code>, as <a href='/asyncapi.json'>AsyncAPI 3.0</a>.</p>"
    yield from _contents(document)
    for name, operation in document["operations"].items():
        yield f"<h2 id='{escape(name)}'>{escape(operation['summary'])}</h2>"
        for message in _messages(document, operation):
            yield from _section(document, message)
    yield "<h2 id='closed'>How a socket is closed</h2><table><tr><th>code</th><th>meaning</th></tr>"
    for row in document["x-close-codes"]:
        yield f"<tr><td>{row['code']}</td><td>{escape(row['meaning'])}</td></tr>"
    yield "</table><h2 id='parts'>The parts of messages</h2>"
    payloads = {one["payload"]["$ref"] for one in document["components"]["messages"].values()}
    for name, schema in document["components"]["schemas"].items():
        if _SCHEMA.format(model=name) not in payloads:
            yield f"<h3>{escape(name)}</h3>{_pre(schema)}"
    yield "</body></html>"


def _contents(document: Json) -> Iterator[str]:
    """What is on the page, with a link to each message."""
    yield "<nav aria-label='Contents'><ul>"
    for name, operation in document["operations"].items():
        yield f"<li><a href='#{escape(name)}'>{escape(operation['summary'])}</a><ul>"
        for message in _messages(document, operation):
            called = escape(message["name"])
            yield f"<li><a href='#{called}'>{called}</a></li>"
        yield "</ul></li>"
    yield "<li><a href='#closed'>How a socket is closed</a></li>"
    yield "<li><a href='#parts'>The parts of messages</a></li></ul></nav>"


def _messages(document: Json, operation: Json) -> Iterator[Json]:
    for reference in operation["messages"]:
        yield document["components"]["messages"][reference["$ref"].rpartition("/")[2]]


def _section(document: Json, message: Json) -> Iterator[str]:
    schema = document["components"]["schemas"][message["payload"]["$ref"].rpartition("/")[2]]
    yield f"<h3 id='{escape(message['name'])}'>{escape(message['name'])}</h3>"
    yield f"<p>{escape(message['summary'])}</p>{_pre(schema)}"


def _pre(schema: Json) -> str:
    text = msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()
    return f"<pre>{escape(text)}</pre>"

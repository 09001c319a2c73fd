"""The answers the edge gives by itself, before or instead of the application's."""

import json
import uuid
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer in the form of RFC 9457; after it the connection is closed."""

    status: int
    code: str
    detail: str


class Refused(Exception):
    """What a peer sent is refused; carries the answer. Met only inside web/edge."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


MALFORMED = Refusal(400, "malformed_request", "The request is not valid HTTP/1.1.")
AMBIGUOUS_LENGTH = Refusal(400, "ambiguous_length", "The length of the body is ambiguous.")
UNSUPPORTED_VERSION = Refusal(400, "unsupported_version", "Only HTTP/1.0 and 1.1 are spoken here.")
UPGRADE_REFUSED = Refusal(400, "upgrade_refused", "Only an upgrade to WebSocket is possible.")
BAD_HANDSHAKE = Refusal(400, "bad_handshake", "The WebSocket handshake is not valid.")
EARLY_FRAMES = Refusal(400, "early_frames", "Frames came before the WebSocket was accepted.")
METHOD_REFUSED = Refusal(405, "method_not_allowed", "This method is not allowed anywhere.")
TOO_SLOW = Refusal(408, "request_too_slow", "The request took too long to arrive.")
BODY_TOO_LARGE = Refusal(413, "body_too_large", "The body is larger than this resource takes.")
TARGET_TOO_LONG = Refusal(414, "target_too_long", "The address of the request is too long.")
ADDRESS_FULL = Refusal(429, "too_many_connections", "Too many connections from this address.")
HEAD_TOO_LARGE = Refusal(431, "headers_too_large", "The headers are too large or too many.")
CODING_UNKNOWN = Refusal(501, "coding_unknown", "This transfer coding is not known.")
SERVER_FULL = Refusal(503, "too_many_connections", "The server has no room for a connection.")
GOING_DOWN = Refusal(503, "going_down", "The server goes down; this request was not carried out.")

# What is taken on some path or other (RFC 9110, section 9.1): methods are written like this.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_BY_STATUS = {r.status: r for r in (MALFORMED, HEAD_TOO_LARGE, CODING_UNKNOWN)}


def refusal_for(status: int) -> Refusal:
    """The refusal for a status that the HTTP parser suggests; malformed when it is another."""
    return _BY_STATUS.get(status, MALFORMED)


def answer(refusal: Refusal, *, retry_after_s: int | None = None, body: bool = True) -> bytes:
    """The whole response in bytes, closing the connection; without a body for HEAD."""
    request_id = str(uuid.uuid4())
    title = HTTPStatus(refusal.status).phrase
    problem = {
        "type": "about:blank",
        "title": title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
        "request_id": request_id,
    }
    content = json.dumps(problem, separators=(",", ":")).encode()
    lines = [
        f"HTTP/1.1 {refusal.status} {title}",
        "content-type: application/problem+json",
        f"content-length: {len(content)}",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        f"x-request-id: {request_id}",
        "connection: close",
    ]
    if refusal is METHOD_REFUSED:
        lines.append(f"allow: {', '.join(sorted(METHODS))}")
    if retry_after_s is not None:
        lines.append(f"retry-after: {retry_after_s}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    return head + content if body else head

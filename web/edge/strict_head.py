"""Refuse request heads that two servers could read differently; pure, on top of what h11 checks.

h11 takes bare line feeds, folded lines, repeated lengths and both kinds of length, as RFC 9112
allows a lenient server to; behind a proxy each of these is a way to smuggle a request.
"""

import re
from urllib.parse import unquote, urlsplit

import h11

from web.edge.limits import EdgeLimits
from web.edge.refusals import (
    AMBIGUOUS_LENGTH,
    HEAD_TOO_LARGE,
    MALFORMED,
    METHOD_REFUSED,
    METHODS,
    TARGET_TOO_LONG,
    UNSUPPORTED_VERSION,
    UPGRADE_REFUSED,
    Refusal,
)

VERSIONS = frozenset({b"1.0", b"1.1"})
_CONTENT_LENGTHS = re.compile(rb"\r\ncontent-length[ \t]*:([^\r\n]*)", re.IGNORECASE)


def refusal_of_bytes(head: bytes, limits: EdgeLimits) -> Refusal | None:
    """What is wrong with the bytes of a complete head (through its empty line), if anything."""
    if len(head) > limits.head_bytes_max:
        return HEAD_TOO_LARGE
    lines = head.count(b"\r\n")
    if lines - 2 > limits.headers_max:
        return HEAD_TOO_LARGE
    if head.count(b"\n") != lines or b"\r\n " in head or b"\r\n\t" in head:
        return MALFORMED
    lengths = _CONTENT_LENGTHS.findall(head)
    if len(lengths) > 1 or (lengths and b"," in lengths[0]):
        return AMBIGUOUS_LENGTH
    return None


def refusal_of_request(request: h11.Request, limits: EdgeLimits) -> Refusal | None:
    """What is wrong with a parsed request, if anything, whoever may serve it."""
    if request.http_version not in VERSIONS:
        return UNSUPPORTED_VERSION
    # Methods differ by case, and those behind us do not look. Of all others the application says
    # what their path takes instead.
    method = request.method.decode("ascii")
    if method == "CONNECT" or (method not in METHODS and method.upper() in METHODS):
        return METHOD_REFUSED
    if len(request.target) > limits.target_bytes_max:
        return TARGET_TOO_LONG
    if not _is_target(request):
        return MALFORMED
    return _refusal_of_framing(request)


def _is_target(request: h11.Request) -> bool:
    """Whether the target has a form that its method may have (RFC 9112, section 3.2)."""
    target = request.target
    if target.startswith(b"/"):
        return True
    if target == b"*":
        return request.method == b"OPTIONS"
    try:
        parts = urlsplit(target.decode())
    except ValueError:  # not text, or brackets around no address
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _refusal_of_framing(request: h11.Request) -> Refusal | None:
    length = chunked = False
    upgrade = b""
    for name, value in request.headers:
        if name == b"content-length":
            length = value != b"0"
        elif name == b"transfer-encoding":
            chunked = True
        elif name == b"upgrade":
            upgrade = value.strip().lower()
    if chunked and (_has(request, b"content-length") or request.http_version == b"1.0"):
        return AMBIGUOUS_LENGTH
    if upgrade == b"h2c" or (upgrade == b"websocket" and (length or chunked)):
        return UPGRADE_REFUSED
    return None


def _has(request: h11.Request, name: bytes) -> bool:
    return any(found == name for found, _ in request.headers)


def content_length_of(request: h11.Request) -> int:
    """The declared length of the body in bytes; 0 when none is declared."""
    return next((int(v) for n, v in request.headers if n == b"content-length"), 0)


def path_of(request: h11.Request) -> str:
    """The path, unquoted and without the query, also of a target in absolute form."""
    path = request.target.partition(b"?")[0].decode()
    return unquote(path if path.startswith("/") else urlsplit(path).path)


def wants_websocket(request: h11.Request) -> bool:
    """Whether this is an upgrade to WebSocket (RFC 6455, section 4.2.1), valid or not."""
    connection = upgrade = b""
    for name, value in request.headers:
        if name == b"connection":
            connection += b"," + value.lower()
        elif name == b"upgrade":
            upgrade = value.strip().lower()
    tokens = {token.strip() for token in connection.split(b",")}
    return request.method == b"GET" and upgrade == b"websocket" and b"upgrade" in tokens

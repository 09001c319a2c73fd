"""The application: Quart on Trio with the routes of Lendwire and one way to end every response.

It serves nothing by itself; the listener of the tree does. It holds no state but its front desk.
"""

from __future__ import annotations

import logging
from typing import Any, Final, cast

import msgspec
from quart import Response, has_request_context, request, websocket
from quart.ctx import RequestContext, WebsocketContext
from quart.typing import ResponseTypes
from quart_trio import QuartTrio
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from web.arrivals import ArrivedRequest
from web.doors import Doors
from web.edge.quart_connections import install
from web.endpoint import view_of
from web.front_desk import FrontDesk
from web.openapi import openapi_document
from web.problems import CRASHED, NOT_FOUND, Problem, title
from web.replies import Outcome, Reply, respond
from web.request_reading import read_request_id
from web.routes import ROUTES
from web.sockets.connect import CONNECT_PATH, connect_view

_LOG = logging.getLogger("lendwire.web")

API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
REQUEST_ID: Final = "X-Request-Id"
CORS_MAX_AGE_S: Final = 600

_BASE_HEADERS: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)
_EXPOSED: Final = (
    "ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, "
    "X-Request-Id"
)
_ALLOWED_HEADERS: Final = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id"
)


class LendwireApp(QuartTrio):
    """Quart on Trio without cookies: a request has no session but its token's."""

    request_class = ArrivedRequest
    desk: FrontDesk

    def request_context(self, request: Any) -> RequestContext:
        """Find out what every request needs, before its route is known."""
        desk = self.desk
        request.request_id = read_request_id(request) or str(desk.doors.identities.new_id())
        client = request.scope.get("client")
        request.client_address = desk.addresses.address(
            client[0] if client else None, request.headers.get("X-Forwarded-For")
        )
        return super().request_context(request)

    async def process_response(
        self, response: ResponseTypes, request_context: RequestContext | None = None
    ) -> ResponseTypes:
        """Add the headers that every response has; there are no other hooks and no cookies."""
        assert request_context is not None
        request: Any = request_context.request
        headers = response.headers
        _protect(headers, request.request_id)
        for name, value in request.limit_headers:
            headers.add(name, value)
        origin = request.headers.get("Origin")
        if origin is not None:
            self._share(response, origin, request)
        return response

    async def postprocess_websocket(
        self, response: ResponseTypes | None, websocket_context: WebsocketContext | None = None
    ) -> ResponseTypes:
        """Do the same for the refusal of a WebSocket; an accepted one has no response."""
        del websocket_context
        if response is not None:
            known = response.headers.get(REQUEST_ID)
            _protect(response.headers, known or str(self.desk.doors.identities.new_id()))
        # Quart's annotation forgets that there need not be one.
        return cast("ResponseTypes", response)

    def _share(self, response: ResponseTypes, origin: str, request: Any) -> None:
        """Let the pages of an allowed origin read the response (CORS), and no other."""
        headers = response.headers
        headers.add("Vary", "Origin")
        if not self.desk.origins.allows(origin, request.headers.get("Host")):
            return
        headers.add("Access-Control-Allow-Origin", origin)
        headers.add("Access-Control-Expose-Headers", _EXPOSED)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            headers.add("Access-Control-Allow-Methods", headers.get("Allow", ""))
            headers.add("Access-Control-Allow-Headers", _ALLOWED_HEADERS)
            headers.add("Access-Control-Max-Age", str(CORS_MAX_AGE_S))


def _protect(headers: Headers, request_id: str) -> None:
    for name, value in _BASE_HEADERS:
        headers.add(name, value)
    headers.setdefault("Content-Security-Policy", API_POLICY)
    headers[REQUEST_ID] = request_id


def create_app(doors: Doors) -> QuartTrio:
    """Make the application. Raises ValueError when an option cannot be worked with."""
    document = msgspec.json.encode(openapi_document(doors.options))
    app = LendwireApp("web", static_folder=None)
    app.desk = desk = FrontDesk.open(doors, document)
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = doors.options.json_bytes_max
    app.config["PROPAGATE_EXCEPTIONS"] = False
    for route in ROUTES:
        app.add_url_rule(
            rule_of(route.path),
            f"{route.method} {route.path}",
            view_of(route, desk),
            methods=[route.method],
            strict_slashes=False,
            provide_automatic_options=False,
        )
    app.add_websocket(rule_of(CONNECT_PATH), CONNECT_PATH, connect_view(desk), strict_slashes=False)
    app.register_error_handler(HTTPException, _refuse)
    app.register_error_handler(Exception, _crash)
    return install(app)


def rule_of(path: str) -> str:
    """A path of the table as a routing rule: without its last slash, which is then optional."""
    return (path.rstrip("/") or "/").replace("{", "<").replace("}", ">")


async def _refuse(error: HTTPException) -> Response:
    """What the router or the body reader refuses, as a problem; an OPTIONS request as an answer."""
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted({*(error.valid_methods or ()), "OPTIONS"}))
        allow = (("Allow", allowed),)
        if has_request_context() and request.method == "OPTIONS":
            return _respond(Reply(None, 204, allow))
        return _respond(
            Problem(405, "method_not_allowed", f"This path takes {allowed}.", headers=allow)
        )
    status = error.code or 500
    if status == NOT_FOUND.status:
        return _respond(NOT_FOUND)
    code = "_".join(title(status).lower().split())
    return _respond(Problem(status, code, "The request cannot be served as it is."))


async def _crash(error: Exception) -> Response:
    """A bug: noted with its traceback in the log, and told without it."""
    _LOG.error("a request met a bug", exc_info=error)
    return _respond(CRASHED)


def _respond(outcome: Outcome) -> Response:
    if has_request_context():
        arrived = cast("ArrivedRequest", request)
        return respond(outcome, arrived.path, arrived.request_id)
    return respond(outcome, websocket.path, "")

"""The application: Quart on Trio with the routes of Lendwire and one way to end every response.

Quart keeps the routes, the requests, the responses and the WebSockets. Its contexts, signals, hooks
and cookies are left out of HTTP: nothing here needs them, and they cost more than the rest. It
serves nothing by itself (the listener of the tree does) and holds no state but its front desk.
"""

from __future__ import annotations

import logging
from typing import Any, Final, cast

import msgspec
from quart import Response, websocket
from quart.ctx import WebsocketContext
from quart.typing import ResponseTypes
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import MapAdapter
from werkzeug.routing.exceptions import WebsocketMismatch

from web.api.table import ROUTES
from web.dependencies import Doors
from web.edge.quart_connections import install
from web.openapi import openapi_document
from web.requests.incoming import ArrivedRequest, given_headers
from web.requests.parsing import read_request_id
from web.responses.problems import CRASHED, NOT_FOUND, Problem, title
from web.responses.replies import Outcome, Reply, respond
from web.routing.dependencies import FrontDesk
from web.routing.endpoint import Endpoint, endpoint_of, has_ids
from web.routing.headers import sharing_headers
from web.routing.request_log import log_request
from web.sockets.connect import CONNECT_PATH, connect_view

_LOG = logging.getLogger("lendwire.web")

_UPGRADE: Final = Problem(
    426,
    "upgrade_required",
    "This path speaks WebSocket only.",
    headers=(("Upgrade", "websocket"), ("Connection", "Upgrade")),
)
# A WebSocket begins with GET.
_HANDSHAKE: Final = {"GET"}
ANY_HOST: Final = "localhost"
ACTORS: Final = "/supervision/actors/"


class LendwireApp(QuartTrio):
    """Quart on Trio without cookies: a request has no session but its token's."""

    request_class = ArrivedRequest
    desk: FrontDesk
    endpoints: dict[str, Endpoint]
    adapter: MapAdapter

    async def handle_request(self, request: Any) -> ResponseTypes:
        """Serve one request, from its arrival to its response; only a cancellation leaves here."""
        arrived: ArrivedRequest = request
        desk, given = self.desk, arrived.given
        arrived.request_id = read_request_id(given) or str(desk.doors.identities.new_id())
        client = arrived.scope.get("client")
        arrived.client_address = desk.addresses.address(
            client[0] if client else None, given.get("x-forwarded-for")
        )
        try:
            outcome = await self._dispatch(arrived)
        except Exception:  # noqa: BLE001 - whatever a bug raises, the client gets an answer
            _LOG.exception("a request met a bug")
            outcome = CRASHED
        shared = [*desk.protection, ("X-Request-Id", arrived.request_id), *arrived.limit_headers]
        origin = given.get("origin")
        if origin is not None:
            shared += sharing_headers(desk.origins, origin, arrived, outcome.headers)
        response = respond(outcome, arrived.path, arrived.request_id, shared)
        log_request(arrived, response.status_code)
        return response

    async def _dispatch(self, arrived: ArrivedRequest) -> Outcome:
        asked = arrived.path
        if asked.startswith(ACTORS):
            # A part with slashes swallows the last one, which is optional here as everywhere.
            asked = asked.removesuffix("/")
        try:
            rule, path = self.adapter.match(asked, arrived.method, return_rule=True)
        except MethodNotAllowed:
            return _other_method(arrived.method, self._taken(asked))
        except WebsocketMismatch:
            # Raised for what the rule of the socket takes by itself, OPTIONS among it.
            return (
                _UPGRADE if arrived.method == "GET" else _other_method(arrived.method, _HANDSHAKE)
            )
        except HTTPException as error:
            return _unrouted(error)
        if not has_ids(path):
            # A word where an id would stand: it may be a path of its own that takes other methods.
            taken = self._taken(asked)
            if arrived.method not in taken:
                return _other_method(arrived.method, taken)
        return await self.endpoints[rule.endpoint](arrived, cast("dict[str, str]", path))

    def _taken(self, asked: str) -> set[str]:
        """The methods of the path itself: of the routes that leave the least of it to parameters.

        /users/me is a path of its own, and not that of a user whose id is `me`.
        """
        try:
            left = {
                method: sum(map(len, self.adapter.match(asked, method)[1].values()))
                for method in self.adapter.allowed_methods(asked)
            }
        except WebsocketMismatch:
            return _HANDSHAKE
        least = min(left.values(), default=0)
        return {method for method, chars in left.items() if chars == least}

    async def refuse_socket(self, error: Exception) -> Response:
        """Answer a WebSocket to a path that has none, or that met a bug before it was accepted."""
        problem = NOT_FOUND
        if not isinstance(error, HTTPException):
            problem = CRASHED
            _LOG.error("a socket met a bug", exc_info=error)
        given = given_headers(websocket.scope["headers"])
        request_id = read_request_id(given) or str(self.desk.doors.identities.new_id())
        shared = (*self.desk.protection, ("X-Request-Id", request_id))
        return respond(problem, websocket.path, request_id, shared)

    async def postprocess_websocket(
        self, response: ResponseTypes | None, websocket_context: WebsocketContext | None = None
    ) -> ResponseTypes:
        """End Quart's own way with a WebSocket: its refusal is complete, its cookies are none."""
        del websocket_context
        # Quart's annotation forgets that there need not be a response.
        return cast("ResponseTypes", response)


def create_app(doors: Doors) -> QuartTrio:
    """Make the application. Raises ValueError when an option cannot be worked with."""
    document = msgspec.json.encode(openapi_document(doors.options))
    app = LendwireApp("web", static_folder=None)
    app.desk = desk = FrontDesk.open(doors, document)
    app.url_map.merge_slashes = False
    # Each route has limits of its own, and reads no further than they allow
    # (web/requests/parsing.py).
    app.config["MAX_CONTENT_LENGTH"] = None
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.endpoints = {}
    for route in ROUTES:
        name = f"{route.method} {route.path}"
        app.endpoints[name] = endpoint_of(route, desk)
        app.add_url_rule(
            rule_of(route.path),
            name,
            methods=[route.method],
            strict_slashes=False,
            provide_automatic_options=False,
        )
    app.add_websocket(rule_of(CONNECT_PATH), CONNECT_PATH, connect_view(desk), strict_slashes=False)
    app.adapter = app.url_map.bind(ANY_HOST)
    app.register_error_handler(Exception, app.refuse_socket)
    return install(app)


def rule_of(path: str) -> str:
    """A path of the table as a routing rule: without its last slash, which is then optional.

    The part `{path}` is an actor's and has slashes itself.
    """
    rule = (path.rstrip("/") or "/").replace("{path}", "{path:path}")
    return rule.replace("{", "<").replace("}", ">")


def _other_method(method: str, taken: set[str]) -> Outcome:
    """What a path takes instead of `method`, as a problem; an OPTIONS request as an answer."""
    allowed = ", ".join(sorted({*taken, "OPTIONS"}))
    allow = (("Allow", allowed),)
    if method == "OPTIONS":
        return Reply(None, 204, allow)
    return Problem(405, "method_not_allowed", f"This path takes {allowed}.", headers=allow)


def _unrouted(error: HTTPException) -> Outcome:
    """What the router does not find, as a problem."""
    if isinstance(error, NotFound) or error.code is None:
        return NOT_FOUND
    code = "_".join(title(error.code).lower().split())
    return Problem(error.code, code, "The request cannot be served as it is.")

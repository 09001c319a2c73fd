"""The interactive documentation: Swagger UI from an installed package, so that it works offline.

No request leaves the machine: the page may load from this server only, and says so to the browser.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from web.asyncapi import ICON_NAME, STYLE, STYLE_NAME, asyncapi_json, asyncapi_page
from web.responses.problems import NOT_FOUND
from web.responses.replies import JSON, Outcome, Page
from web.routing.call import Call
from web.routing.route import Door, Route

ASSETS_PACKAGE: Final = "flask_swagger_ui"
# Swagger UI draws some icons as data: images; nothing else may come from elsewhere or be inline.
PAGES_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)

_POLICY: Final = (("Content-Security-Policy", PAGES_POLICY),)
_CSS, _SCRIPT, _PNG, _HTML = (
    "text/css; charset=utf-8",
    "text/javascript; charset=utf-8",
    "image/png",
    "text/html; charset=utf-8",
)
# The few files of the package that the page needs; no other is served.
_ASSETS: Final = {
    "swagger-ui.css": _CSS,
    "swagger-ui-bundle.js": _SCRIPT,
    ICON_NAME: _PNG,
}
_PAGE: Final = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lendwire API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START: Final = b"""SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false
});
"""
START_NAME: Final = "start.js"


async def read_openapi(call: Call) -> Outcome:
    """The OpenAPI document of this server."""
    if not call.desk.doors.options.docs_enabled:
        return NOT_FOUND
    return Page(call.desk.openapi, JSON)


async def read_asyncapi(call: Call) -> Outcome:
    """The AsyncAPI document of this server's socket."""
    options = call.desk.doors.options
    return Page(asyncapi_json(options), JSON) if options.docs_enabled else NOT_FOUND


async def read_asyncapi_page(call: Call) -> Outcome:
    """The same, to read."""
    options = call.desk.doors.options
    return Page(asyncapi_page(options), _HTML, _POLICY) if options.docs_enabled else NOT_FOUND


async def read_docs(call: Call) -> Outcome:
    """The page of the documentation."""
    if not call.desk.doors.options.docs_enabled:
        return NOT_FOUND
    return Page(_PAGE, _HTML, _POLICY)


async def read_docs_asset(call: Call) -> Outcome:
    """A file that the page needs."""
    name = call.words["asset"]
    if not call.desk.doors.options.docs_enabled:
        return NOT_FOUND
    if name == START_NAME:
        return Page(_START, _SCRIPT, _POLICY)
    if name == STYLE_NAME:
        return Page(STYLE, _CSS, _POLICY)
    media_type = _ASSETS.get(name)
    if media_type is None:
        return NOT_FOUND
    return Page(_asset(name), media_type, _POLICY)


@cache
def _asset(name: str) -> bytes:
    """Read a file of the package, which is not imported: it would bring another framework along."""
    found = find_spec(ASSETS_PACKAGE)
    assert found is not None
    assert found.submodule_search_locations is not None, ASSETS_PACKAGE
    return (Path(found.submodule_search_locations[0]) / "dist" / name).read_bytes()


DOCS: Final = (
    Route(
        method="GET",
        path="/openapi.json",
        handler=read_openapi,
        summary="This document",
        tag="system",
        answers={200: None},
        door=Door.OPEN,
        problems=(404,),
    ),
    Route(
        method="GET",
        path="/asyncapi.json",
        handler=read_asyncapi,
        summary="What flows on a socket, as AsyncAPI 3.0",
        tag="system",
        answers={200: None},
        door=Door.OPEN,
        problems=(404,),
    ),
    Route(
        method="GET",
        path="/asyncapi",
        handler=read_asyncapi_page,
        summary="What flows on a socket, to read",
        tag="system",
        answers={200: None},
        door=Door.OPEN,
        media_type="text/html",
        problems=(404,),
    ),
    Route(
        method="GET",
        path="/docs",
        handler=read_docs,
        summary="The interactive documentation",
        tag="system",
        answers={200: None},
        door=Door.OPEN,
        media_type="text/html",
        problems=(404,),
    ),
    Route(
        method="GET",
        path="/docs/{asset}",
        handler=read_docs_asset,
        summary="A file of the documentation",
        tag="system",
        answers={200: None},
        door=Door.OPEN,
        media_type="application/octet-stream",
        problems=(404,),
    ),
)

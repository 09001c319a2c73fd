"""V11: 405 and OPTIONS tell what a path itself takes, whatever its neighbours do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.web.full_house import filled
from tests.web.standins import House
from web.api.table import ROUTES

PATHS = sorted({route.path.rstrip("/") or "/" for route in ROUTES})
UNKNOWN = ["QUERY", "TRACE", "BREW", "PROPFIND", "CONNECT", "PATCH"]


def methods_of(path: str) -> str:
    taken = {route.method for route in ROUTES if (route.path.rstrip("/") or "/") == path}
    return ", ".join(sorted({*taken, "OPTIONS", *(("HEAD",) if "GET" in taken else ())}))


@pytest.mark.parametrize("path", PATHS)
async def test_options_tell_what_the_path_takes_and_nothing_of_its_neighbours(
    client: Any, path: str
) -> None:
    for spelling in (filled(path), filled(path).rstrip("/") + "/"):
        response = await client.options(spelling)
        assert response.status_code == 204
        assert response.headers["Allow"] == methods_of(path)


@pytest.mark.parametrize("path", PATHS)
async def test_a_method_that_no_path_takes_is_405_with_those_that_this_one_does(
    client: Any, path: str
) -> None:
    for method in UNKNOWN:
        response = await client.open(filled(path), method=method)
        assert response.status_code == 405
        assert response.headers["Allow"] == methods_of(path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/loans/quote", "OPTIONS, POST"),
        ("DELETE", "/loans/quote", "OPTIONS, POST"),
        ("PUT", "/users/me", "GET, HEAD, OPTIONS"),
        ("DELETE", "/users/me/", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_word_where_an_id_would_stand_is_a_path_of_its_own(
    client: Any, house: House, method: str, path: str, allowed: str
) -> None:
    response = await client.open(path, method=method, headers=house.bearer)
    assert response.status_code == 405
    assert response.headers["Allow"] == allowed


async def test_a_word_that_is_no_path_of_its_own_is_not_there(client: Any, house: House) -> None:
    response = await client.get("/loans/not-an-id", headers=house.bearer)
    assert response.status_code == 404


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", *UNKNOWN])
async def test_the_path_of_the_socket_takes_get_alone(client: Any, method: str) -> None:
    """V11: without a handshake GET is told to upgrade, and no method meets a bug."""
    path = f"/ws/connect/{UUID(int=7)}"
    for spelling in (path, f"{path}/"):
        response = await client.open(spelling, method=method)
        assert response.status_code == 405
        assert response.headers["Allow"] == "GET, OPTIONS"
        assert (await client.options(spelling)).status_code == 204
        assert (await client.get(spelling)).status_code == 426


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil"])
async def test_a_page_that_names_itself_as_host_reads_nothing_and_is_not_refused(
    client: Any, host: str
) -> None:
    """V12: no request is refused for its Host alone, and no page is let in for it."""
    for scheme in ("http", "https"):
        headers = {"Host": host, "Origin": f"{scheme}://{host}"}
        response = await client.get("/health/live", headers=headers)
        assert response.status_code == 200
        assert "Access-Control-Allow-Origin" not in response.headers

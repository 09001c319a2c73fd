"""Health for people and for load balancers, and documentation that works offline."""

from __future__ import annotations

import json
from typing import Any

from domain.queries import (
    ListUsers,
)
from domain.reports.views import ComponentHealth, Page
from tests.web.standins import (
    ACCOUNT,
    LOAN_ID,
    House,
)
from web.app import create_app

LOAN_PATH = f"/loans/{LOAN_ID}"
TERMS: dict[str, object] = {
    "principal": "1250.00",
    "annual_rate_percent": "12.5",
    "instalments": 12,
    "frequency": {"every": 1, "unit": "MONTHS"},
}


async def told(response: Any) -> Any:
    return json.loads(await response.get_data())


async def test_health_tells_components_and_readiness_tells_reasons(
    client: Any, house: House
) -> None:
    assert (await told(await client.get("/health")))["status"] == "ok"
    assert (await told(await client.get("/health/ready"))) == {"status": "ready", "reasons": []}
    house.health.states["redis"] = ComponentHealth("degraded", "away")
    degraded = await client.get("/health/ready")
    assert (degraded.status_code, (await told(degraded))["status"]) == (200, "degraded")
    assert (await told(await client.get("/health")))["status"] == "degraded"
    house.health.states["database"] = ComponentHealth("down", "does not answer")
    house.tree.running = False
    unready = await client.get("/health/ready")
    assert unready.status_code == 503
    assert unready.headers["Retry-After"]
    assert (await told(unready))["reasons"] == [
        "supervision: the core is not running",
        "database: does not answer",
    ]
    down = await client.get("/health")
    assert (down.status_code, (await told(down))["status"]) == (503, "down")
    assert (await client.get("/health/live")).status_code == 200


async def test_the_documentation_loads_from_here_only(client: Any) -> None:
    page = await client.get("/docs/")
    text = (await page.get_data()).decode()
    assert "http" not in text
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js", "favicon-32x32.png"):
        assert f"/docs/{name}" in text
        asset = await client.get(f"/docs/{name}")
        assert asset.status_code == 200
        assert len(await asset.get_data()) > 100
    for name in ("index.html", "..%2f..%2fetc%2fpasswd", "VERSION", ".."):
        assert (await client.get(f"/docs/{name}")).status_code == 404


async def test_the_documentation_can_be_closed() -> None:
    client = create_app(House(docs_enabled=False).doors).test_client()
    for path in ("/docs", "/docs/start.js", "/openapi.json"):
        assert (await client.get(path)).status_code == 404
    about = await told(await client.get("/"))
    assert (about["documentation"], about["openapi"]) == (None, None)


async def test_listing_users_needs_no_more_than_a_page(client: Any, house: House) -> None:
    house.session.table = {ListUsers: Page((ACCOUNT,), None)}
    page = await told(await client.get("/users", headers=house.bearer))
    assert page["items"][0]["email"] == ACCOUNT.email
    for user in page["items"]:
        assert {name for name in user if "password" in name} == {"must_change_password"}

"""Products over HTTP: said as terms are, shown as they may be said again."""

from __future__ import annotations

from typing import Any

import pytest

from domain.commands.products import CreateProduct, ReplaceProduct
from tests.web.a_product import BODY, DEFAULTS, LIMITS, PRODUCT, PRODUCT_ID
from tests.web.full_house import everything
from tests.web.standins import OTHER_USER_ID, House
from web.api.terms.bodies import TermsBody
from web.requests.fields import DEFAULT_CURRENCY

PATH = f"/products/{PRODUCT_ID}"


async def test_a_product_is_made_as_it_is_said(client: Any, house: House) -> None:
    everything(house)
    body = {**BODY, "id": str(PRODUCT_ID)}
    answer = await client.post("/products/", json=body, headers=house.bearer)
    assert answer.status_code == 201
    assert answer.headers["Location"] == PATH
    assert answer.headers["ETag"] == '"v4"'
    defaults = PRODUCT.product.defaults
    assert house.session.last == CreateProduct(PRODUCT_ID, "Small loan", defaults, LIMITS)


async def test_what_is_shown_may_be_said_again(client: Any, house: House) -> None:
    everything(house)
    shown = await (await client.get(PATH, headers=house.bearer)).get_json()
    said = TermsBody.model_validate(shown["defaults"], context={DEFAULT_CURRENCY: "KWD"})
    assert said.terms("KWD") == PRODUCT.product.defaults
    body = {name: shown[name] for name in ("name", "defaults", "limits", "version")}
    assert (await client.put(PATH, json=body, headers=house.bearer)).status_code == 200
    defaults = PRODUCT.product.defaults
    assert house.session.last == ReplaceProduct(PRODUCT_ID, 4, "Small loan", defaults, LIMITS)


async def test_a_loan_on_a_product_says_only_what_is_its_own(client: Any, house: House) -> None:
    everything(house)
    body = {
        "customer_id": str(OTHER_USER_ID),
        "product_id": str(PRODUCT_ID),
        "principal": "700.00",
    }
    answer = await client.post("/loans/", json=body, headers=house.bearer)
    assert answer.status_code == 201
    command = house.session.last
    assert command.product == PRODUCT.product
    assert command.terms.principal_minor == 70_000
    assert command.terms.instalment_fees == PRODUCT.product.defaults.instalment_fees


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"limits": {"principal": {"min": "0.001"}}}, "/limits/principal/min"),
        ({"defaults": {**DEFAULTS, "closing_tolerance": "0.001"}}, "/defaults/closing_tolerance"),
        ({"defaults": {**DEFAULTS, "product_id": str(PRODUCT_ID)}}, "/defaults/product_id"),
        ({"limits": {"instalments": {"min": 0}}}, "/limits/instalments/min"),
        ({"name": " "}, "/name"),
    ],
)
async def test_what_cannot_be_read_is_named(
    client: Any, house: House, changes: dict[str, Any], pointer: str
) -> None:
    everything(house)
    answer = await client.post("/products/", json={**BODY, **changes}, headers=house.bearer)
    assert answer.status_code == 422
    told = await answer.get_json()
    assert [fault["pointer"] for fault in told["errors"]] == [pointer]

"""Products: what loans are made on, and what a change of one leaves alone."""

from __future__ import annotations

from typing import Any

from tests.acceptance.node import application, hire

SMALL_LOAN: dict[str, Any] = {
    "name": "Small loan",
    "defaults": {
        "principal": "1000.00",
        "currency": "EUR",
        "annual_rate_percent": "12",
        "instalments": 12,
        "frequency": {"every": 1, "unit": "MONTHS"},
        "days_in_month": "30",
        "days_in_year": "360",
        "closing_tolerance": "0.50",
    },
    "limits": {
        "principal": {"min": "500.00", "max": "2000.00"},
        "annual_rate_percent": {"max": "15"},
        "instalments": {"min": 6, "max": 24},
        "negotiable": ["grace_on_principal_payment"],
    },
}


async def test_a_loan_is_made_on_a_product_and_keeps_its_version(shared_node):
    node, staff = shared_node, await hire(shared_node)
    await node.post(staff.manager, "/products/", SMALL_LOAN, expect=403)
    product = await node.post(staff.admin, "/products/", SMALL_LOAN)
    path = f"/products/{product['id']}"
    assert (product["version"], product["defaults"]["closing_tolerance"]) == (1, "0.50")
    assert product in (await node.get(staff.customer, "/products/?limit=200"))["items"]

    wish = {"customer_id": staff.customer_id, "product_id": product["id"], "principal": "800.00"}
    loan = await node.post(staff.officer, "/loans/", wish)
    assert (loan["product_version"], loan["annual_rate_percent"]) == (1, "12")
    assert (loan["principal"], loan["instalments"], loan["days_in_year"]) == ("800.00", 12, "360")

    beyond = {**wish, "principal": "2000.01", "instalments": 25, "days_in_year": "365"}
    refused = await node.post(staff.officer, "/loans/", beyond, expect=422)
    assert refused["code"] == "outside_product"
    assert {fault["pointer"] for fault in refused["errors"]} == {
        "/principal",
        "/instalments",
        "/days_in_year",
    }
    nowhere = {**wish, "product_id": loan["id"]}
    refused = await node.post(staff.officer, "/loans/", nowhere, expect=422)
    assert refused["errors"][0]["pointer"] == "/product_id"

    dearer = {**SMALL_LOAN, "defaults": {**SMALL_LOAN["defaults"], "annual_rate_percent": "14"}}
    async with node.client(staff.admin) as client:
        assert (await client.put(path, json=dearer)).status_code == 428
        changed = await client.put(path, json=dearer, headers={"If-Match": '"v1"'})
        assert (changed.status_code, changed.json()["version"]) == (200, 2)
        stale = await client.put(path, json={**dearer, "name": "X"}, headers={"If-Match": '"v1"'})
        assert stale.status_code == 412
        assert stale.json()["version"] == 2
        assert stale.json()["changed"] == ["defaults.annual_rate_percent"]
    assert (await node.get(staff.officer, f"{path}?version=1"))["name"] == "Small loan"

    later = await node.post(staff.officer, "/loans/", wish)
    assert (later["product_version"], later["annual_rate_percent"]) == (2, "14")
    kept = await node.get(staff.officer, f"/loans/{loan['id']}")
    assert (kept["product_version"], kept["annual_rate_percent"]) == (1, "12")

    async with node.client(staff.admin) as client:
        gone = await client.put(path, json={**dearer, "is_offered": False, "version": 2})
        assert gone.status_code == 200
    refused = await node.post(staff.officer, "/loans/", wish, expect=422)
    assert refused["errors"][0]["code"] == "not_offered"


async def test_an_application_is_amended_within_its_product(shared_node):
    node, staff = shared_node, await hire(shared_node)
    product = await node.post(staff.admin, "/products/", SMALL_LOAN)
    wish = {"customer_id": staff.customer_id, "product_id": product["id"]}
    loan = await node.post(staff.officer, "/loans/", wish)
    terms = {
        name: SMALL_LOAN["defaults"][name]
        for name in ("principal", "annual_rate_percent", "instalments", "frequency")
    }
    path = f"/loans/{loan['id']}"
    async with node.client(staff.officer) as client:
        fewer = await client.put(path, json={**terms, "instalments": 6, "version": 1})
        assert (fewer.status_code, fewer.json()["days_in_year"]) == (200, "360")
        beyond = await client.put(path, json={**terms, "instalments": 5, "version": 2})
        assert (beyond.status_code, beyond.json()["code"]) == (422, "outside_product")
        stale = await client.put(path, json={**terms, "version": 1})
        assert stale.status_code == 412
        assert (stale.json()["version"], stale.json()["changed"]) == (2, ["instalments"])


async def test_a_product_that_makes_no_sense_is_refused_with_every_fault(shared_node):
    node, staff = shared_node, await hire(shared_node)
    defaults = {**SMALL_LOAN["defaults"], "start_date": "2026-01-01", "principal": "100.00"}
    limits = {
        "principal": {"min": "900.00", "max": "10.00"},
        "negotiable": ["currency", "moon"],
    }
    body = {**SMALL_LOAN, "defaults": defaults, "limits": limits}
    refused = await node.post(staff.admin, "/products/", body, expect=422)
    assert refused["code"] == "impossible_product"
    assert [fault["pointer"] for fault in refused["errors"]] == [
        "/limits/negotiable",
        "/limits/negotiable",
        "/limits/principal",
        "/defaults/start_date",
    ]
    plain = application(staff.customer_id)
    assert (await node.post(staff.officer, "/loans/", plain))["product_version"] is None


async def test_a_quote_is_made_on_a_product_and_within_it(shared_node):
    node, staff = shared_node, await hire(shared_node)
    product = await node.post(staff.admin, "/products/", SMALL_LOAN)
    wish = {"product_id": product["id"], "principal": "600.00"}
    quote = await node.post(staff.officer, "/loans/quote", wish, expect=200)
    assert (quote["principal"], len(quote["instalments"])) == ("600.00", 12)
    beyond = {**wish, "principal": "100.00"}
    refused = await node.post(staff.officer, "/loans/quote", beyond, expect=422)
    assert refused["code"] == "outside_product"


async def test_a_quote_on_a_product_keeps_to_it(shared_node):
    node, staff = shared_node, await hire(shared_node)
    product = await node.post(staff.admin, "/products/", {**SMALL_LOAN, "name": "Quoted loan"})
    asked = {"product_id": product["id"], "principal": "800.00"}
    quote = await node.post(staff.customer, "/loans/quote", asked, expect=200)
    assert (quote["principal"], len(quote["instalments"])) == ("800.00", 12)
    much = {**asked, "principal": "2000.01"}
    refused = await node.post(staff.customer, "/loans/quote", much, expect=422)
    assert refused["errors"][0]["pointer"] == "/principal"
    unknown = {**asked, "product_id": staff.officer_id}
    refused = await node.post(staff.customer, "/loans/quote", unknown, expect=422)
    assert refused["errors"][0]["pointer"] == "/product_id"

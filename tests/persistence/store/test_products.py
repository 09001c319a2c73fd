"""Products on PostgreSQL: every version stays, and a loan names the one that it was made on."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from domain.commands.products import CreateProduct, ReplaceProduct
from domain.identifiers import ProductId
from domain.loan.decision import Committed
from domain.queries import ListProducts, PageRequest
from domain.rejections import AccessRefusal, IdempotencyRefusal, VersionRefusal
from domain.terms.product import ProductLimits, ProductView
from tests.persistence.store.office import TERMS, Office, at_once, reasons, view_of

pytestmark = pytest.mark.store


async def made(office: Office) -> ProductView:
    command = CreateProduct(ProductId(uuid7()), "Small loan", TERMS, ProductLimits())
    return view_of(await office.store.products.create(command, office.context()))


def renamed(product: ProductView, name: str) -> ReplaceProduct:
    stood = product.product
    return ReplaceProduct(stood.id, stood.version, name, stood.defaults, stood.limits)


async def test_every_version_stays_as_it_was(office: Office) -> None:
    first = await made(office)
    product_id = first.product.id
    second = view_of(await office.store.products.replace(renamed(first, "Loan"), office.context()))
    assert second.product == replace(first.product, version=2, name="Loan")
    assert await office.store.products.product(product_id, None) == second
    earlier = await office.store.products.product(product_id, 1)
    assert earlier is not None
    assert earlier.product == first.product
    assert await office.store.products.product(product_id, 3) is None
    with pytest.raises(asyncpg.RestrictViolationError):
        await office.sql("DELETE FROM product_versions WHERE product_id = $1", product_id)
    page = await office.store.products.products(ListProducts(PageRequest()))
    # Other tests of this file share the store, in any order.
    assert [one.product for one in page.items if one.product.id == product_id] == [second.product]
    actions = await office.sql(
        "SELECT action FROM audit WHERE entity_id = $1 ORDER BY id", product_id
    )
    assert [row["action"] for row in actions] == ["product_created", "product_changed"]


async def test_one_of_many_changes_wins_and_the_others_are_told_what_changed(
    office: Office,
) -> None:
    first = await made(office)
    outcomes = await at_once(
        8,
        lambda number: office.store.products.replace(
            renamed(first, f"Loan {number}"), office.context()
        ),
    )
    assert reasons(outcomes) == [VersionRefusal.STALE] * 7
    refused = next(one for one in outcomes if not isinstance(one, Committed))
    assert refused.facts == {"version": 2, "changed": ["name"]}


async def test_a_product_is_made_once_and_changed_where_it_is(office: Office) -> None:
    first = await made(office)
    again = CreateProduct(first.product.id, "Another", TERMS, ProductLimits())
    outcome = await office.store.products.create(again, office.context())
    assert reasons([outcome]) == [IdempotencyRefusal.ID_TAKEN]
    nowhere = replace(renamed(first, "X"), product_id=ProductId(uuid7()))
    outcome = await office.store.products.replace(nowhere, office.context())
    assert reasons([outcome]) == [AccessRefusal.NOT_FOUND]
    same = view_of(
        await office.store.products.replace(renamed(first, "Small loan"), office.context())
    )
    assert same.product.version == 1


async def test_a_repeated_key_makes_one_product(office: Office) -> None:
    command = CreateProduct(ProductId(uuid7()), "Small loan", TERMS, ProductLimits())
    first = view_of(await office.store.products.create(command, office.context("k")))
    again = await office.store.products.create(command, office.context("k"))
    assert isinstance(again, Committed)
    assert (again.replayed, again.view) == (True, first)

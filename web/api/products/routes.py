"""Loan products: offered, changed by a further version, and read."""

from __future__ import annotations

from typing import Final

from domain.commands.products import CreateProduct, ReplaceProduct
from domain.identifiers import ProductId
from domain.queries import ListProducts, ReadProduct
from domain.reports.views import Page
from domain.terms.product import ProductView
from web.api.products.shapes import (
    ProductBody,
    ProductChangeBody,
    ProductList,
    ProductShape,
    render_product,
)
from web.requests.parsing import OF_TERMS, Parameter
from web.responses.problems import Problem, invalid_fields
from web.responses.replies import Outcome
from web.routing.call import Call, made
from web.routing.route import PAGING, Route

VERSION_DIGITS_MAX: Final = 9


def _version(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= VERSION_DIGITS_MAX):
        return None
    return int(text) or None


VERSION: Final = Parameter(
    "version", _version, "a version, a whole number from 1", {"type": "integer", "minimum": 1}
)


async def create_product(call: Call) -> Outcome:
    """Offer a product."""
    body = call.fields(ProductBody)
    parts = body.parts(call.desk.doors.options.default_currency)
    if isinstance(parts, tuple):
        return invalid_fields(*parts)
    command = CreateProduct(
        ProductId(call.new_id(body.id)), body.name, parts.terms, parts.limits, body.is_offered
    )
    done = await call.carry_out(command, ProductView)
    if isinstance(done, Problem):
        return done
    return made(done, render_product(done.view), 201, f"/products/{done.view.product.id}")


async def list_products(call: Call) -> Outcome:
    """A page of the products, each in its latest version."""
    page = call.page()
    if isinstance(page, Problem):
        return page
    found = await call.ask(ListProducts(page), Page)
    return found if isinstance(found, Problem) else call.listed(found, render_product)


async def read_product(call: Call) -> Outcome:
    """A version of a product, by default the latest."""
    query = ReadProduct(ProductId(call.ids["product_id"]), call.query.get("version"))
    found = await call.ask(query, ProductView)
    if isinstance(found, Problem):
        return found
    return call.read_one(render_product(found), found.product.version)


async def replace_product(call: Call) -> Outcome:
    """Give a product a further version, which touches new loans only."""
    body = call.fields(ProductChangeBody)
    version = call.expected_version(body.version, required=True)
    if not isinstance(version, int):
        assert version is not None
        return version
    parts = body.parts(call.desk.doors.options.default_currency)
    if isinstance(parts, tuple):
        return invalid_fields(*parts)
    command = ReplaceProduct(
        ProductId(call.ids["product_id"]),
        version,
        body.name,
        parts.terms,
        parts.limits,
        body.is_offered,
    )
    done = await call.carry_out(command, ProductView)
    return done if isinstance(done, Problem) else made(done, render_product(done.view), 200)


PRODUCTS: Final = (
    Route(
        method="POST",
        path="/products/",
        handler=create_product,
        summary="Offer a product",
        tag="products",
        answers={201: ProductShape},
        body=ProductBody,
        body_limits=OF_TERMS,
        problems=(403, 409),
    ),
    Route(
        method="GET",
        path="/products/",
        handler=list_products,
        summary="The products",
        tag="products",
        answers={200: ProductList},
        query=PAGING,
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/products/{product_id}",
        handler=read_product,
        summary="One product",
        tag="products",
        answers={200: ProductShape},
        query=(VERSION,),
        tagged=True,
        problems=(403,),
    ),
    Route(
        method="PUT",
        path="/products/{product_id}",
        handler=replace_product,
        summary="Change a product",
        tag="products",
        answers={200: ProductShape},
        body=ProductChangeBody,
        body_limits=OF_TERMS,
        versioned=True,
        problems=(403,),
    ),
)

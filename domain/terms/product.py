"""A loan product: the terms that it proposes, and the limits within which they may be agreed.

A product has versions; a loan keeps the terms that it was made on, so that a change of the product
touches new loans only. Whether terms are possible at all is in `domain/terms/validation.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from domain.identifiers import ProductId
from domain.money import format_minor
from domain.rejections import FieldFault, Rejected, TermsRefusal
from domain.terms.terms import Terms
from domain.terms.validation import check_terms

# What is always agreed for the loan at hand; everything else is the product's unless it says so.
OWN_TO_A_LOAN: Final = frozenset(
    {"principal_minor", "annual_rate_percent", "instalments", "start_date", "first_due_date"}
)


@dataclass(frozen=True, slots=True)
class ProductLimits:
    """The least and the most of what a loan may have; None is no limit. Amounts in minor units.

    `negotiable` names the fields of `Terms` that a loan may have otherwise than the product.
    """

    principal_minor_min: int | None = None
    principal_minor_max: int | None = None
    annual_rate_percent_min: Decimal | None = None
    annual_rate_percent_max: Decimal | None = None
    instalments_min: int | None = None
    instalments_max: int | None = None
    negotiable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """A version of a product: `defaults` are whole terms, themselves within the limits."""

    id: ProductId
    version: int
    name: str
    defaults: Terms
    limits: ProductLimits
    is_offered: bool = True


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product as readers see it: one version of it, and since when there is the product."""

    product: Product
    created_at: datetime
    updated_at: datetime


def check_product(product: Product) -> tuple[FieldFault, ...]:
    """Everything that is wrong with a product; empty when loans can be made on it."""
    names = {field.name for field in fields(Terms)}
    unknown = tuple(
        FieldFault("/limits/negotiable", "unknown_field", f"{name} is no term to be negotiated")
        for name in product.limits.negotiable
        if name not in names or name == "currency"
    )
    limits = product.limits
    crossed = tuple(
        FieldFault(f"/limits/{name}", "out_of_order", "the least is above the most")
        for name, least, most in (
            ("principal", limits.principal_minor_min, limits.principal_minor_max),
            (
                "annual_rate_percent",
                limits.annual_rate_percent_min,
                limits.annual_rate_percent_max,
            ),
            ("instalments", limits.instalments_min, limits.instalments_max),
        )
        if least is not None and most is not None and least > most
    )
    own = tuple(
        FieldFault(f"/defaults/{name}", "own_to_a_loan", "is agreed for each loan")
        for name in ("start_date", "first_due_date")
        if getattr(product.defaults, name) is not None
    )
    impossible = _of_defaults(check_terms(product.defaults))
    faults = (*unknown, *crossed, *own, *impossible)
    return faults or _of_defaults(check_within(product, product.defaults))


def _of_defaults(faults: Iterable[FieldFault]) -> tuple[FieldFault, ...]:
    return tuple(replace(fault, pointer=f"/defaults{fault.pointer}") for fault in faults)


def outside_product(
    product_id: ProductId | None, product: Product | None, terms: Terms
) -> Rejected | None:
    """Refuse terms that are not those of the product on which the loan is said to be made."""
    if product_id is None:
        return None
    if product is None or product.id != product_id:
        fault = FieldFault("/product_id", "unknown_product", "names no product")
        return Rejected(TermsRefusal.OUTSIDE_PRODUCT, "There is no such product.", (fault,))
    faults = check_within(product, terms)
    if not faults:
        return None
    facts = {"product_id": str(product.id), "product_version": product.version}
    detail = f"The terms are not within the product {product.name}."
    return Rejected(TermsRefusal.OUTSIDE_PRODUCT, detail, faults, facts)


def not_offered(product: Product | None) -> Rejected | None:
    """Refuse a new loan on a product that is offered no more."""
    if product is None or product.is_offered:
        return None
    fault = FieldFault("/product_id", "not_offered", "is offered no more")
    return Rejected(TermsRefusal.OUTSIDE_PRODUCT, "The product is offered no more.", (fault,))


def changed_fields(before: Product, after: Product) -> tuple[str, ...]:
    """The fields of a product that differ, as callers know them; those of its parts by path."""
    told = [
        name for name in ("name", "is_offered") if getattr(before, name) != getattr(after, name)
    ]
    for part, old, new in (
        ("defaults", before.defaults, after.defaults),
        ("limits", before.limits, after.limits),
    ):
        told += [
            f"{part}.{name_of(field.name)}"
            for field in fields(old)
            if getattr(old, field.name) != getattr(new, field.name)
        ]
    return tuple(told)


def check_within(product: Product, terms: Terms) -> tuple[FieldFault, ...]:
    """Every way in which `terms` leave what the product allows; empty when they do not."""
    return (*_limit_faults(product, terms), *_fixed_faults(product, terms))


def _limit_faults(product: Product, terms: Terms) -> Iterator[FieldFault]:
    limits = product.limits
    currency = product.defaults.currency

    def money(minor: int | None) -> str | None:
        return None if minor is None else format_minor(minor, currency)

    yield from _between(
        "/principal",
        (terms.principal_minor, limits.principal_minor_min, limits.principal_minor_max),
        (money(limits.principal_minor_min), money(limits.principal_minor_max)),
    )
    least, most = limits.annual_rate_percent_min, limits.annual_rate_percent_max
    yield from _between(
        "/annual_rate_percent", (terms.annual_rate_percent, least, most), (least, most)
    )
    fewest, greatest = limits.instalments_min, limits.instalments_max
    yield from _between("/instalments", (terms.instalments, fewest, greatest), (fewest, greatest))


def _between(
    pointer: str,
    given: tuple[Decimal | int, Decimal | int | None, Decimal | int | None],
    shown: tuple[object, object],
) -> Iterator[FieldFault]:
    value, least, most = given
    if least is not None and value < least:
        yield FieldFault(pointer, "outside_product", f"the product asks for at least {shown[0]}")
    if most is not None and value > most:
        yield FieldFault(pointer, "outside_product", f"the product allows at most {shown[1]}")


def _fixed_faults(product: Product, terms: Terms) -> Iterator[FieldFault]:
    free = OWN_TO_A_LOAN | set(product.limits.negotiable)
    for field in fields(Terms):
        if field.name in free:
            continue
        if getattr(terms, field.name) != getattr(product.defaults, field.name):
            pointer = f"/{name_of(field.name)}"
            yield FieldFault(pointer, "outside_product", "is fixed by the product")


def name_of(field: str) -> str:
    """How callers know a field of `Terms`: amounts are not said in minor units."""
    return field.removesuffix("_minor")

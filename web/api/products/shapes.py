"""Shapes of loan products: the terms that they propose, and the limits that loans keep to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import Field

from domain.identifiers import ProductId
from domain.money import format_minor, minor_exactly
from domain.rejections import FieldFault
from domain.terms.idle_terms import idle_notes
from domain.terms.product import Product, ProductLimits, ProductView, name_of
from domain.terms.terms import Terms
from web.api.terms.bodies import TermsBody
from web.api.terms.shapes import TermsShape, render_terms
from web.requests.fields import (
    AmountField,
    Id,
    Instant,
    LabelField,
    Money,
    NameField,
    PercentField,
    Rate,
    RequestShape,
    ResponseShape,
    UuidField,
    VersionField,
)

Count = Annotated[int, Field(ge=1, le=600)]
NEGOTIABLE_MAX: Final = 60
_FIELDS: Final = {name_of(name): name for name in Terms.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class ProductParts:
    """What a product consists of beside its name."""

    terms: Terms
    limits: ProductLimits


class AmountRange(RequestShape):
    """The least and the most of an amount; what is left out has no limit."""

    min: AmountField | None = None
    max: AmountField | None = None


class PercentRange(RequestShape):
    """The least and the most of a rate."""

    min: PercentField | None = None
    max: PercentField | None = None


class CountRange(RequestShape):
    """The least and the most of a count."""

    min: Count | None = None
    max: Count | None = None


class LimitsBody(RequestShape):
    """What a loan may have otherwise than the product: within ranges, and the terms named.

    Principal, rate, instalments and dates are always the loan's own.
    """

    principal: AmountRange = AmountRange()
    annual_rate_percent: PercentRange = PercentRange()
    instalments: CountRange = CountRange()
    negotiable: Annotated[list[LabelField], Field(max_length=NEGOTIABLE_MAX)] | None = None


class ProductBody(RequestShape):
    """A product. `id` may be made by the client."""

    name: NameField
    defaults: TermsBody
    limits: LimitsBody = LimitsBody()
    is_offered: bool = True
    id: UuidField | None = None

    def parts(self, default_currency: str) -> ProductParts | tuple[FieldFault, ...]:
        """Terms and limits as the domain knows them, or what cannot be in their currency."""
        return _parts(self.defaults, self.limits, default_currency)


class ProductChangeBody(RequestShape):
    """What a product now is, whole. `version` may stand here or in If-Match."""

    name: NameField
    defaults: TermsBody
    limits: LimitsBody = LimitsBody()
    is_offered: bool = True
    version: VersionField | None = None

    def parts(self, default_currency: str) -> ProductParts | tuple[FieldFault, ...]:
        """Terms and limits as the domain knows them, or what cannot be in their currency."""
        return _parts(self.defaults, self.limits, default_currency)


class MoneyRange(ResponseShape):
    """The least and the most of an amount."""

    min: Money | None
    max: Money | None


class RateRange(ResponseShape):
    """The least and the most of a rate."""

    min: Rate | None
    max: Rate | None


class InstalmentRange(ResponseShape):
    """The least and the most of a count."""

    min: int | None
    max: int | None


class LimitsShape(ResponseShape):
    """What a loan may have otherwise than the product."""

    principal: MoneyRange
    annual_rate_percent: RateRange
    instalments: InstalmentRange
    negotiable: list[str]


class ProductShape(ResponseShape):
    """A version of a product."""

    id: Id
    version: int
    name: str
    is_offered: bool
    defaults: TermsShape
    limits: LimitsShape
    notes: list[str]
    created_at: Instant
    updated_at: Instant


class ProductList(ResponseShape):
    """A page of products."""

    items: list[ProductShape]
    next_cursor: str | None
    total: int | None = None


def render_product(view: ProductView) -> dict[str, object]:
    """A version of a product as JSON."""
    product = view.product
    return {
        "id": ProductId(product.id),
        "version": product.version,
        "name": product.name,
        "is_offered": product.is_offered,
        "defaults": render_terms(product.defaults),
        "limits": render_limits(product),
        "notes": idle_notes(product.defaults),
        "created_at": view.created_at,
        "updated_at": view.updated_at,
    }


def render_limits(product: Product) -> dict[str, object]:
    """The limits of a product as JSON."""
    limits, currency = product.limits, product.defaults.currency

    def money(minor: int | None) -> str | None:
        return None if minor is None else format_minor(minor, currency)

    def rate(percent: Decimal | None) -> str | None:
        return None if percent is None else format(percent, "f")

    return {
        "principal": {
            "min": money(limits.principal_minor_min),
            "max": money(limits.principal_minor_max),
        },
        "annual_rate_percent": {
            "min": rate(limits.annual_rate_percent_min),
            "max": rate(limits.annual_rate_percent_max),
        },
        "instalments": {"min": limits.instalments_min, "max": limits.instalments_max},
        "negotiable": [name_of(name) for name in limits.negotiable],
    }


def _parts(
    defaults: TermsBody, limits: LimitsBody, default_currency: str
) -> ProductParts | tuple[FieldFault, ...]:
    terms = defaults.terms(default_currency)
    if not isinstance(terms, Terms):
        return tuple(
            FieldFault(f"/defaults{fault.pointer}", fault.code, fault.detail) for fault in terms
        )
    ends: dict[str, Any] = {}
    faults: list[FieldFault] = []
    for end in ("min", "max"):
        amount = getattr(limits.principal, end)
        minor = None if amount is None else minor_exactly(amount, terms.currency)
        ends[f"principal_minor_{end}"] = minor
        if amount is not None and minor is None:
            detail = "has more digits than its currency, or is too large"
            faults.append(FieldFault(f"/limits/principal/{end}", "bad_amount", detail))
        ends[f"annual_rate_percent_{end}"] = getattr(limits.annual_rate_percent, end)
        ends[f"instalments_{end}"] = getattr(limits.instalments, end)
    if faults:
        return tuple(faults)
    negotiable = tuple(_FIELDS.get(name, name) for name in limits.negotiable or ())
    return ProductParts(terms, ProductLimits(**ends, negotiable=negotiable))

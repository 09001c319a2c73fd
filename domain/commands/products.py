"""What may be asked of the lender's products: imperative, frozen; and what becomes of them.

A product is never changed: it gets a further version, and loans keep the one they were made on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain.identifiers import ProductId
from domain.rejections import ProductRefusal, Rejected, VersionRefusal
from domain.terms.idle_terms import idle_faults, not_charged
from domain.terms.product import Product, ProductLimits, changed_fields, check_product
from domain.terms.terms import Terms


@dataclass(frozen=True, slots=True)
class CreateProduct:
    """Offer a product."""

    product_id: ProductId
    name: str
    defaults: Terms
    limits: ProductLimits
    is_offered: bool = True


@dataclass(frozen=True, slots=True)
class ReplaceProduct:
    """Give a product a further version, if the caller has seen the latest."""

    product_id: ProductId
    expected_version: int
    name: str
    defaults: Terms
    limits: ProductLimits
    is_offered: bool = True


ProductCommand = CreateProduct | ReplaceProduct


def create_product(command: CreateProduct) -> Product | Rejected:
    """The first version of a product; refused, with every fault at once, when it makes no sense."""
    return _sound(_version_of(command, 1))


def replace_product(
    now: Product, seen: Product | None, command: ReplaceProduct
) -> Product | Rejected:
    """The version after `now`; `seen` is the one that the caller expects, None if never there was.

    A product that stays as it is gets no version. Its currency never changes.
    """
    if command.expected_version != now.version:
        facts: dict[str, object] = {"version": now.version}
        if seen is not None:
            facts["changed"] = list(changed_fields(seen, now))
        detail = "The product has changed since you read it."
        return Rejected(VersionRefusal.STALE, detail, facts=facts)
    if command.defaults.currency != now.defaults.currency:
        detail = "A product stays in its currency; make another one."
        return Rejected(ProductRefusal.OTHER_CURRENCY, detail)
    after = _version_of(command, now.version + 1)
    return now if not changed_fields(now, after) else _sound(after)


def _version_of(command: ProductCommand, version: int) -> Product:
    return Product(
        id=command.product_id,
        version=version,
        name=command.name,
        defaults=command.defaults,
        limits=command.limits,
        is_offered=command.is_offered,
    )


def _sound(product: Product) -> Product | Rejected:
    faults = check_product(product) or (
        *(
            replace(fault, pointer=f"/defaults{fault.pointer}")
            for fault in idle_faults(product.defaults)
        ),
        *not_charged(product.limits.negotiable),
    )
    if not faults:
        return product
    return Rejected(
        ProductRefusal.IMPOSSIBLE_PRODUCT, "No loan could be made on this product.", faults
    )

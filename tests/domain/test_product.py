"""A product's terms and limits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from domain.identifiers import ProductId
from domain.terms.product import Product, ProductLimits, check_product, check_within
from domain.terms.terms import InterestMethod
from tests.domain.lending_scenes import TWELVE_MONTHS

LIMITS = ProductLimits(
    principal_minor_min=100_000,
    principal_minor_max=900_000,
    annual_rate_percent_min=Decimal(6),
    annual_rate_percent_max=Decimal(18),
    instalments_min=6,
    instalments_max=24,
    negotiable=("interest_method",),
)
PRODUCT = Product(ProductId(UUID(int=1)), 1, "Small loan", TWELVE_MONTHS, LIMITS)


def codes(terms: object) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in check_within(PRODUCT, terms)]


def test_what_lies_within_the_limits_is_allowed() -> None:
    assert check_product(PRODUCT) == ()
    assert codes(replace(TWELVE_MONTHS, principal_minor=900_000, instalments=6)) == []
    assert codes(replace(TWELVE_MONTHS, interest_method=InterestMethod.FLAT)) == []


def test_every_limit_that_is_passed_is_named() -> None:
    terms = replace(
        TWELVE_MONTHS, principal_minor=99_999, annual_rate_percent=Decimal(19), instalments=25
    )
    assert codes(terms) == [
        ("/principal", "outside_product"),
        ("/annual_rate_percent", "outside_product"),
        ("/instalments", "outside_product"),
    ]
    assert "1000.00" in check_within(PRODUCT, terms)[0].detail


def test_what_is_not_negotiable_is_the_product_s() -> None:
    assert codes(replace(TWELVE_MONTHS, grace_on_principal_payment=2)) == [
        ("/grace_on_principal_payment", "outside_product")
    ]


def test_a_product_that_refuses_its_own_terms_is_none() -> None:
    narrow = replace(PRODUCT, limits=replace(LIMITS, instalments_max=10))
    assert [fault.pointer for fault in check_product(narrow)] == ["/defaults/instalments"]
    crossed = replace(PRODUCT, limits=replace(LIMITS, instalments_min=30))
    assert "/limits/instalments" in [fault.pointer for fault in check_product(crossed)]
    strange = replace(PRODUCT, limits=replace(LIMITS, negotiable=("moon",)))
    assert [fault.code for fault in check_product(strange)] == ["unknown_field"]


def test_a_fixed_amount_is_named_as_callers_say_it() -> None:
    assert codes(replace(TWELVE_MONTHS, closing_tolerance_minor=50)) == [
        ("/closing_tolerance", "outside_product")
    ]

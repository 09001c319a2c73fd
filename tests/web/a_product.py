"""A product and the bodies that make and change it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.commands.products import CreateProduct, ReplaceProduct
from domain.identifiers import ProductId
from domain.loan.decision import Committed
from domain.queries import ListProducts, ReadProduct
from domain.reports.views import Page
from domain.terms.product import Product, ProductLimits, ProductView
from domain.terms.terms import Terms
from tests.web.standins import NOW
from web.api.terms.bodies import TermsBody
from web.requests.fields import DEFAULT_CURRENCY

PRODUCT_ID = ProductId(UUID(int=(0x7 << 76) | (0x8 << 60) | 77))
DEFAULTS: dict[str, Any] = {
    "principal": "1000.00",
    "currency": "EUR",
    "annual_rate_percent": "12",
    "instalments": 12,
    "frequency": {"every": 1, "unit": "MONTHS"},
    "instalment_fees": [{"percent": "1"}, {"amount": "2.00", "kind": "penalty"}],
    "delinquency_buckets": [["1-30", 1, 30]],
}
BODY: dict[str, Any] = {
    "name": "Small loan",
    "defaults": DEFAULTS,
    "limits": {"principal": {"min": "500.00"}, "negotiable": ["closing_tolerance"]},
}
_TERMS = TermsBody.model_validate(DEFAULTS, context={DEFAULT_CURRENCY: "EUR"}).terms("EUR")
assert isinstance(_TERMS, Terms)
LIMITS = ProductLimits(principal_minor_min=50_000, negotiable=("closing_tolerance_minor",))
PRODUCT = ProductView(Product(PRODUCT_ID, 4, "Small loan", _TERMS, LIMITS), NOW, NOW)
ANSWERS: dict[type, object] = {
    CreateProduct: Committed(PRODUCT),
    ReplaceProduct: Committed(PRODUCT),
    ReadProduct: PRODUCT,
    ListProducts: Page((PRODUCT,), None),
}

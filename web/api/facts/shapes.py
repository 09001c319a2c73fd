"""What is kept of events and in the audit trail, as every other answer has it.

Amounts are decimal texts under names without their unit, terms and products are what their own
routes show. What was kept under older names is read as well: nothing here is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from domain.money import format_minor
from domain.terms.product import Product
from domain.terms.terms import Terms
from web.api.products.shapes import render_limits
from web.api.terms.shapes import render_terms

_MINOR: Final = "_minor"


def render_facts(kept: Mapping[str, Any], currency: str | None) -> dict[str, object]:
    """The JSON values of a fact; its amounts are of `currency` unless it has one itself."""
    own = kept.get("currency", currency)
    if "defaults" in kept and "limits" in kept:
        product = msgspec.convert(kept, Product)
        shown = {"defaults": render_terms(product.defaults), "limits": render_limits(product)}
        return {**kept, **shown}
    return dict(_rendered(name, value, own) for name, value in kept.items())


def _rendered(name: str, value: Any, currency: str | None) -> tuple[str, object]:
    if name == "terms":
        return name, render_terms(msgspec.convert(value, Terms))
    if name.endswith(_MINOR):
        return name.removesuffix(_MINOR), _amount(value, currency)
    return name, _value(value, currency)


def _value(value: Any, currency: str | None) -> object:
    if isinstance(value, dict):
        return render_facts(value, currency)
    if isinstance(value, (list, tuple)):
        return [_value(one, currency) for one in value]
    return value


def _amount(minor: Any, currency: str | None) -> str | None:
    """An amount, which a repair keeps as text; None where the trail does not say of what."""
    if minor is None or currency is None:
        return None
    return format_minor(int(minor), currency)

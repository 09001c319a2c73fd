"""The terms of a loan as they come in: for applications, amendments, products and quotes alike.

What does not fit together is told by the domain (`check_terms`); here every field is read strictly,
and what was left out is filled from the product, or else is as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from domain.money import minor_exactly
from domain.rejections import FieldFault
from domain.terms import choices
from domain.terms.terms import (
    INSTALMENTS_MAX,
    Amortization,
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)
from web.api.terms.list_fields import (
    AllocationStepField,
    BucketField,
    DisbursementFeeBody,
    InstalmentFeeBody,
    RoundingField,
    disbursement_fees_of,
    fees_of,
)
from web.requests.fields import (
    DEFAULT_CURRENCY,
    AmountField,
    AmountOrNothingField,
    CurrencyField,
    DateField,
    LabelField,
    PercentField,
    RequestShape,
    UuidField,
)

_TOO_MANY_DIGITS: Final = "has more digits than its currency, or is too large"
_ALWAYS_SAID: Final = ("principal", "annual_rate_percent", "instalments", "frequency")
_AMOUNTS: Final = (
    "principal",
    "fixed_instalment",
    "instalment_multiple",
    "interest_multiple",
    "closing_tolerance",
)
Count = Annotated[int, Field(ge=0, le=INSTALMENTS_MAX)]


class FrequencyBody(RequestShape):
    """An instalment falls due every `every` units."""

    every: Annotated[int, Field(ge=1, le=366)]
    unit: Annotated[FrequencyUnit, Field(strict=False)]


class OnProduct(RequestShape):
    """The product that terms are made on: named last among the bases, it is read first."""

    product_id: UuidField | None = None


class TermsBody(RequestShape):
    """The terms of a loan. Without `currency` it is the product's, or else the node's default."""

    # Declared before the amounts, whose digits depend on it.
    currency: Annotated[CurrencyField | None, Field(validate_default=False)] = None
    principal: Annotated[AmountField | None, Field(validate_default=True)] = None
    annual_rate_percent: Annotated[PercentField | None, Field(validate_default=True)] = None
    fixed_instalment: AmountField | None = None
    instalments: Annotated[
        Annotated[int, Field(ge=1, le=INSTALMENTS_MAX)] | None, Field(validate_default=True)
    ] = None
    frequency: Annotated[FrequencyBody | None, Field(validate_default=True)] = None
    interest_method: Annotated[InterestMethod | None, Field(strict=False)] = None
    amortization: Annotated[Amortization | None, Field(strict=False)] = None
    interest_calc_period: Annotated[InterestCalcPeriod | None, Field(strict=False)] = None
    days_in_month: Annotated[DaysInMonth | None, Field(strict=False)] = None
    days_in_year: Annotated[DaysInYear | None, Field(strict=False)] = None
    start_date: DateField | None = None
    first_due_date: DateField | None = None
    instalment_formula: Annotated[choices.InstalmentFormula | None, Field(strict=False)] = None
    instalment_multiple: AmountField | None = None
    instalment_rounding: RoundingField | None = None
    instalment_rate_basis: Annotated[choices.InstalmentRateBasis | None, Field(strict=False)] = None
    instalment_from: Annotated[choices.InstalmentFrom | None, Field(strict=False)] = None
    interest_multiple: AmountField | None = None
    month_end_strategy: Annotated[choices.MonthEndStrategy | None, Field(strict=False)] = None
    grace_on_principal_payment: Count | None = None
    grace_on_interest_payment: Count | None = None
    interest_free_periods: Count | None = None
    broken_period: Annotated[choices.BrokenPeriod | None, Field(strict=False)] = None
    holiday_rule: Annotated[choices.HolidayRule | None, Field(strict=False)] = None
    holiday_calendar: LabelField | None = None
    down_payment_percent: PercentField | None = None
    down_payment_auto: bool | None = None
    recalculation_rest: Annotated[choices.RecalculationRest | None, Field(strict=False)] = None
    recalculation_compounding: Annotated[
        choices.RecalculationCompounding | None, Field(strict=False)
    ] = None
    accrues_after_maturity: bool | None = None
    advance_payment_strategy: Annotated[
        choices.AdvancePaymentStrategy | None, Field(strict=False)
    ] = None
    allocation_strategy: Annotated[choices.AllocationStrategy | None, Field(strict=False)] = None
    allocation_order: Annotated[list[AllocationStepField], Field(max_length=12)] | None = None
    future_instalment_rule: Annotated[choices.FutureInstalmentRule | None, Field(strict=False)] = (
        None
    )
    preclosure_interest: Annotated[choices.PreclosureInterest | None, Field(strict=False)] = None
    penalty_rate_percent: PercentField | None = None
    penalty_days: Annotated[choices.DayCounting | None, Field(strict=False)] = None
    penalty_base: Annotated[choices.PenaltyBase | None, Field(strict=False)] = None
    dpd_count: Annotated[choices.DayCounting | None, Field(strict=False)] = None
    delinquency_grace_days: Annotated[int, Field(ge=0, le=366)] | None = None
    delinquency_buckets: Annotated[list[BucketField], Field(max_length=20)] | None = None
    closing_tolerance: AmountOrNothingField | None = None
    instalment_fees: Annotated[list[InstalmentFeeBody], Field(max_length=10)] | None = None
    tranches_max: Annotated[int, Field(ge=1, le=100)] | None = None
    disbursement_fees: Annotated[list[DisbursementFeeBody], Field(max_length=10)] | None = None

    @field_validator(*_ALWAYS_SAID)
    @classmethod
    def _said(cls, value: object, info: ValidationInfo[Any]) -> object:
        """What has no usual value must be said, unless a product says it."""
        if value is None and info.data.get("product_id") is None:
            counted = info.field_name == "instalments" and info.data.get("fixed_instalment")
            if not counted:
                raise PydanticCustomError("missing", "is required")
        return value

    @field_validator(*_AMOUNTS)
    @classmethod
    def _has_the_currency_s_digits(
        cls, amount: Decimal | None, info: ValidationInfo[Any]
    ) -> Decimal | None:
        if amount is None or "currency" not in info.data:
            return amount
        currency = info.data["currency"]
        if currency is None:
            if info.data.get("product_id") is not None:
                return amount  # in the product's currency, which is not known here
            currency = info.context[DEFAULT_CURRENCY]
        if minor_exactly(amount, currency) is None:
            raise PydanticCustomError("bad_amount", _TOO_MANY_DIGITS)
        return amount

    def terms(
        self, default_currency: str, product: Terms | None = None
    ) -> Terms | tuple[FieldFault, ...]:
        """The terms as the domain knows them; `product` fills what was left out.

        Answers with what cannot be in the currency that they are in.
        """
        usual = default_currency if product is None else product.currency
        currency = self.currency or usual
        faults: list[FieldFault] = []
        said: dict[str, Any] = {"currency": currency}
        for name in TermsBody.model_fields:
            value = getattr(self, name)
            if value is None or name == "currency":
                continue
            if name in _AMOUNTS:
                minor = minor_exactly(value, currency)
                if minor is None:
                    faults.append(FieldFault(f"/{name}", "bad_amount", _TOO_MANY_DIGITS))
                said[f"{name}_minor"] = minor
            elif name in _READ:
                said[name] = _READ[name](value)
            elif name in _FEES:
                said[name], wrong = _FEES[name](value, currency)
                faults.extend(wrong)
            else:
                said[name] = value
        if faults:
            return tuple(faults)
        _follow(said)
        return Terms(**said) if product is None else replace(product, **said)


class LoanTermsBody(TermsBody, OnProduct):
    """The terms of a loan that may be made on a product, which says what is left out."""


def _follow(said: dict[str, Any]) -> None:
    """Say what follows from what was said: of a fixed instalment, and of the formula."""
    if "fixed_instalment_minor" in said:
        said.setdefault("amortization", Amortization.FIXED_INSTALMENT)
        said.setdefault("instalments", INSTALMENTS_MAX)
    if said.get("instalment_formula") is choices.InstalmentFormula.PROGRESSIVE:
        said.setdefault("interest_calc_period", InterestCalcPeriod.DAILY)


_FEES: Final[Mapping[str, Callable[[Any, str], tuple[object, list[FieldFault]]]]] = {
    "instalment_fees": fees_of,
    "disbursement_fees": disbursement_fees_of,
}
_READ: Final[Mapping[str, Callable[[Any], object]]] = {
    "frequency": lambda value: Frequency(value.every, value.unit),
    "allocation_order": tuple,
    "delinquency_buckets": tuple,
}

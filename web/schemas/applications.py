"""Shapes of what is asked about loans: applications, amendments, decisions and disbursements."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from domain.money import minor_exactly
from domain.terms import (
    Amortization,
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)
from web.schemas.fields import (
    AmountField,
    CurrencyField,
    DateField,
    PercentField,
    RequestShape,
    TextField,
    UuidField,
    VersionField,
)

# The name under which the node's currency is handed to the validation.
DEFAULT_CURRENCY: Final = "default_currency"


class FrequencyBody(RequestShape):
    """An instalment falls due every `every` units."""

    every: Annotated[int, Field(ge=1, le=366)]
    unit: Annotated[FrequencyUnit, Field(strict=False)]


class TermsBody(RequestShape):
    """The terms of a loan. Without `currency` it is the node's default."""

    # Declared before the amount, whose digits depend on it.
    currency: Annotated[CurrencyField | None, Field(validate_default=False)] = None
    principal: AmountField
    annual_rate_percent: PercentField
    instalments: Annotated[int, Field(ge=1, le=600)]
    frequency: FrequencyBody
    interest_method: Annotated[InterestMethod, Field(strict=False)] = (
        InterestMethod.DECLINING_BALANCE
    )
    amortization: Annotated[Amortization, Field(strict=False)] = Amortization.EQUAL_INSTALLMENTS
    interest_calc_period: Annotated[InterestCalcPeriod, Field(strict=False)] = (
        InterestCalcPeriod.SAME_AS_REPAYMENT_PERIOD
    )
    days_in_month: Annotated[DaysInMonth, Field(strict=False)] = DaysInMonth.ACTUAL
    days_in_year: Annotated[DaysInYear, Field(strict=False)] = DaysInYear.D365
    start_date: DateField | None = None
    first_due_date: DateField | None = None
    purpose: TextField | None = None

    @field_validator("principal")
    @classmethod
    def _has_the_currency_s_digits(cls, principal: Decimal, info: ValidationInfo[Any]) -> Decimal:
        if "currency" not in info.data:
            return principal
        currency = info.data["currency"] or info.context[DEFAULT_CURRENCY]
        if minor_exactly(principal, currency) is None:
            raise PydanticCustomError(
                "bad_amount", "has more digits than its currency, or is too large"
            )
        return principal

    def terms(self, default_currency: str) -> Terms:
        """The terms as the domain knows them."""
        currency = self.currency or default_currency
        principal_minor = minor_exactly(self.principal, currency)
        assert principal_minor is not None
        return Terms(
            principal_minor=principal_minor,
            currency=currency,
            annual_rate_percent=self.annual_rate_percent,
            instalments=self.instalments,
            frequency=Frequency(self.frequency.every, self.frequency.unit),
            interest_method=self.interest_method,
            amortization=self.amortization,
            interest_calc_period=self.interest_calc_period,
            days_in_month=self.days_in_month,
            days_in_year=self.days_in_year,
            start_date=self.start_date,
            first_due_date=self.first_due_date,
        )


class ApplicationBody(TermsBody):
    """An application for a loan; `id` may be made by the client, so that it can work offline."""

    customer_id: UuidField
    branch_id: UuidField | None = None
    product_id: UuidField | None = None
    id: UuidField | None = None


class AmendmentBody(TermsBody):
    """The terms that an application now has, whole. `version` may stand here or in If-Match."""

    version: VersionField | None = None


class ApprovalBody(RequestShape):
    """A note beside an approval."""

    note: TextField | None = None


class RejectionBody(RequestShape):
    """Why an application is rejected."""

    reason: TextField


class DisbursementBody(RequestShape):
    """How much is paid out (all), and when (today)."""

    amount: AmountField | None = None
    date: DateField | None = None
    id: UuidField | None = None

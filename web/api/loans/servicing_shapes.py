"""Shapes of what is asked of a loan that is out: charges, other plans, write-off, undoing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from domain.terms.choices import ChargeBase, ChargeKind
from web.api.terms.bodies import FrequencyBody
from web.requests.fields import (
    AmountField,
    DateField,
    LabelField,
    PercentField,
    RequestShape,
    TextField,
    UuidField,
)


class UndoDisbursalBody(RequestShape):
    """Which disbursement is taken back; the latest one unless it is named."""

    disbursement_id: UuidField | None = None


class _AmountOrPercent(RequestShape):
    """What is asked for: an `amount`, or `percent` of `base`; never both."""

    amount: AmountField | None = None
    percent: PercentField | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> _AmountOrPercent:
        if (self.percent is None) == (self.amount is None):
            raise PydanticCustomError("bad_value", "must have either amount or percent")
        return self


class ChargeBody(_AmountOrPercent):
    """A fee or a penalty, due on `due_date` (today); per cent is of what the schedule asks for."""

    kind: Annotated[ChargeKind, Field(strict=False)] = ChargeKind.FEE
    base: Annotated[ChargeBase, Field(strict=False)] = ChargeBase.PRINCIPAL
    due_date: DateField | None = None
    id: UuidField | None = None


class OverdueBody(_AmountOrPercent):
    """A penalty on each overdue instalment, once; per cent is of what is unpaid of it."""

    base: Annotated[ChargeBase, Field(strict=False)] = ChargeBase.PRINCIPAL_AND_INTEREST


class WaiverBody(RequestShape):
    """What is no longer asked for: what is unpaid of a charge, or an amount of interest."""

    charge_id: UuidField | None = None
    interest: AmountField | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> WaiverBody:
        if (self.charge_id is None) == (self.interest is None):
            raise PydanticCustomError("bad_value", "must have either charge_id or interest")
        return self


class RateChangeBody(RequestShape):
    """Another rate from the day `effective` on, which may have passed or be to come."""

    effective: DateField
    annual_rate_percent: PercentField


class RescheduleBody(RequestShape):
    """Another rate for the instalments due on or after `from_date`."""

    from_date: DateField
    annual_rate_percent: PercentField


class ReAgeBody(RequestShape):
    """New instalments of all that is unpaid, the first of them due on `start_date`."""

    start_date: DateField
    frequency: FrequencyBody
    instalments: Annotated[int, Field(ge=1, le=600)]


class WriteOffBody(RequestShape):
    """Why hope is given up."""

    reason: TextField | None = None


class ReceiptBody(RequestShape):
    """Money that came in on a loan. `id` may be made by the client."""

    amount: AmountField
    value_date: DateField | None = None
    method: LabelField | None = None
    reference: LabelField | None = None
    id: UuidField | None = None


class PayoffBody(RequestShape):
    """What ends the loan on `value_date` (today); without an amount, what it takes."""

    amount: AmountField | None = None
    value_date: DateField | None = None
    method: LabelField | None = None
    reference: LabelField | None = None
    id: UuidField | None = None


class RefundBody(RequestShape):
    """What goes back of the credit; all of it unless an amount is given."""

    amount: AmountField | None = None

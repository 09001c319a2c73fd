"""The parts of terms that are lists: orders of allocation, buckets of lateness, fees."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from domain.invisible import is_invisible
from domain.money import minor_exactly
from domain.rejections import FieldFault
from domain.terms.choices import (
    ChargeBase,
    ChargeKind,
    Component,
    DueBucket,
    FeeCollection,
    InstalmentRounding,
)
from domain.terms.terms import DelinquencyBucket, DisbursementFee, InstalmentFee
from web.requests.faults import told_as_one_of
from web.requests.fields import AmountField, PercentField, RequestShape

BUCKET_NAME_CHARS_MAX: Final = 40
DAYS_MAX: Final = 100_000

_STEPS: Final = {
    f"{bucket}_{component}": (bucket, component) for bucket in DueBucket for component in Component
}
_BUCKET_PARTS: Final = 3


def _step(value: Any) -> tuple[DueBucket, Component]:
    name = "_".join(value) if isinstance(value, list) and _are_texts(value) else value
    if not isinstance(name, str) or name not in _STEPS:
        raise PydanticCustomError("not_one_of", f"must be {told_as_one_of(_STEPS)}")
    return _STEPS[name]


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _bucket(value: Any) -> DelinquencyBucket:
    if not isinstance(value, list) or len(value) != _BUCKET_PARTS:
        raise PydanticCustomError("bad_value", "must be a name, a first day and a last one or null")
    name, first, last = value
    if not isinstance(name, str) or len(name) > BUCKET_NAME_CHARS_MAX or is_invisible(name):
        raise PydanticCustomError("bad_value", "must begin with a name")
    if not _is_days(first) or not (last is None or _is_days(last)):
        raise PydanticCustomError("bad_value", "must have days as whole numbers behind its name")
    return DelinquencyBucket(name, first, last)


def _is_days(value: Any) -> bool:
    return type(value) is int and 0 <= value <= DAYS_MAX


def _rounding(value: Any) -> InstalmentRounding:
    if not isinstance(value, str) or value not in InstalmentRounding.__members__:
        allowed = told_as_one_of(InstalmentRounding.__members__)
        raise PydanticCustomError("not_one_of", f"must be {allowed}")
    return InstalmentRounding[value]


AllocationStepField = Annotated[
    tuple[DueBucket, Component],
    BeforeValidator(_step),
    WithJsonSchema({"type": "string", "enum": list(_STEPS)}),
]
BucketField = Annotated[
    DelinquencyBucket,
    BeforeValidator(_bucket),
    WithJsonSchema(
        {
            "type": "array",
            "prefixItems": [
                {"type": "string", "minLength": 1, "maxLength": BUCKET_NAME_CHARS_MAX},
                {"type": "integer", "minimum": 0, "maximum": DAYS_MAX},
                {"type": ["integer", "null"], "minimum": 0, "maximum": DAYS_MAX},
            ],
            # For readers that do not know prefixItems (JSON Schema 2020-12).
            "items": {"type": ["string", "integer", "null"]},
            "minItems": _BUCKET_PARTS,
            "maxItems": _BUCKET_PARTS,
            "examples": [["1-30", 1, 30]],
        }
    ),
]
RoundingField = Annotated[
    InstalmentRounding,
    BeforeValidator(_rounding),
    WithJsonSchema({"type": "string", "enum": list(InstalmentRounding.__members__)}),
]


class InstalmentFeeBody(RequestShape):
    """A charge on each instalment: `percent` of its `base`, or an `amount`; never both."""

    kind: Annotated[ChargeKind, Field(strict=False)] = ChargeKind.FEE
    percent: PercentField | None = None
    base: Annotated[ChargeBase, Field(strict=False)] = ChargeBase.PRINCIPAL_AND_INTEREST
    amount: AmountField | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> InstalmentFeeBody:
        if (self.percent is None) == (self.amount is None):
            raise PydanticCustomError("bad_value", "must have either percent or amount")
        return self


class DisbursementFeeBody(RequestShape):
    """A fee on money that goes out: `percent` of each sum, or an `amount` with the first.

    NET_OFF is withheld of the sum; DUE is a charge, due that day.
    """

    percent: PercentField | None = None
    amount: AmountField | None = None
    collection: Annotated[FeeCollection, Field(strict=False)] = FeeCollection.NET_OFF

    @model_validator(mode="after")
    def _one_of_both(self) -> DisbursementFeeBody:
        if (self.percent is None) == (self.amount is None):
            raise PydanticCustomError("bad_value", "must have either percent or amount")
        return self


def fees_of(
    bodies: Iterable[InstalmentFeeBody], currency: str
) -> tuple[tuple[InstalmentFee, ...], list[FieldFault]]:
    """The fees on each instalment, and what of them cannot be in `currency`."""
    amounts, faults = _amounts("instalment_fees", bodies := tuple(bodies), currency)
    fees = [
        InstalmentFee(body.kind, body.percent, body.base, minor)
        for body, minor in zip(bodies, amounts, strict=True)
    ]
    return tuple(fees), faults


def disbursement_fees_of(
    bodies: Iterable[DisbursementFeeBody], currency: str
) -> tuple[tuple[DisbursementFee, ...], list[FieldFault]]:
    """The fees on money that goes out, and what of them cannot be in `currency`."""
    amounts, faults = _amounts("disbursement_fees", bodies := tuple(bodies), currency)
    fees = [
        DisbursementFee(body.percent, minor, body.collection)
        for body, minor in zip(bodies, amounts, strict=True)
    ]
    return tuple(fees), faults


def _amounts(
    name: str, bodies: Iterable[InstalmentFeeBody | DisbursementFeeBody], currency: str
) -> tuple[list[int], list[FieldFault]]:
    """The amount of each fee in minor units, nothing where it is in per cent; what cannot be."""
    amounts: list[int] = []
    faults: list[FieldFault] = []
    for at, body in enumerate(bodies):
        minor = 0 if body.amount is None else minor_exactly(body.amount, currency)
        if minor is None:
            detail = "has more digits than its currency, or is too large"
            faults.append(FieldFault(f"/{name}/{at}/amount", "bad_amount", detail))
        amounts.append(minor or 0)
    return amounts, faults

"""Shapes of what is supposed: scenarios of hypothetical events, told apart by their type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag

from domain.identifiers import PaymentId
from domain.simulation import hypotheses as supposed
from domain.simulation.hypotheses import Supposition
from domain.terms.choices import ChargeKind
from domain.terms.terms import INSTALMENTS_MAX, Frequency
from web.api.terms.bodies import FrequencyBody
from web.requests.faults import TAGGED
from web.requests.fields import (
    AmountField,
    DateField,
    LabelField,
    PercentField,
    RequestShape,
    UuidField,
)

SCENARIOS_MAX: Final = 10
EVENTS_MAX: Final = 50


class SupposedPrepay(RequestShape):
    """Money comes in beside what falls due."""

    type: Literal["prepay"]
    date: DateField
    amount: AmountField


class SupposedSkip(RequestShape):
    """What falls due on the date is paid with what falls due next."""

    type: Literal["skip"]
    date: DateField


class SupposedPayoff(RequestShape):
    """The loan is paid off on the date, by what it takes."""

    type: Literal["payoff"]
    date: DateField


class SupposedReverse(RequestShape):
    """A payment that was made is undone."""

    type: Literal["reverse"]
    payment_id: UuidField


class SupposedRateChange(RequestShape):
    """Another rate from a day on."""

    type: Literal["rate_change"]
    effective: DateField
    annual_rate_percent: PercentField


class SupposedReschedule(RequestShape):
    """Another rate for the instalments due on or after a day."""

    type: Literal["reschedule"]
    from_date: DateField
    annual_rate_percent: PercentField


class SupposedCharge(RequestShape):
    """A fee or a penalty, due on the date."""

    type: Literal["charge"]
    date: DateField
    kind: Annotated[ChargeKind, Field(strict=False)]
    amount: AmountField


class SupposedWaiveInterest(RequestShape):
    """So much unpaid interest is no longer asked for."""

    type: Literal["waive_interest"]
    date: DateField
    amount: AmountField


class SupposedTranche(RequestShape):
    """Further money goes out."""

    type: Literal["disburse"]
    date: DateField
    amount: AmountField


class SupposedReamortize(RequestShape):
    """What is overdue is spread over the instalments still to come."""

    type: Literal["reamortize"]
    date: DateField


class SupposedReAge(RequestShape):
    """All that is unpaid becomes new instalments."""

    type: Literal["re_age"]
    date: DateField
    start_date: DateField
    frequency: FrequencyBody
    instalments: Annotated[int, Field(ge=1, le=INSTALMENTS_MAX)]


def _tag(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else None
    return f"{TAGGED}{kind}" if isinstance(kind, str) else None


# The tags would stand in the pointers of faults, where they are no step:
# web/requests/faults.py leaves them out.
EventField = Annotated[
    Annotated[SupposedPrepay, Tag(f"{TAGGED}prepay")]
    | Annotated[SupposedSkip, Tag(f"{TAGGED}skip")]
    | Annotated[SupposedPayoff, Tag(f"{TAGGED}payoff")]
    | Annotated[SupposedReverse, Tag(f"{TAGGED}reverse")]
    | Annotated[SupposedRateChange, Tag(f"{TAGGED}rate_change")]
    | Annotated[SupposedReschedule, Tag(f"{TAGGED}reschedule")]
    | Annotated[SupposedCharge, Tag(f"{TAGGED}charge")]
    | Annotated[SupposedWaiveInterest, Tag(f"{TAGGED}waive_interest")]
    | Annotated[SupposedTranche, Tag(f"{TAGGED}disburse")]
    | Annotated[SupposedReamortize, Tag(f"{TAGGED}reamortize")]
    | Annotated[SupposedReAge, Tag(f"{TAGGED}re_age")],
    Discriminator(_tag),
]


class ScenarioBody(RequestShape):
    """Hypothetical events that happen together; beside them, what falls due is paid on its day."""

    name: LabelField | None = None
    events: Annotated[list[EventField], Field(max_length=EVENTS_MAX)]


class WhatIfBody(RequestShape):
    """Scenarios side by side."""

    scenarios: Annotated[list[ScenarioBody], Field(min_length=1, max_length=SCENARIOS_MAX)]


def suppositions_of(scenarios: list[ScenarioBody]) -> tuple[tuple[Supposition, ...], ...]:
    """The scenarios as the domain knows them."""
    return tuple(
        tuple(_MADE[type(event)](event) for event in scenario.events) for scenario in scenarios
    )


_MADE: Final[dict[type, Callable[[Any], Supposition]]] = {
    SupposedPrepay: lambda body: supposed.Prepay(body.date, body.amount),
    SupposedSkip: lambda body: supposed.Skip(body.date),
    SupposedPayoff: lambda body: supposed.PayOffOn(body.date),
    SupposedReverse: lambda body: supposed.Reverse(PaymentId(body.payment_id)),
    SupposedRateChange: lambda body: supposed.NewRate(body.effective, body.annual_rate_percent),
    SupposedReschedule: lambda body: supposed.Reschedule(body.from_date, body.annual_rate_percent),
    SupposedCharge: lambda body: supposed.Charge(body.date, body.kind, body.amount),
    SupposedWaiveInterest: lambda body: supposed.Waive(body.date, body.amount),
    SupposedTranche: lambda body: supposed.Tranche(body.date, body.amount),
    SupposedReamortize: lambda body: supposed.Reamortize(body.date),
    SupposedReAge: lambda body: supposed.ReAge(
        body.date,
        body.start_date,
        Frequency(body.frequency.every, body.frequency.unit),
        body.instalments,
    ),
}

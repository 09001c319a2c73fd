"""The effective rate of a stream of money: what it costs a year, all payments on their days.

XIRR: the rate r for which the sum of amount / (1 + r) ** (days / 365) is nothing, days counted from
the first. A bracket that halves and Newton's steps inside it, so that it always ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from domain.money import ARITHMETIC, round_for_show

RATE_MIN: Final = -0.999999
RATE_MAX: Final = 1e6
PLACES: Final = 8
_STEPS_MAX: Final = 200
_YEAR_DAYS: Final = 365.0
_DECIMALS_MAX: Final = 270


@dataclass(frozen=True, slots=True)
class CashFlow:
    """Money on a day, in minor units: below nothing when it goes out, above when it comes in."""

    on: date
    amount_minor: int


def effective_rate_percent(flows: Sequence[CashFlow]) -> Decimal | None:
    """The effective rate in per cent a year, to six places; None where there is none.

    There is none unless money goes out and comes in, or where it would be absurd.
    """
    rate = xirr(flows)
    if rate is None:
        return None
    percent = ARITHMETIC.multiply(Decimal(repr(rate)), Decimal(100))
    return round_for_show(percent, PLACES - 2)


def xirr(flows: Sequence[CashFlow]) -> float | None:
    """The rate, as a part of one, that brings the present value of `flows` to nothing.

    A rate is no money: floating point is right here, and its error is below 1e-10.
    """
    if not any(flow.amount_minor > 0 for flow in flows):
        return None
    if not any(flow.amount_minor < 0 for flow in flows):
        return None
    first = min(flow.on for flow in flows)
    points = [((flow.on - first).days / _YEAR_DAYS, float(flow.amount_minor)) for flow in flows]
    # Over decades, a rate so near to a loss of all would pass what a float holds.
    years_max = max(1.0, *(years for years, _ in points))
    low, high = max(RATE_MIN, math.pow(10.0, -_DECIMALS_MAX / years_max) - 1.0), 1.0
    at_low = _value(points, low)
    while _value(points, high) * at_low > 0:
        high *= 8
        if high > RATE_MAX:
            return None
    return _solved(points, low, high, at_low)


def _solved(points: list[tuple[float, float]], low: float, high: float, at_low: float) -> float:
    rate = 0.1 if low < 0.1 < high else (low + high) / 2  # noqa: PLR2004 - a guess
    for _ in range(_STEPS_MAX):
        value = _value(points, rate)
        if value == 0 or high - low < 1e-14 * (1 + abs(rate)):
            break
        if value * at_low > 0:
            low = rate
        else:
            high = rate
        slope = _slope(points, rate)
        step = rate - value / slope if slope else low
        rate = step if low < step < high else (low + high) / 2
    return rate


def _value(points: list[tuple[float, float]], rate: float) -> float:
    base = 1.0 + rate
    return math.fsum(amount * math.pow(base, -years) for years, amount in points)


def _slope(points: list[tuple[float, float]], rate: float) -> float:
    base = 1.0 + rate
    return math.fsum(-years * amount * math.pow(base, -years - 1.0) for years, amount in points)

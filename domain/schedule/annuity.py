"""The equal instalment: what to pay each period so that nothing is left after the last.

Exact decimals in, exact decimals out; whoever calls rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from domain.money import ARITHMETIC

_ONE = Decimal(1)


def equal_instalment(principal_minor: int, factor: Decimal, count: int) -> Decimal:
    """The annuity that repays `principal_minor` in `count` periods at one rate, unrounded."""
    principal = Decimal(principal_minor)
    if factor == 0:
        return ARITHMETIC.divide(principal, Decimal(count))
    discount = ARITHMETIC.power(ARITHMETIC.add(_ONE, factor), -count)
    return ARITHMETIC.divide(
        ARITHMETIC.multiply(principal, factor), ARITHMETIC.subtract(_ONE, discount)
    )


def progressive_instalment(principal_minor: int, factors: Sequence[Decimal]) -> Decimal:
    """The annuity that repays `principal_minor` over periods of unlike rates, unrounded.

    P x prod(1 + f_k) / F, where F is 1 for the first period and 1 + F x (1 + f_k) after each
    further one. Source: the progressive loans of Apache Fineract.
    """
    growth = _ONE
    divisor = _ONE
    for index, factor in enumerate(factors):
        step = ARITHMETIC.add(_ONE, factor)
        growth = ARITHMETIC.multiply(growth, step)
        if index:
            divisor = ARITHMETIC.add(_ONE, ARITHMETIC.multiply(divisor, step))
    return ARITHMETIC.divide(ARITHMETIC.multiply(Decimal(principal_minor), growth), divisor)

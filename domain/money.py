"""Money as integers of a currency's minor unit, and the only place in Lendwire that rounds.

It is not a class of amounts: everywhere else an amount is an `int` called `…_minor`. Sums of such
integers need no help; whatever has a fraction of a minor unit comes here to lose it. Arithmetic
runs in a private decimal context, so that no other code can change its precision.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from decimal import (
    ROUND_HALF_EVEN,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from functools import cache
from typing import Final

from babel.core import get_global
from babel.numbers import get_currency_precision

# The largest amount that may be entered, in minor units: ten trillion in a currency with cents.
MINOR_MAX: Final = 10**15

_CENTS: Final = 2
# The decimal places (of minor units, and of a rate factor) to which an interest line is explained.
_EXPLAINED: Final = Decimal("1e-10")
_FACTOR: Final = Decimal("1e-28")

# Sixty digits carry 10^15 minor units through six hundred compoundings with forty to spare.
ARITHMETIC: Final = Context(
    prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)
_EXACT: Final = Context(
    prec=60, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact, Clamped]
)

# ASCII digits with an optional point between digits; sixteen before it reach MINOR_MAX in yen.
_AMOUNT: Final = re.compile(r"[0-9]{1,16}(?:\.[0-9]{1,16})?")


class UnknownCurrencyError(LookupError):
    """A currency code that babel does not know: whoever took it in did not ask `is_currency`."""


@cache
def _codes_in_use() -> frozenset[str]:
    """The codes that some territory uses today: neither the mark nor gold nor the test code.

    ZZ is no territory: under it stand gold and silver. Antarctica's XXX means "no currency".
    """
    uses = get_global("territory_currencies")
    return frozenset(
        code
        for territory, lines in uses.items()
        if territory != "ZZ"
        for code, _start, end, _tender in lines
        if end is None and code != "XXX"
    )


def is_currency(code: str) -> bool:
    """Say whether money is lent in `code` today (ISO 4217, upper case)."""
    return code in _codes_in_use()


@cache
def _digits(currency: str) -> int:
    if currency not in get_global("all_currencies"):
        raise UnknownCurrencyError(currency)
    return get_currency_precision(currency)


def minor_digits(currency: str) -> int:
    """The decimal places of `currency`: EUR 2, JPY 0, KWD 3. Former currencies are known as well.

    Raises UnknownCurrencyError.
    """
    return _digits(currency)


def minor_exactly(amount: Decimal, currency: str) -> int | None:
    """Turn major units into minor ones without rounding.

    None when `amount` has more digits than the currency, is not finite, or is beyond ±MINOR_MAX.
    """
    scaled = _whole(amount, _digits(currency))
    return None if scaled is None or abs(scaled) > MINOR_MAX else int(scaled)


def has_places_at_most(number: Decimal, places: int) -> bool:
    """Say whether `number` is finite and needs no more than `places` decimal places."""
    return _whole(number, places) is not None


def round_to_minor(amount: Decimal, currency: str, rounding: str = ROUND_HALF_EVEN) -> int:
    """Round major units to whole minor units of `currency`."""
    return int(ARITHMETIC.scaleb(amount, _digits(currency)).to_integral_value(rounding=rounding))


def round_minor(unrounded: Decimal) -> int:
    """Round minor units with a fraction to whole ones, half to even: 1562.5 to 1562."""
    return int(unrounded.to_integral_value(rounding=ROUND_HALF_EVEN))


def round_to_multiple(
    unrounded: Decimal, multiple_minor: int = 1, rounding: str = ROUND_HALF_EVEN
) -> int:
    """Round minor units with a fraction to a whole multiple of `multiple_minor`."""
    if multiple_minor == 1:
        return int(_tidied(unrounded).to_integral_value(rounding=rounding))
    steps = _tidied(ARITHMETIC.divide(unrounded, Decimal(multiple_minor)))
    return int(steps.to_integral_value(rounding=rounding)) * multiple_minor


def exact_share(amount_minor: int, shares: int) -> Decimal:
    """One of `shares` equal parts of an amount, unrounded."""
    return ARITHMETIC.divide(Decimal(amount_minor), Decimal(shares))


def round_share(amount_minor: int, shares: int) -> int:
    """One of `shares` equal parts of an amount, rounded half to even to whole minor units."""
    return round_minor(exact_share(amount_minor, shares))


def round_for_show(number: Decimal, places: int) -> Decimal:
    """Round half to even to `places`, for comparison with a figure that shows no more."""
    return number.quantize(Decimal(1).scaleb(-places), context=ARITHMETIC)


def round_factor(factor: Decimal) -> Decimal:
    """Cut a rate factor to the 28 places with which it is kept and multiplied."""
    return factor.quantize(_FACTOR, context=ARITHMETIC).normalize(ARITHMETIC)


def interest_on(base_minor: int, factor: Decimal, multiple_minor: int = 1) -> tuple[Decimal, int]:
    """What `factor` costs on `base_minor`: explained to ten places of a minor unit, and rounded.

    Rounded to whole minor units, or to multiples of them where the terms say so.

    The rounded figure is that of the explained one. Otherwise a third of a year, which has no exact
    decimal, would push a true half cent to the wrong side.
    """
    product = ARITHMETIC.multiply(Decimal(base_minor), factor)
    # Not by `_tidied` and `round_minor`: a long replay comes here a million times.
    unrounded = product.quantize(_EXPLAINED, context=ARITHMETIC).normalize(ARITHMETIC)
    if multiple_minor > 1:
        return unrounded, round_to_multiple(unrounded, multiple_minor)
    return unrounded, int(unrounded.to_integral_value(rounding=ROUND_HALF_EVEN))


def format_minor(minor: int, currency: str) -> str:
    """Write minor units as the API shows them: 125000 EUR is "1250.00", 5 KWD is "0.005"."""
    digits = _digits(currency)
    if digits == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    text = str(abs(minor)).zfill(digits + 1)
    return f"{sign}{text[:-digits]}.{text[-digits:]}"


def format_unrounded(minor: Decimal, currency: str) -> str:
    """Write minor units with a fraction in major ones, unrounded: 1562.5 EUR is "15.625"."""
    major = ARITHMETIC.scaleb(minor, -_digits(currency))
    return format(major.normalize(ARITHMETIC), "f") if major else format_minor(0, currency)


@cache
def amount_writer(currency: str) -> Callable[[int], str]:
    """`format_minor` for one currency: a list of loans writes hundreds of amounts at once."""
    if _digits(currency) == _CENTS:
        return _with_cents
    return functools.partial(format_minor, currency=currency)


def _with_cents(minor: int) -> str:
    if minor == 0:  # half of all amounts: no fees, no penalties, no credit
        return "0.00"
    text = str(minor)
    if minor >= 100:  # noqa: PLR2004 - one whole unit
        return f"{text[:-2]}.{text[-2:]}"
    sign = "-" if minor < 0 else ""
    text = text[len(sign) :].zfill(3)
    return f"{sign}{text[:-2]}.{text[-2:]}"


def parse_amount(text: str) -> Decimal | None:
    """Read an amount in major units, strictly: None for signs, exponents, blanks, other digits."""
    return Decimal(text) if _AMOUNT.fullmatch(text) else None


def _whole(number: Decimal, places: int) -> Decimal | None:
    """Shift the point to the right by `places`; None when something is left behind it."""
    if not number.is_finite():
        return None
    try:
        scaled = _EXACT.scaleb(number, places)
    except (Inexact, Clamped, InvalidOperation, Overflow):
        return None
    return scaled if scaled == scaled.to_integral_value() else None


def _tidied(unrounded: Decimal) -> Decimal:
    return unrounded.quantize(_EXPLAINED, context=ARITHMETIC).normalize(ARITHMETIC)

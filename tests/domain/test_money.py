"""Money: exact in, exact out, and one place that rounds."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import money

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_each_currency_has_its_own_digits(currency: str, digits: int) -> None:
    assert money.minor_digits(currency) == digits


@pytest.mark.parametrize("code", ["EUR", "USD", "JPY", "KWD", "XOF", "CLF"])
def test_a_currency_in_use_is_one(code: str) -> None:
    assert money.is_currency(code)


@pytest.mark.parametrize("code", ["", "eur", "EURO", "ABC", "DEM", "XXX", "XTS", "XAU", "ΕUR"])
def test_no_other_code_is_a_currency(code: str) -> None:
    assert not money.is_currency(code)


def test_the_digits_of_an_unknown_currency_are_an_error() -> None:
    with pytest.raises(money.UnknownCurrencyError):
        money.minor_digits("ABC")


def test_a_former_currency_can_still_be_read() -> None:
    assert money.format_minor(150, "DEM") == "1.50"


@given(st.integers(-money.MINOR_MAX, money.MINOR_MAX), CURRENCIES)
def test_what_is_written_reads_back_as_the_same_amount(minor: int, currency: str) -> None:
    text = money.format_minor(minor, currency)
    assert money.amount_writer(currency)(minor) == text
    assert money.minor_exactly(Decimal(text), currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (125000, "EUR", "1250.00"),
        (5, "KWD", "0.005"),
        (-5, "EUR", "-0.05"),
        (0, "EUR", "0.00"),
        (7, "JPY", "7"),
        (-7, "JPY", "-7"),
    ],
)
def test_amounts_are_written_with_all_their_digits(minor: int, currency: str, text: str) -> None:
    assert money.format_minor(minor, currency) == text
    assert money.amount_writer(currency)(minor) == text


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1.001", "EUR"),
        ("0.5", "JPY"),
        ("1E+999999", "EUR"),
        ("1E-999999", "EUR"),
        ("10000000000000.01", "EUR"),
        ("NaN", "EUR"),
        ("sNaN", "EUR"),
        ("Infinity", "EUR"),
        ("1." + "0" * 80 + "1", "EUR"),
    ],
)
def test_an_amount_that_does_not_fit_is_none(amount: str, currency: str) -> None:
    assert money.minor_exactly(Decimal(amount), currency) is None


def test_trailing_zeros_are_no_excess_digits() -> None:
    assert money.minor_exactly(Decimal("12.5000"), "EUR") == 1250
    assert money.minor_exactly(Decimal("1E+3"), "JPY") == 1000


@pytest.mark.parametrize(
    ("unrounded", "rounded"),
    [("1562.5", 1562), ("1563.5", 1564), ("0.5", 0), ("1562.51", 1563), ("-0.5", 0), ("2", 2)],
)
def test_half_a_minor_unit_goes_to_the_even_one(unrounded: str, rounded: int) -> None:
    assert money.round_minor(Decimal(unrounded)) == rounded


def test_major_units_are_rounded_to_minor_ones() -> None:
    assert money.round_to_minor(Decimal("15.625"), "EUR") == 1562
    assert money.round_to_minor(Decimal("15.621"), "EUR", ROUND_CEILING) == 1563
    assert money.round_to_minor(Decimal("15.5"), "JPY") == 16


def test_a_multiple_is_rounded_in_either_direction() -> None:
    assert money.round_to_multiple(Decimal("32812.5"), 100) == 32800
    assert money.round_to_multiple(Decimal("32800.01"), 100, ROUND_CEILING) == 32900
    assert money.round_to_multiple(Decimal(32800), 100, ROUND_CEILING) == 32800


def test_a_third_does_not_push_half_a_cent_to_the_wrong_side() -> None:
    third = money.round_factor(money.ARITHMETIC.divide(Decimal(1), Decimal(3)))
    unrounded, rounded = money.interest_on(
        1000001, money.ARITHMETIC.multiply(third, Decimal("1.5"))
    )
    assert (unrounded, rounded) == (Decimal("500000.5"), 500000)
    unrounded, rounded = money.interest_on(
        1000003, money.ARITHMETIC.multiply(third, Decimal("1.5"))
    )
    assert (unrounded, rounded) == (Decimal("500001.5"), 500002)


@given(st.integers(0, 10**15), st.decimals(0, 3660, places=12))
def test_the_rounded_interest_is_that_of_the_explained_one(base: int, factor: Decimal) -> None:
    unrounded, rounded = money.interest_on(base, factor)
    assert rounded == money.round_minor(unrounded)
    assert abs(unrounded - rounded) <= Decimal("0.5")


@pytest.mark.parametrize("text", ["0", "1250", "1250.00", "0.001", "007", "9999999999999999"])
def test_plain_digits_are_an_amount(text: str) -> None:
    assert money.parse_amount(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "+1",
        "-1",
        "1e3",
        "1E3",
        ".5",
        "1.",
        "1.2.3",
        "1,000",
        "1_000",
        "0x1",
        "١٢",
        "１２",
        "NaN",
        "Infinity",
        "1" * 17,
        "1." + "0" * 17,
        "½",
        "1\u200b",
    ],
)
def test_nothing_else_is_an_amount(text: str) -> None:
    assert money.parse_amount(text) is None


@given(st.text(max_size=12))
def test_whatever_is_taken_for_an_amount_is_ascii(text: str) -> None:
    if money.parse_amount(text) is not None:
        assert set(text) <= set("0123456789.")


def test_places_are_counted_without_trailing_zeros() -> None:
    assert money.has_places_at_most(Decimal("9.482200"), 4)
    assert not money.has_places_at_most(Decimal("9.4822001"), 6)
    assert not money.has_places_at_most(Decimal("NaN"), 6)
    assert not money.has_places_at_most(Decimal("1." + "0" * 99 + "1"), 6)

"""Our figures against others' libraries: mortgagemath, QuantLib and pyxirr."""

from __future__ import annotations

import random
import warnings
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import mortgagemath
import pyxirr

from domain.schedule.generator import build_schedule
from domain.schedule.instalment import Instalment
from domain.simulation.effective_rate import CashFlow, effective_rate_percent, xirr
from domain.terms.terms import (
    Amortization,
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    Terms,
)

with warnings.catch_warnings():
    # Its generated bindings announce types that Python will one day refuse.
    warnings.simplefilter("ignore", DeprecationWarning)
    import QuantLib

LOANS = 500
START = date(2024, 1, 31)
MONTHLY = Frequency(1, FrequencyUnit.MONTHS)


def random_terms(seed: int, amortization: Amortization) -> Terms:
    rng = random.Random(seed)
    return Terms(
        principal_minor=rng.randrange(50_000, 100_000_000),
        currency="USD",
        annual_rate_percent=Decimal(rng.randrange(1, 3000)) / 100,
        instalments=rng.randrange(2, 121),
        frequency=MONTHLY,
        amortization=amortization,
    )


def test_mortgagemath_agrees_on_equal_instalments() -> None:
    agreed = 0
    for seed in range(LOANS):
        terms = random_terms(seed, Amortization.EQUAL_INSTALLMENTS)
        theirs = mortgagemath.amortization_schedule(
            mortgagemath.LoanParams(
                principal=Decimal(terms.principal_minor) / 100,
                annual_rate=terms.annual_rate_percent,
                term_months=terms.instalments,
                payment_rounding=mortgagemath.PaymentRounding.ROUND_HALF_EVEN,
                interest_rounding=mortgagemath.PaymentRounding.ROUND_HALF_EVEN,
            )
        )
        agreed += _agrees(build_schedule(terms, START), theirs[1:])
    assert agreed > LOANS * 0.99


def _agrees(rows: tuple[Instalment, ...], theirs: list[mortgagemath.Installment]) -> bool:
    """Every line is the same, up to one where interest is exactly half a cent.

    There they round the half of a factor that was cut, we the true half: to the even cent.
    """
    for row, one in zip(rows, theirs, strict=True):
        if row.interest_minor != int(one.interest * 100):
            assert row.interest_unrounded % 1 == Decimal("0.5")
            assert abs(row.interest_minor - int(one.interest * 100)) == 1
            return False
        assert row.principal_minor == int(one.principal * 100)
        assert row.balance_minor == int(one.balance * 100)
    return True


def quantlib_interest(terms: Terms, principal_minor: list[int], counter: object) -> list[float]:
    """The interest of each month by QuantLib, on the balances that the parts leave."""
    balances = [float(terms.principal_minor)]
    for part in principal_minor[:-1]:
        balances.append(balances[-1] - part)
    start = QuantLib.Date(START.day, START.month, START.year)
    end = start + QuantLib.Period(terms.instalments, QuantLib.Months)
    days = QuantLib.Schedule(
        start,
        end,
        QuantLib.Period(1, QuantLib.Months),
        QuantLib.NullCalendar(),
        QuantLib.Unadjusted,
        QuantLib.Unadjusted,
        QuantLib.DateGeneration.Forward,
        True,
    )
    rate = float(terms.annual_rate_percent) / 100
    bond = QuantLib.AmortizingFixedRateBond(0, balances, days, [rate], counter)
    coupons = [QuantLib.as_coupon(flow) for flow in bond.cashflows()]
    return [coupon.amount() for coupon in coupons if coupon is not None]


def test_quantlib_agrees_on_equal_principal_by_actual_days() -> None:
    for seed in range(LOANS):
        terms = replace(
            random_terms(seed, Amortization.EQUAL_PRINCIPAL),
            interest_calc_period=InterestCalcPeriod.DAILY,
            days_in_month=DaysInMonth.ACTUAL,
            days_in_year=DaysInYear.D365,
        )
        count = terms.instalments
        exact = Decimal(terms.principal_minor) / count
        share = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
        parts = [share] * (count - 1) + [terms.principal_minor - share * (count - 1)]
        rows = build_schedule(terms, START)
        assert [row.principal_minor for row in rows] == parts, seed
        theirs = quantlib_interest(terms, parts, QuantLib.Actual365Fixed())
        for row, interest in zip(rows, theirs, strict=True):
            assert abs(float(row.interest_unrounded) - interest) < 1e-5, seed
            assert abs(row.interest_minor - interest) <= 0.5 + 1e-5, seed


def random_flows(seed: int) -> list[CashFlow]:
    """Money that goes out, perhaps in parts, and comes back on days that are not regular."""
    rng = random.Random(seed)
    out = rng.randrange(10_000, 10_000_000)
    flows = [CashFlow(START, -out)]
    if rng.random() < 0.3:
        flows.append(CashFlow(START + timedelta(days=rng.randrange(1, 20)), -out // 3))
    count = rng.randrange(1, 60)
    back = sum(-flow.amount_minor for flow in flows) * rng.uniform(0.7, 1.9)
    flows += [
        CashFlow(
            START + timedelta(days=25 + 30 * at + rng.randrange(0, 9)), max(1, round(back / count))
        )
        for at in range(count)
    ]
    return flows


def test_pyxirr_agrees_on_effective_rates() -> None:
    for seed in range(LOANS):
        flows = random_flows(seed)
        theirs = pyxirr.xirr([flow.on for flow in flows], [flow.amount_minor for flow in flows])
        ours = xirr(flows)
        assert ours is not None
        assert theirs is not None
        assert abs(ours - theirs) < 1e-8 * (1 + abs(theirs)), seed


def test_there_is_no_rate_where_money_goes_only_one_way() -> None:
    assert effective_rate_percent([]) is None
    assert effective_rate_percent([CashFlow(START, -100)]) is None
    assert effective_rate_percent([CashFlow(START, 100), CashFlow(date(2025, 1, 31), 5)]) is None


def test_a_year_of_twelve_per_cent_costs_twelve_per_cent() -> None:
    flows = [CashFlow(date(2023, 1, 1), -100_000), CashFlow(date(2024, 1, 1), 112_000)]
    assert effective_rate_percent(flows) == Decimal("12.000000")

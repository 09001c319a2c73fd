"""The terms of a loan: what was agreed, as one frozen value. The arithmetic is in `schedule.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class InterestMethod(StrEnum):
    """On what interest is charged: what is still out, or the first principal throughout."""

    DECLINING_BALANCE = "DECLINING_BALANCE"
    FLAT = "FLAT"


class Amortization(StrEnum):
    """What stays equal from instalment to instalment."""

    EQUAL_INSTALLMENTS = "EQUAL_INSTALLMENTS"
    EQUAL_PRINCIPAL = "EQUAL_PRINCIPAL"


class InterestCalcPeriod(StrEnum):
    """Whether interest counts days, or each repayment period as one whole."""

    DAILY = "DAILY"
    SAME_AS_REPAYMENT_PERIOD = "SAME_AS_REPAYMENT_PERIOD"


class DaysInMonth(StrEnum):
    """How long a month is for interest."""

    THIRTY = "30"
    ACTUAL = "ACTUAL"


class DaysInYear(StrEnum):
    """How long a year is for interest."""

    D360 = "360"
    D364 = "364"
    D365 = "365"
    ACTUAL = "ACTUAL"


class FrequencyUnit(StrEnum):
    """The unit of the repayment period."""

    DAYS = "DAYS"
    WEEKS = "WEEKS"
    MONTHS = "MONTHS"
    YEARS = "YEARS"


@dataclass(frozen=True, slots=True)
class Frequency:
    """An instalment falls due every `every` units."""

    every: int
    unit: FrequencyUnit


@dataclass(frozen=True, slots=True)
class Terms:
    """What borrower and lender agreed.

    `principal_minor` counts minor units of `currency` (ISO 4217); `annual_rate_percent` is per
    cent a year. Without `start_date` the schedule starts on the day of disbursement; without
    `first_due_date` the first instalment is due one period after the start.
    """

    principal_minor: int
    currency: str
    annual_rate_percent: Decimal
    instalments: int
    frequency: Frequency
    interest_method: InterestMethod = InterestMethod.DECLINING_BALANCE
    amortization: Amortization = Amortization.EQUAL_INSTALLMENTS
    interest_calc_period: InterestCalcPeriod = InterestCalcPeriod.SAME_AS_REPAYMENT_PERIOD
    days_in_month: DaysInMonth = DaysInMonth.ACTUAL
    days_in_year: DaysInYear = DaysInYear.D365
    start_date: date | None = None
    first_due_date: date | None = None

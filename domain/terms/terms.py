"""The terms of a loan as one frozen value; the arithmetic is in `domain/schedule/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from domain.terms.choices import (
    AdvancePaymentStrategy,
    AllocationStrategy,
    BrokenPeriod,
    ChargeBase,
    ChargeKind,
    Component,
    DayCounting,
    DueBucket,
    FeeCollection,
    FutureInstalmentRule,
    HolidayRule,
    InstalmentFormula,
    InstalmentFrom,
    InstalmentRateBasis,
    InstalmentRounding,
    MonthEndStrategy,
    PenaltyBase,
    PreclosureInterest,
    RecalculationCompounding,
    RecalculationRest,
)

# The most instalments that a loan may have.
INSTALMENTS_MAX: Final = 600


class InterestMethod(StrEnum):
    """On what interest is charged: what is still out, or the first principal throughout."""

    DECLINING_BALANCE = "DECLINING_BALANCE"
    FLAT = "FLAT"


class Amortization(StrEnum):
    """What stays equal from instalment to instalment."""

    EQUAL_INSTALLMENTS = "EQUAL_INSTALLMENTS"
    EQUAL_PRINCIPAL = "EQUAL_PRINCIPAL"
    BULLET = "BULLET"
    FIXED_INSTALMENT = "FIXED_INSTALMENT"


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
    ACTUAL_AT_START = "ACTUAL_AT_START"


class FrequencyUnit(StrEnum):
    """The unit of the repayment period."""

    DAYS = "DAYS"
    WEEKS = "WEEKS"
    MONTHS = "MONTHS"
    YEARS = "YEARS"
    ONE_TIME = "ONE_TIME"


@dataclass(frozen=True, slots=True)
class Frequency:
    """An instalment falls due every `every` units."""

    every: int
    unit: FrequencyUnit


@dataclass(frozen=True, slots=True)
class InstalmentFee:
    """A charge on each instalment: `percent` of its `base`, or else `amount_minor`."""

    kind: ChargeKind = ChargeKind.FEE
    percent: Decimal | None = None
    base: ChargeBase = ChargeBase.PRINCIPAL_AND_INTEREST
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class DisbursementFee:
    """A fee on money that goes out: `percent` of each sum, or else `amount_minor` with the first.

    It is withheld of the sum, or due that day.
    """

    percent: Decimal | None = None
    amount_minor: int = 0
    collection: FeeCollection = FeeCollection.NET_OFF


@dataclass(frozen=True, slots=True)
class DelinquencyBucket:
    """A range of days past due, both ends in it; without `last` it has no end."""

    name: str
    first: int
    last: int | None


AllocationOrder = tuple[tuple[DueBucket, Component], ...]

DEFAULT_ORDER: AllocationOrder = tuple(
    (bucket, component) for bucket in DueBucket for component in Component
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What borrower and lender agreed.

    `principal_minor` counts minor units of `currency` (ISO 4217); rates and percents are per cent,
    rates a year. Without `start_date` the schedule starts on the day of disbursement; without
    `first_due_date` the first instalment is due one period after the start. With FIXED_INSTALMENT
    the count follows from `fixed_instalment_minor`, and `instalments` is only a limit.
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
    instalment_formula: InstalmentFormula = InstalmentFormula.CUMULATIVE
    instalment_multiple_minor: int = 1
    instalment_rounding: InstalmentRounding = InstalmentRounding.HALF_EVEN
    instalment_rate_basis: InstalmentRateBasis = InstalmentRateBasis.FIRST_PERIOD_DAYS
    instalment_from: InstalmentFrom = InstalmentFrom.DISBURSED_AMOUNT
    fixed_instalment_minor: int | None = None
    interest_multiple_minor: int = 1
    month_end_strategy: MonthEndStrategy = MonthEndStrategy.LAST_DAY_OF_MONTH
    grace_on_principal_payment: int = 0
    grace_on_interest_payment: int = 0
    interest_free_periods: int = 0
    broken_period: BrokenPeriod = BrokenPeriod.IN_FIRST
    holiday_rule: HolidayRule = HolidayRule.NONE
    holiday_calendar: str | None = None
    down_payment_percent: Decimal = Decimal(0)
    down_payment_auto: bool = False
    recalculation_rest: RecalculationRest = RecalculationRest.NONE
    recalculation_compounding: RecalculationCompounding = RecalculationCompounding.NONE
    accrues_after_maturity: bool = False
    advance_payment_strategy: AdvancePaymentStrategy = AdvancePaymentStrategy.KEEP_INSTALMENT
    allocation_strategy: AllocationStrategy = AllocationStrategy.PENALTIES_FEES_INTEREST_PRINCIPAL
    allocation_order: AllocationOrder = DEFAULT_ORDER
    future_instalment_rule: FutureInstalmentRule = FutureInstalmentRule.NEXT_INSTALLMENT
    preclosure_interest: PreclosureInterest = PreclosureInterest.TILL_PRE_CLOSE_DATE
    penalty_rate_percent: Decimal = Decimal(0)
    penalty_days: DayCounting = DayCounting.EXCLUSIVE
    penalty_base: PenaltyBase = PenaltyBase.OVERDUE
    dpd_count: DayCounting = DayCounting.EXCLUSIVE
    delinquency_grace_days: int = 0
    delinquency_buckets: tuple[DelinquencyBucket, ...] = ()
    closing_tolerance_minor: int = 0
    instalment_fees: tuple[InstalmentFee, ...] = ()
    tranches_max: int = 1
    disbursement_fees: tuple[DisbursementFee, ...] = ()

    @property
    def recalculates(self) -> bool:
        """Say whether payments and lateness change the interest; flat interest never changes."""
        return (
            self.recalculation_rest is not RecalculationRest.NONE
            and self.interest_method is InterestMethod.DECLINING_BALANCE
        )

    @property
    def is_plain_annuity(self) -> bool:
        """Say whether equal instalments on a declining balance begin at once, without any grace."""
        return (
            self.amortization is Amortization.EQUAL_INSTALLMENTS
            and self.interest_method is InterestMethod.DECLINING_BALANCE
            and not self.grace_on_principal_payment
            and not self.grace_on_interest_payment
        )

    @property
    def is_progressive(self) -> bool:
        """Say whether each period's own rate makes the instalment."""
        return self.instalment_formula is InstalmentFormula.PROGRESSIVE

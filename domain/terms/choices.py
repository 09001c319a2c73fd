"""The choices that the terms of a loan offer, each a closed list.

What they do is in the modules that compute. How long months and years are, and how often
instalments fall due, is in `domain/terms/terms.py`.
"""

from __future__ import annotations

from enum import StrEnum


class InstalmentFormula(StrEnum):
    """How the equal instalment is found: one rate for all periods, or the rate of each."""

    CUMULATIVE = "CUMULATIVE"
    PROGRESSIVE = "PROGRESSIVE"


class InstalmentRounding(StrEnum):
    """Which way the equal instalment is rounded to its multiple; the values are decimal's."""

    HALF_EVEN = "ROUND_HALF_EVEN"
    CEILING = "ROUND_CEILING"


class InstalmentRateBasis(StrEnum):
    """Which rate the CUMULATIVE formula takes for a period: its days, or the year's share."""

    FIRST_PERIOD_DAYS = "FIRST_PERIOD_DAYS"
    NOMINAL = "NOMINAL"


class InstalmentFrom(StrEnum):
    """From what the instalment of a loan in tranches is found."""

    DISBURSED_AMOUNT = "DISBURSED_AMOUNT"
    APPROVED_AMOUNT = "APPROVED_AMOUNT"


class MonthEndStrategy(StrEnum):
    """What happens to a due day that a month does not have."""

    LAST_DAY_OF_MONTH = "LAST_DAY_OF_MONTH"
    FIRST_DAY_OF_NEXT_MONTH = "FIRST_DAY_OF_NEXT_MONTH"


class BrokenPeriod(StrEnum):
    """Where the days before a whole first period go: into it, or into a row of interest alone."""

    IN_FIRST = "IN_FIRST"
    SEPARATE_ROW = "SEPARATE_ROW"


class HolidayRule(StrEnum):
    """What happens to a due date on which nobody works."""

    NONE = "NONE"
    NEXT_WORKING_DAY = "NEXT_WORKING_DAY"
    PREVIOUS_WORKING_DAY = "PREVIOUS_WORKING_DAY"


class RecalculationRest(StrEnum):
    """From when money that came in lowers the interest; NONE leaves the schedule as it was."""

    NONE = "NONE"
    DAILY = "DAILY"
    SAME_AS_REPAYMENT_PERIOD = "SAME_AS_REPAYMENT_PERIOD"


class RecalculationCompounding(StrEnum):
    """Whether overdue interest bears interest."""

    NONE = "NONE"
    INTEREST_MONTHLY = "INTEREST_MONTHLY"


class AdvancePaymentStrategy(StrEnum):
    """What more principal than planned does to what follows; KEEP_INSTALMENT shortens the loan."""

    KEEP_INSTALMENT = "KEEP_INSTALMENT"
    REDUCE_EMI_AMOUNT = "REDUCE_EMI_AMOUNT"
    REDUCE_NUMBER_OF_INSTALLMENTS = "REDUCE_NUMBER_OF_INSTALLMENTS"
    RESCHEDULE_NEXT_REPAYMENTS = "RESCHEDULE_NEXT_REPAYMENTS"


class AllocationStrategy(StrEnum):
    """In which order money pays what is owed."""

    PENALTIES_FEES_INTEREST_PRINCIPAL = "PENALTIES_FEES_INTEREST_PRINCIPAL"
    INTEREST_PRINCIPAL_PENALTIES_FEES = "INTEREST_PRINCIPAL_PENALTIES_FEES"
    PRINCIPAL_INTEREST_PENALTIES_FEES = "PRINCIPAL_INTEREST_PENALTIES_FEES"
    DUE_PENALTY_FEE_INTEREST_PRINCIPAL = (
        "DUE_PENALTY_FEE_INTEREST_PRINCIPAL_IN_ADVANCE_PRINCIPAL_PENALTY_FEE_INTEREST"
    )
    DUE_PENALTY_INTEREST_PRINCIPAL_FEE = (
        "DUE_PENALTY_INTEREST_PRINCIPAL_FEE_IN_ADVANCE_PENALTY_INTEREST_PRINCIPAL_FEE"
    )
    ADVANCED = "ADVANCED"


class DueBucket(StrEnum):
    """How something owed stands to the day of a payment."""

    PAST_DUE = "PAST_DUE"
    DUE = "DUE"
    IN_ADVANCE = "IN_ADVANCE"


class Component(StrEnum):
    """What a debt consists of."""

    PENALTY = "PENALTY"
    FEE = "FEE"
    INTEREST = "INTEREST"
    PRINCIPAL = "PRINCIPAL"


class FutureInstalmentRule(StrEnum):
    """Which future instalments money in advance pays, by the ADVANCED strategy."""

    NEXT_INSTALLMENT = "NEXT_INSTALLMENT"
    LAST_INSTALLMENT = "LAST_INSTALLMENT"
    REAMORTIZATION = "REAMORTIZATION"


class PreclosureInterest(StrEnum):
    """Until when interest is asked for when a loan is paid off early."""

    TILL_PRE_CLOSE_DATE = "TILL_PRE_CLOSE_DATE"
    TILL_REST_FREQUENCY_DATE = "TILL_REST_FREQUENCY_DATE"


class DayCounting(StrEnum):
    """Whether the first of some late days counts: INCLUSIVE is 1 on the due date itself."""

    INCLUSIVE = "INCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"


class PenaltyBase(StrEnum):
    """On what a penalty a year is charged: the whole instalment, or what is unpaid of it."""

    INSTALMENT = "INSTALMENT"
    OVERDUE = "OVERDUE"


class ChargeBase(StrEnum):
    """Of what a charge in per cent is reckoned."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    PRINCIPAL_AND_INTEREST = "principal+interest"


class ChargeKind(StrEnum):
    """Whether a charge is a fee or a penalty."""

    FEE = "fee"
    PENALTY = "penalty"


class FeeCollection(StrEnum):
    """How a fee on money that goes out comes in: withheld of it, or as a charge due that day."""

    NET_OFF = "NET_OFF"
    DUE = "DUE"


class RowKind(StrEnum):
    """What a line of the schedule is for."""

    INSTALMENT = "instalment"
    DOWN_PAYMENT = "down_payment"
    BROKEN_PERIOD = "broken_period"
    RE_AGED = "re_aged"
    CHARGES = "charges"

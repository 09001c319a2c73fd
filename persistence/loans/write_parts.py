"""What a decision on a loan may write, part by part; the order here is the order of writing."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import CTE, func, select, text

from persistence.commit.side_writes import BESIDE, all_columns
from persistence.commit.write_plan import (
    Parts,
    delete_many,
    insert_many,
    insert_one,
    update_many,
    update_one,
    upsert_many,
)
from persistence.loans.rows import INSTALMENT_FIELDS
from persistence.tables import (
    COMMENTS,
    DISBURSEMENTS,
    INSTALMENTS,
    JOURNAL_LINES,
    JOURNAL_TRANSACTIONS,
    LOAN_EVENTS,
    LOANS,
    PAYMENT_ANNOTATIONS,
    PAYMENT_PROJECTIONS,
    PAYMENT_REVERSALS,
    PAYMENTS,
)

TERMS_COLUMNS: Final = (
    "principal_minor",
    "currency",
    "annual_rate_percent",
    "instalments",
    "frequency_every",
    "frequency_unit",
    "interest_method",
    "amortization",
    "interest_calc_period",
    "days_in_month",
    "days_in_year",
    "start_date",
    "first_due_date",
    "purpose",
    "further_terms",
)
PROGRESS_COLUMNS: Final = (
    "status",
    "outstanding_principal_minor",
    "outstanding_interest_minor",
    "outstanding_fees_minor",
    "outstanding_penalties_minor",
    "credit_minor",
    "next_due_date",
    "next_due_minor",
    "disbursed_on",
    "version",
    "updated_at",
    "approved_by",
    "disbursed_minor",
    "last_value_date",
    "last_payment_event_id",
    "suspense_minor",
    "book",
    "dues_to_come",
)
PAID_COLUMNS: Final = tuple(name for name in INSTALMENT_FIELDS if name.startswith("paid_"))
PROJECTED_COLUMNS: Final = (
    "status",
    "allocated_principal_minor",
    "allocated_interest_minor",
    "allocated_fees_minor",
    "allocated_penalties_minor",
    "allocated_excess_minor",
    "outstanding_after_minor",
)
WHOLE_COLUMNS: Final = tuple(
    name for name in all_columns(LOANS) if name not in {"id", "sync_status"}
)
NOTE_COLUMNS: Final = ("method", "reference", "note")
_GUARD: Final = ("id", "version")


def _instalments_gone() -> CTE:
    """The rows of a schedule that got shorter."""
    return delete_many("instalments_gone", INSTALMENTS, ("loan_id", "number"))


def _disbursements() -> CTE:
    """What went out, numbered after what went out before: the loan is locked."""
    went_out = DISBURSEMENTS.alias("went_out")

    def numbered(given: Any) -> dict[str, Any]:
        last = select(func.coalesce(func.max(went_out.c.tranche), text("0")))
        before = last.where(went_out.c.loan_id == given.c.loan_id).scalar_subquery()
        return {"tranche": given.c.tranche + before}

    return insert_many("disbursements", DISBURSEMENTS, all_columns(DISBURSEMENTS), numbered)


LOAN_PARTS: Final = Parts(
    {
        "loan_new": lambda: insert_one("loan_new", LOANS, all_columns(LOANS)),
        "loan_terms": lambda: update_one(
            "loan_terms", LOANS, _GUARD, (*TERMS_COLUMNS, *PROGRESS_COLUMNS)
        ),
        "loan_progress": lambda: update_one("loan_progress", LOANS, _GUARD, PROGRESS_COLUMNS),
        "loan_whole": lambda: update_one("loan_whole", LOANS, _GUARD, WHOLE_COLUMNS),
        "instalments": lambda: upsert_many("instalments", INSTALMENTS, all_columns(INSTALMENTS)),
        "instalments_paid": lambda: update_many(
            "instalments_paid",
            INSTALMENTS,
            ("loan_id", "number"),
            PAID_COLUMNS,
            shared="loan_id",
        ),
        "instalments_gone": _instalments_gone,
        "events": lambda: insert_many("events", LOAN_EVENTS, all_columns(LOAN_EVENTS)),
        "disbursements": _disbursements,
        "payments": lambda: insert_many("payments", PAYMENTS, all_columns(PAYMENTS)),
        "projections_new": lambda: insert_many(
            "projections_new", PAYMENT_PROJECTIONS, all_columns(PAYMENT_PROJECTIONS)
        ),
        "projections": lambda: update_many(
            "projections",
            PAYMENT_PROJECTIONS,
            ("payment_id",),
            PROJECTED_COLUMNS,
            kept=("reversed_at", "reversal_reason"),
            versioned=True,
        ),
        "projections_whole": lambda: upsert_many(
            "projections_whole", PAYMENT_PROJECTIONS, all_columns(PAYMENT_PROJECTIONS)
        ),
        "reversals": lambda: insert_many(
            "reversals", PAYMENT_REVERSALS, all_columns(PAYMENT_REVERSALS)
        ),
        "annotation": lambda: insert_one(
            "annotation", PAYMENT_ANNOTATIONS, all_columns(PAYMENT_ANNOTATIONS)
        ),
        "note": lambda: update_one(
            "note", PAYMENT_PROJECTIONS, ("payment_id", "version"), (*NOTE_COLUMNS, "version")
        ),
        "journal": lambda: insert_many(
            "journal", JOURNAL_TRANSACTIONS, all_columns(JOURNAL_TRANSACTIONS)
        ),
        "journal_lines": lambda: insert_many(
            "journal_lines", JOURNAL_LINES, all_columns(JOURNAL_LINES)
        ),
        "comment": lambda: insert_one("comment", COMMENTS, all_columns(COMMENTS)),
        **BESIDE,
    }
)

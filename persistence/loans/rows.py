"""Loans, instalments and payments as rows, and back: pure, between the domain and the statements.

It sends nothing and decides nothing. A view is made here from what was decided, so that an answer
needs no second read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from itertools import islice
from typing import Any, Final, cast

import msgspec

from domain.events.events import LoanEvent, PaymentReversed
from domain.identifiers import BranchId, EventId, LoanId, PaymentId, ProductId, UserId
from domain.loan.arrears import delinquency_terms
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.payment import Payment
from domain.loan.working_loan import is_whole
from domain.reports.upcoming_dues import Due
from domain.reports.views import LoanView, PaymentView
from domain.schedule.instalment import Instalment
from domain.terms.terms import (
    Amortization,
    DaysInMonth,
    DaysInYear,
    Frequency,
    FrequencyUnit,
    InterestCalcPeriod,
    InterestMethod,
    Terms,
)
from persistence.loans.lateness import DELINQUENCY_SQL, delinquency_of, unless_usual
from persistence.loans.state_codec import book_of, is_legible
from persistence.tables import SYNCED

INSTALMENT_FIELDS: Final = tuple(field.name for field in fields(Instalment))
_NO_COLUMNS: Final = {"delinquency": DELINQUENCY_SQL, "terms": "NULL"}
LOAN_VIEW_FIELDS: Final = LoanView._fields
LOAN_VIEW_SQL: Final = ", ".join(
    f"{_NO_COLUMNS[name]} AS {name}" if name in _NO_COLUMNS else f"l.{name}"
    for name in LOAN_VIEW_FIELDS
)
"""The columns of a LoanView in its order, from loans AS l."""
PAYMENT_VIEW_FIELDS: Final = PaymentView._fields
# The terms of the first release have columns, because lists and views show them.
_TERMS_IN_COLUMNS: Final = tuple(field.name for field in fields(Terms))[:12]
_FURTHER_TERMS: Final = {field.name: field.default for field in fields(Terms)[12:]}


def loan_of(row: Mapping[str, Any]) -> Loan:
    """The aggregate from a row of loans and the instalments beside it, one array a field.

    Its book is missing where the row keeps none that we can read: see `is_kept_whole`.
    """
    return Loan(
        id=LoanId(row["id"]),
        number=row["number"],
        customer_id=UserId(row["customer_id"]),
        branch_id=_optional_branch(row["branch_id"]),
        product_id=None if row["product_id"] is None else ProductId(row["product_id"]),
        terms=terms_of(row),
        purpose=row["purpose"],
        status=LoanStatus(row["status"]),
        version=row["version"],
        created_by=UserId(row["created_by"]),
        approved_by=None if row["approved_by"] is None else UserId(row["approved_by"]),
        disbursed_on=row["disbursed_on"],
        disbursed_minor=row["disbursed_minor"],
        instalments=instalments_of(row),
        credit_minor=row["credit_minor"],
        last_value_date=row["last_value_date"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_payment_event_id=(
            None if row["last_payment_event_id"] is None else EventId(row["last_payment_event_id"])
        ),
        suspense_minor=row["suspense_minor"],
        product_version=row["product_version"],
        book=book_of(row["book"]),
    )


def is_kept_whole(row: Mapping[str, Any], loan: Loan) -> bool:
    """Say whether `loan`, made of `row`, has the book that it needs: kept, and legible to us."""
    return is_legible(row["book"]) if row["book"] is not None else is_whole(loan)


def instalments_of(row: Mapping[str, Any]) -> tuple[Instalment, ...]:
    """The instalments from their arrays `i_…`, which are NULL for a loan without any."""
    columns = [row[f"i_{name}"] for name in INSTALMENT_FIELDS]
    if columns[0] is None:
        return ()
    return tuple([Instalment(*values) for values in zip(*columns, strict=True)])


def terms_of(row: Mapping[str, Any]) -> Terms:
    """The terms from their columns, and from the JSON of what has none."""
    plain = Terms(
        principal_minor=row["principal_minor"],
        currency=row["currency"],
        annual_rate_percent=row["annual_rate_percent"],
        instalments=row["instalments"],
        frequency=Frequency(row["frequency_every"], FrequencyUnit(row["frequency_unit"])),
        interest_method=InterestMethod(row["interest_method"]),
        amortization=Amortization(row["amortization"]),
        interest_calc_period=InterestCalcPeriod(row["interest_calc_period"]),
        days_in_month=DaysInMonth(row["days_in_month"]),
        days_in_year=DaysInYear(row["days_in_year"]),
        start_date=row["start_date"],
        first_due_date=row["first_due_date"],
    )
    further = row["further_terms"]
    if further is None:
        return plain
    columns = {name: getattr(plain, name) for name in _TERMS_IN_COLUMNS}
    return msgspec.convert({**columns, **further}, Terms)


def further_terms(terms: Terms) -> dict[str, object] | None:
    """What of the terms has no column and is not as usual, as JSON values; None where all is."""
    unusual = {
        name: value
        for name, usual in _FURTHER_TERMS.items()
        if (value := getattr(terms, name)) != usual
    }
    return cast("dict[str, object]", msgspec.to_builtins(unusual)) if unusual else None


def terms_values(loan: Loan) -> dict[str, object]:
    """The columns that only an amendment changes."""
    terms = loan.terms
    return {
        "principal_minor": terms.principal_minor,
        "currency": terms.currency,
        "annual_rate_percent": terms.annual_rate_percent,
        "instalments": terms.instalments,
        "frequency_every": terms.frequency.every,
        "frequency_unit": terms.frequency.unit.value,
        "interest_method": terms.interest_method.value,
        "amortization": terms.amortization.value,
        "interest_calc_period": terms.interest_calc_period.value,
        "days_in_month": terms.days_in_month.value,
        "days_in_year": terms.days_in_year.value,
        "start_date": terms.start_date,
        "first_due_date": terms.first_due_date,
        "purpose": loan.purpose,
        "further_terms": further_terms(terms),
    }


def progress_values(loan: Loan) -> dict[str, object]:
    """The columns that every event may change."""
    owed = loan.outstanding
    due = loan.next_due
    return {
        "status": loan.status.value,
        "outstanding_principal_minor": owed.principal_minor,
        "outstanding_interest_minor": owed.interest_minor,
        "outstanding_fees_minor": owed.fees_minor,
        "outstanding_penalties_minor": owed.penalties_minor,
        "credit_minor": loan.credit_minor,
        "next_due_date": None if due is None else due.due_date,
        "next_due_minor": None if due is None else due.outstanding_minor,
        "disbursed_on": loan.disbursed_on,
        "version": loan.version,
        "updated_at": loan.updated_at,
        "approved_by": loan.approved_by,
        "disbursed_minor": loan.disbursed_minor,
        "last_value_date": loan.last_value_date,
        "last_payment_event_id": loan.last_payment_event_id,
        "suspense_minor": loan.suspense_minor,
    }


def dues_document(dues: tuple[Due, ...] | None) -> list[list[object]] | None:
    """Dues to come as JSON values."""
    return None if dues is None else [[day.isoformat(), minor] for day, minor in dues]


def dues_of(document: Any) -> tuple[Due, ...] | None:
    """The dues to come that a row keeps."""
    if document is None:
        return None
    return tuple([(date.fromisoformat(day), minor) for day, minor in document])


def origin_values(loan: Loan) -> dict[str, object]:
    """The columns that never change."""
    return {
        "id": loan.id,
        "number": loan.number,
        "customer_id": loan.customer_id,
        "branch_id": loan.branch_id,
        "product_id": loan.product_id,
        "product_version": loan.product_version,
        "created_at": loan.created_at,
        "created_by": loan.created_by,
        "sync_status": SYNCED,
    }


def loan_view(loan: Loan, sync_status: str = SYNCED) -> LoanView:
    """What a reader of this loan is shown."""
    values: dict[str, Any] = {
        **origin_values(loan),
        **terms_values(loan),
        **progress_values(loan),
        "sync_status": sync_status,
        "delinquency": unless_usual(delinquency_terms(loan.terms)),
        "terms": None,
    }
    return LoanView(**{name: values[name] for name in LOAN_VIEW_FIELDS})


def view_of_loan(row: Any) -> LoanView:
    """The view from a record that begins with LOAN_VIEW_SQL."""
    view = LoanView._make(islice(row, len(LOAN_VIEW_FIELDS)))
    if view.delinquency is None:
        return view
    return view._replace(delinquency=unless_usual(delinquency_of(view.delinquency)))


def view_of_payment(row: Any) -> PaymentView:
    """The view from a record that begins with the columns of `PaymentView`, in its order."""
    return PaymentView._make(islice(row, len(PAYMENT_VIEW_FIELDS)))


def view_of_stood(row: Mapping[str, Any]) -> PaymentView:
    """The view from the columns of `PaymentView` that stand among others behind `stood_`."""
    return PaymentView(**{name: row[f"stood_{name}"] for name in PAYMENT_VIEW_FIELDS})


def payment_values(payment: Payment) -> dict[str, object]:
    """The columns of the fact."""
    return {
        "id": payment.id,
        "loan_id": payment.loan_id,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "value_date": payment.value_date,
        "method": payment.method,
        "reference": payment.reference,
        "recorded_by": payment.recorded_by,
        "created_at": payment.created_at,
        "type": payment.type.value,
    }


def reversals(events: Iterable[LoanEvent]) -> dict[PaymentId, PaymentReversed]:
    """Which payments are reversed by `events`, each by the first that does."""
    found: dict[PaymentId, PaymentReversed] = {}
    for event in events:
        if isinstance(event, PaymentReversed):
            found.setdefault(event.payment_id, event)
    return found


def projection_values(payment: Payment, undone: PaymentReversed | None) -> dict[str, object]:
    """The columns of what has become of it, without what is written beside it."""
    split = payment.allocation
    return {
        "payment_id": payment.id,
        "status": payment.status.value,
        "allocated_principal_minor": split.principal_minor,
        "allocated_interest_minor": split.interest_minor,
        "allocated_fees_minor": split.fees_minor,
        "allocated_penalties_minor": split.penalties_minor,
        "allocated_excess_minor": split.excess_minor,
        "outstanding_after_minor": payment.outstanding_after_minor,
        "reversed_at": None if undone is None else undone.at,
        "reversal_reason": None if undone is None else undone.reason,
    }


def payment_view(
    payment: Payment, stood: PaymentView | None, undone: PaymentReversed | None
) -> PaymentView:
    """What a reader of this payment is shown now; `stood` is what he was shown before."""
    values: dict[str, Any] = {
        **payment_values(payment),
        **projection_values(payment, undone),
        "note": None,
        "sync_status": SYNCED,
        "version": 1,
    }
    if stood is not None:
        values["method"], values["reference"], values["note"] = (
            stood.method,
            stood.reference,
            stood.note,
        )
        values["version"] = stood.version + 1
        values["sync_status"] = stood.sync_status
    return PaymentView(**{name: values[name] for name in PAYMENT_VIEW_FIELDS})


def _optional_branch(value: Any) -> BranchId | None:
    return None if value is None else BranchId(value)

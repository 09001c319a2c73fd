"""Shapes of payoffs and statements, as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import Field

from domain.money import amount_writer
from domain.reports.loan_reports import PayoffView, StatementView
from domain.reports.statement import StatementEntry, StatementLine
from domain.terms.choices import PreclosureInterest
from web.api.payments.shapes import AllocationShape
from web.requests.fields import Day, Id, Money, ResponseShape
from web.responses.csv_text import csv_text

CSV_COLUMNS = (
    "date",
    "entry",
    "reference",
    "note",
    "debit",
    "credit",
    "balance",
    "currency",
    "principal",
    "interest",
    "fees",
    "penalties",
    "excess",
)
OPENING, CLOSING = "opening_balance", "closing_balance"


class PayoffShape(ResponseShape):
    """What ends a loan on a day; interest is asked for until `interest_until`."""

    loan_id: Id
    version: int
    on: Day
    preclosure_interest: PreclosureInterest
    interest_until: Day
    currency: str
    principal: Money
    interest: Money
    fees: Money
    penalties: Money
    amount: Money


class StatementLineShape(ResponseShape):
    """What moved the balance: a debit makes the customer owe more, a credit less.

    `reference` is the payment, disbursement or event; `allocation` says how a payment was split.
    """

    date: Day
    entry: StatementEntry
    reference: Id | None
    note: str | None
    debit: Money
    credit: Money
    balance: Money
    allocation: AllocationShape | None


class StatementShape(ResponseShape):
    """All that moved a loan's balance on the days `from` to `to`.

    The balance is principal that is out, with what has fallen due and is unpaid, less credit.
    """

    loan_id: Id
    number: str
    version: int
    currency: str
    since: Annotated[date, Field(serialization_alias="from")]
    until: Annotated[date, Field(serialization_alias="to")]
    opening_balance: Money
    lines: list[StatementLineShape]
    closing_balance: Money


def render_payoff(view: PayoffView) -> dict[str, object]:
    """A payoff as JSON."""
    written, payoff = amount_writer(view.currency), view.payoff
    return {
        "loan_id": view.loan_id,
        "version": view.version,
        "on": view.on,
        "preclosure_interest": view.preclosure_interest,
        "interest_until": payoff.until,
        "currency": view.currency,
        "principal": written(payoff.principal_minor),
        "interest": written(payoff.interest_minor),
        "fees": written(payoff.fees_minor),
        "penalties": written(payoff.penalties_minor),
        "amount": written(payoff.amount_minor),
    }


def render_statement(view: StatementView) -> dict[str, object]:
    """A statement as JSON."""
    told, written = view.statement, amount_writer(view.currency)
    return {
        "loan_id": view.loan_id,
        "number": view.number,
        "version": view.version,
        "currency": view.currency,
        "from": told.since,
        "to": told.until,
        "opening_balance": written(told.opening_minor),
        "lines": [
            {
                "date": line.day,
                "entry": line.entry,
                "reference": line.reference,
                "note": line.note,
                "debit": written(line.debit_minor),
                "credit": written(line.credit_minor),
                "balance": written(line.balance_minor),
                "allocation": _split(line, view.currency) or None,
            }
            for line in told.lines
        ],
        "closing_balance": written(told.closing_minor),
    }


def statement_csv(view: StatementView) -> str:
    """A statement as CSV: a line of names, the opening balance, what moved it, the closing one."""
    return csv_text(CSV_COLUMNS, _csv_rows(view))


def _csv_rows(view: StatementView) -> Iterator[dict[str, object]]:
    told, written = view.statement, amount_writer(view.currency)
    shared = {"currency": view.currency}
    opening = written(told.opening_minor)
    yield {"date": told.since, "entry": OPENING, "balance": opening, **shared}
    for line in told.lines:
        yield {
            "date": line.day,
            "entry": line.entry,
            "reference": line.reference,
            "note": line.note,
            "debit": written(line.debit_minor) if line.debit_minor else None,
            "credit": written(line.credit_minor) if line.credit_minor else None,
            "balance": written(line.balance_minor),
            **shared,
            **_split(line, view.currency),
        }
    closing = written(told.closing_minor)
    yield {"date": told.until, "entry": CLOSING, "balance": closing, **shared}


def _split(line: StatementLine, currency: str) -> dict[str, object]:
    if line.split is None:
        return {}
    written = amount_writer(currency)
    return {
        "principal": written(line.split.principal_minor),
        "interest": written(line.split.interest_minor),
        "fees": written(line.split.fees_minor),
        "penalties": written(line.split.penalties_minor),
        "excess": written(line.split.excess_minor),
    }

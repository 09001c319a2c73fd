"""Shapes of the books and of the audit trail, and how views fill them."""

from __future__ import annotations

from itertools import groupby
from typing import Literal

from domain.accounting.journal import JournalMemo
from domain.accounting.views import AccountBalance, AuditView, JournalEntryView, TrialBalanceView
from domain.loan.ledger_amounts import LedgerAccount
from domain.money import format_minor
from web.api.facts.shapes import render_facts
from web.requests.fields import Day, Id, Instant, Money, ResponseShape


class JournalLineShape(ResponseShape):
    """One side of an entry."""

    account: LedgerAccount
    side: Literal["debit", "credit"]
    amount: Money


class JournalEntryShape(ResponseShape):
    """One balanced entry: number `entry` of those that the event `event_id` posted.

    It counts on `value_date`, and was posted `at` an instant of the business day `posted_on`.
    """

    event_id: Id
    entry: int
    loan_id: Id
    branch_id: Id | None
    payment_id: Id | None
    memo: JournalMemo
    currency: str
    value_date: Day
    at: Instant
    posted_on: Day
    lines: list[JournalLineShape]


class JournalEntryList(ResponseShape):
    """A page of entries."""

    items: list[JournalEntryShape]
    next_cursor: str | None
    total: int | None = None


class AccountBalanceShape(ResponseShape):
    """One ledger account; `balance` is its debits less its credits."""

    account: LedgerAccount
    debit: Money
    credit: Money
    balance: Money


class TrialBalanceTotals(ResponseShape):
    """The sums over all ledger accounts: `balance` is nothing, or the books are wrong."""

    debit: Money
    credit: Money
    balance: Money


class CurrencyBalance(ResponseShape):
    """The ledger accounts in one currency on which anything was posted."""

    currency: str
    accounts: list[AccountBalanceShape]
    totals: TrialBalanceTotals


class TrialBalanceShape(ResponseShape):
    """The balances at the end of the business day `on`, by value date.

    With `posted_to` of what was posted until the end of that day alone; else null, of all.
    """

    on: Day
    posted_to: Day | None
    currencies: list[CurrencyBalance]


class AuditShape(ResponseShape):
    """Who did what; `before` and `after` tell of the thing what matters, amounts in minor units."""

    id: Id
    at: Instant
    actor_id: Id | None
    action: str
    entity_type: str
    entity_id: Id | None
    branch_id: Id | None
    request_id: str
    address: str
    before: dict[str, object] | None
    after: dict[str, object] | None


class AuditList(ResponseShape):
    """A page of the audit trail."""

    items: list[AuditShape]
    next_cursor: str | None
    total: int | None = None


def render_entry(entry: JournalEntryView) -> dict[str, object]:
    """An entry as JSON."""
    return {
        "event_id": entry.event_id,
        "entry": entry.entry,
        "loan_id": entry.loan_id,
        "branch_id": entry.branch_id,
        "payment_id": entry.payment_id,
        "memo": entry.memo,
        "currency": entry.currency,
        "value_date": entry.value_date,
        "at": entry.at,
        "posted_on": entry.posted_on,
        "lines": [
            {
                "account": line.account,
                "side": line.side,
                "amount": format_minor(line.amount_minor, entry.currency),
            }
            for line in entry.lines
        ],
    }


def render_trial_balance(view: TrialBalanceView) -> dict[str, object]:
    """The trial balance as JSON, currency by currency."""
    return {
        "on": view.on,
        "posted_to": view.posted_until,
        "currencies": [
            _render_currency(currency, list(balances))
            for currency, balances in groupby(view.balances, key=lambda one: one.currency)
        ],
    }


def render_audit(line: AuditView) -> dict[str, object]:
    """A line of the audit trail as JSON."""
    told = {name: getattr(line, name) for name in AuditShape.model_fields}
    for name in ("before", "after"):
        kept = told[name]
        told[name] = None if kept is None else render_facts(kept, line.currency)
    return told


def _render_currency(currency: str, balances: list[AccountBalance]) -> dict[str, object]:
    debit = sum(one.debit_minor for one in balances)
    credit = sum(one.credit_minor for one in balances)
    return {
        "currency": currency,
        "accounts": [
            {
                "account": one.account,
                "debit": format_minor(one.debit_minor, currency),
                "credit": format_minor(one.credit_minor, currency),
                "balance": format_minor(one.balance_minor, currency),
            }
            for one in balances
        ],
        "totals": {
            "debit": format_minor(debit, currency),
            "credit": format_minor(credit, currency),
            "balance": format_minor(debit - credit, currency),
        },
    }

"""The books: journal entries, the trial balance, and the audit trail."""

from __future__ import annotations

from typing import Final

from domain.access.audit_trail import AUDIT_ACTIONS, AUDIT_ENTITIES
from domain.accounting.views import TrialBalanceView
from domain.loan.ledger_amounts import LedgerAccount
from domain.queries import ListAudit, ListJournalEntries, ReadTrialBalance
from domain.reports.views import Page
from web.api.ledger.shapes import (
    AuditList,
    JournalEntryList,
    TrialBalanceShape,
    render_audit,
    render_entry,
    render_trial_balance,
)
from web.requests.parsing import Parameter
from web.responses.problems import Problem, bad_parameter
from web.responses.replies import Outcome, Reply
from web.routing.call import Call
from web.routing.route import (
    PAGING,
    SINCE,
    UNTIL,
    Route,
    day_parameter,
    id_parameter,
    name_parameter,
)


def _account(text: str) -> LedgerAccount | None:
    return LedgerAccount(text) if text in set(LedgerAccount) else None


ACCOUNT: Final = Parameter(
    "account",
    _account,
    "a ledger account",
    {"type": "string", "enum": [str(account) for account in LedgerAccount]},
)
POSTED_FROM: Final = day_parameter("posted_from")
POSTED_TO: Final = day_parameter("posted_to")


async def list_journal_entries(call: Call) -> Outcome:
    """A page of the entries in sight, narrowed by loan, account, value date and day of posting."""
    page = call.page()
    if isinstance(page, Problem):
        return page
    query = ListJournalEntries(
        page,
        loan_id=call.query.get("loan_id"),
        account=call.query.get("account"),
        since=call.query.get("from"),
        until=call.query.get("to"),
        posted_since=call.query.get("posted_from"),
        posted_until=call.query.get("posted_to"),
    )
    wrong = backwards(call) or backwards(call, "posted_from", "posted_to")
    if wrong is not None:
        return wrong
    found = await call.ask(query, Page)
    return found if isinstance(found, Problem) else call.listed(found, render_entry)


async def read_trial_balance(call: Call) -> Outcome:
    """The balance of every ledger account at the end of a day, as known now or as posted then."""
    query = ReadTrialBalance(
        call.query.get("on"), call.query.get("branch_id"), call.query.get("posted_to")
    )
    balance = await call.ask(query, TrialBalanceView)
    return balance if isinstance(balance, Problem) else Reply(render_trial_balance(balance))


async def list_audit(call: Call) -> Outcome:
    """A page of the audit trail, narrowed by who, what, which thing and when."""
    page = call.page()
    if isinstance(page, Problem):
        return page
    query = ListAudit(
        page,
        actor_id=call.query.get("actor_id"),
        action=call.query.get("action"),
        entity_type=call.query.get("entity_type"),
        entity_id=call.query.get("entity_id"),
        since=call.query.get("from"),
        until=call.query.get("to"),
    )
    wrong = backwards(call)
    if wrong is not None:
        return wrong
    found = await call.ask(query, Page)
    return found if isinstance(found, Problem) else call.listed(found, render_audit)


def backwards(call: Call, first: str = "from", last: str = "to") -> Problem | None:
    """Refuse a span of days that ends before it begins."""
    since, until = call.query.get(first), call.query.get(last)
    if since is not None and until is not None and until < since:
        return bad_parameter(last, f"must not be before '{first}'")
    return None


BOOKS: Final = (
    Route(
        method="GET",
        path="/journal/entries",
        handler=list_journal_entries,
        summary="The entries of the books",
        tag="books",
        answers={200: JournalEntryList},
        query=(*PAGING, id_parameter("loan_id"), ACCOUNT, SINCE, UNTIL, POSTED_FROM, POSTED_TO),
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/journal/trial-balance",
        handler=read_trial_balance,
        summary="The trial balance of a day",
        tag="books",
        answers={200: TrialBalanceShape},
        query=(day_parameter("on"), id_parameter("branch_id"), POSTED_TO),
        problems=(403,),
    ),
    Route(
        method="GET",
        path="/audit",
        handler=list_audit,
        summary="The audit trail",
        tag="books",
        answers={200: AuditList},
        query=(
            *PAGING,
            id_parameter("actor_id"),
            name_parameter("action", AUDIT_ACTIONS, "an action of the audit trail"),
            name_parameter("entity_type", AUDIT_ENTITIES, "a kind of thing that it is about"),
            id_parameter("entity_id"),
            SINCE,
            UNTIL,
        ),
        problems=(403,),
    ),
)

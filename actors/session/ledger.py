"""The books desk: answers questions about the journal and the audit trail, as far as one may see.

Stateless: one for all session actors of a worker. It writes nothing: entries are posted with the
events that cause them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from actors.messages.user_session import Answered
from actors.ports.readings import Books
from actors.ports.stores import Clock
from actors.session.loan_decisions import not_allowed
from domain.access.account import Account
from domain.access.roles import Action, sight
from domain.queries import BooksQuery, ListAudit, ListJournalEntries, ReadTrialBalance


@dataclass(frozen=True, slots=True)
class BooksDesk:
    """Answers whoever may read the books; a manager sees those of his branch."""

    books: Books
    clock: Clock

    async def answer(self, account: Account, query: BooksQuery) -> Answered:
        """Answer `query`. May raise an Outage."""
        seen = sight(account.principal, Action.READ_BOOKS)
        if seen is None:
            return not_allowed(account.principal, "read the books")
        match query:
            case ListJournalEntries():
                return await self.books.entries(query, seen)
            case ReadTrialBalance():
                on = query.on or self.clock.today()
                return await self.books.trial_balance(on, query.branch_id, seen, query.posted_until)
            case ListAudit():
                return await self.books.audit(query, seen)
            case _:
                assert_never(query)

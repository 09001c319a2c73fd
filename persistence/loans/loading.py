"""A loan as it is kept, made whole: by its own row, or by its events where the row is not enough.

The events are asked for only when a loan needs a book and the row has none that this program reads:
it was written before books were kept, or by another release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from domain.identifiers import LoanId
from domain.loan.decision import History
from domain.loan.loan import Loan
from domain.loan.replay import replay
from persistence.loans.event_codec import event_of
from persistence.loans.rows import is_kept_whole, loan_of
from persistence.loans.sql import SELECT_HISTORY
from persistence.postgres.statements import Statement


class Source(Protocol):
    """Whatever runs a statement: a transaction, or the pool."""

    async def fetch(self, statement: Statement, /, **values: object) -> list[Any]:
        """All rows."""


async def whole_loan(source: Source, row: Mapping[str, Any]) -> Loan:
    """The loan of a row that has its instalments beside it, with its book if it needs one."""
    loan = loan_of(row)
    if is_kept_whole(row, loan):
        return loan
    seen = (await history_of(source, loan.id))[: loan.version]
    return replace(loan, book=replay(seen)[0].book)


async def history_of(source: Source, loan_id: LoanId) -> History:
    """All events of a loan, in the order in which they were committed."""
    rows = await source.fetch(SELECT_HISTORY, loan_id=loan_id)
    return tuple([event_of(row) for row in rows])

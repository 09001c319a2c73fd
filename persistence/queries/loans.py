# ruff: noqa: S608  the texts are put together from constants of this program alone
"""Questions about loans, payments and comments: each one read, limited in SQL to what is in sight.

What is out of sight is not there. Nothing is written here.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final, final
from uuid import UUID

from sqlalchemy import text

from domain.access.roles import Sight
from domain.events.events import LoanEvent
from domain.identifiers import LoanId, PaymentId, UserId
from domain.loan.loan import Loan
from domain.queries import ListComments, ListLoanEvents, ListLoans, ListPayments
from domain.reports.portfolio_arrears import BookOnDay, TooManyLoans
from domain.reports.views import (
    CommentView,
    EventView,
    LoanView,
    Page,
    PaymentView,
    StatisticsView,
)
from persistence.connections import Connections
from persistence.loans.loading import history_of, whole_loan
from persistence.loans.rows import LOAN_VIEW_SQL, terms_of, view_of_loan, view_of_payment
from persistence.loans.sql import PAYMENT_VIEW_SQL, SELECT_LOAN
from persistence.postgres.keyset import KeysetList, in_sight
from persistence.postgres.statements import compiled
from persistence.queries.arrears import book_on
from persistence.queries.statistics import statistics

_PAYMENTS: Final = "payments AS p JOIN payment_projections AS x ON x.payment_id = p.id"

SELECT_LOAN_VIEW: Final = compiled(
    text(
        f"SELECT {LOAN_VIEW_SQL}, l.further_terms FROM loans AS l"
        " WHERE l.id = CAST(:loan_id AS uuid)"
    )
)
SELECT_PAYMENT_VIEW: Final = compiled(
    text(
        f"SELECT {PAYMENT_VIEW_SQL}, x.branch_id, x.customer_id FROM {_PAYMENTS}"
        " WHERE p.id = CAST(:payment_id AS uuid)"
    )
)
SELECT_PLACE: Final = compiled(
    text("SELECT branch_id, customer_id FROM loans WHERE id = CAST(:loan_id AS uuid)")
)

LOANS: Final = KeysetList(
    LOAN_VIEW_SQL,
    "loans AS l",
    "l.id",
    {
        "seen_branch": "l.branch_id = CAST(:seen_branch AS uuid)",
        "seen_customer": "l.customer_id = CAST(:seen_customer AS uuid)",
        "customer_id": "l.customer_id = CAST(:customer_id AS uuid)",
        "status": "l.status = CAST(:status AS text)",
        "branch_id": "l.branch_id = CAST(:branch_id AS uuid)",
    },
)
# In sight are those of a branch or a customer, found by the projection's own indexes.
PAYMENTS_IN_SIGHT: Final = KeysetList(
    PAYMENT_VIEW_SQL,
    "payment_projections AS x JOIN payments AS p ON p.id = x.payment_id",
    "x.payment_id",
    {
        "seen_branch": "x.branch_id = CAST(:seen_branch AS uuid)",
        "seen_customer": "x.customer_id = CAST(:seen_customer AS uuid)",
        "status": "x.status = CAST(:status AS text)",
        "type": "p.type = CAST(:type AS text)",
    },
)
PAYMENTS_OF_LOAN: Final = KeysetList(
    PAYMENT_VIEW_SQL,
    _PAYMENTS,
    "p.id",
    {
        "seen_branch": "x.branch_id = CAST(:seen_branch AS uuid)",
        "seen_customer": "x.customer_id = CAST(:seen_customer AS uuid)",
        "loan_id": "p.loan_id = CAST(:loan_id AS uuid)",
        "status": "x.status = CAST(:status AS text)",
        "type": "p.type = CAST(:type AS text)",
    },
)
# An event comes from elsewhere with an id of its own: the version says when it was kept.
EVENTS: Final = KeysetList(
    "e.id, e.version, e.type, e.at, e.value_date, e.by, e.data, l.currency",
    "loan_events AS e JOIN loans AS l ON l.id = e.loan_id",
    "e.version",
    {"loan_id": "e.loan_id = CAST(:loan_id AS uuid)"},
    after="(SELECT b.version FROM loan_events AS b WHERE b.id = CAST(:after AS uuid))",
)
COMMENTS: Final = KeysetList(
    "c.id, c.loan_id, c.author_id, c.body, c.created_at",
    "comments AS c",
    "c.id",
    {"loan_id": "c.loan_id = CAST(:loan_id AS uuid)"},
)


@final
class PostgresReadings:
    """Satisfies the port `Readings`. Every method may raise an Outage."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def loan(self, loan_id: LoanId, sight: Sight) -> LoanView | None:
        """One loan, with its terms; None when it is not there or not in sight."""
        row = await self._connections.run(
            self._connections.pool.fetchrow, SELECT_LOAN_VIEW, loan_id=loan_id
        )
        if row is None or not _covers(sight, row):
            return None
        return view_of_loan(row)._replace(terms=terms_of(row))

    async def loan_state(self, loan_id: LoanId, sight: Sight) -> Loan | None:
        """The whole aggregate, with its instalments."""
        return await self._connections.run(self._loan_state, loan_id, sight)

    async def loans(self, query: ListLoans, sight: Sight) -> Page[LoanView]:
        """A page of loans, oldest first unless the request says otherwise."""
        narrowed = in_sight(sight)
        if query.customer_id is not None:
            narrowed["customer_id"] = query.customer_id
        if query.status is not None:
            narrowed["status"] = query.status.value
        if query.branch_id is not None:
            narrowed["branch_id"] = query.branch_id
        return await self._connections.run(
            LOANS.page, self._connections.pool, query.page, narrowed, view_of_loan
        )

    async def events(self, query: ListLoanEvents, sight: Sight) -> Page[EventView] | None:
        """A page of a loan's history; None when the loan is not in sight."""
        return await self._connections.run(self._events, query, sight)

    async def history(self, loan_id: LoanId, sight: Sight) -> tuple[LoanEvent, ...] | None:
        """All events of a loan; None when the loan is not in sight."""
        return await self._connections.run(self._history, loan_id, sight)

    async def book_on(
        self, day: date, branch_id: UUID | None, sight: Sight
    ) -> BookOnDay | TooManyLoans:
        """What is known of the loans that were out on `day`, of one moment."""
        return await self._connections.run(book_on, self._connections.pool, day, branch_id, sight)

    async def payment(self, payment_id: PaymentId, sight: Sight) -> PaymentView | None:
        """One payment; None when it is not there or not in sight."""
        row = await self._connections.run(
            self._connections.pool.fetchrow, SELECT_PAYMENT_VIEW, payment_id=payment_id
        )
        return view_of_payment(row) if row is not None and _covers(sight, row) else None

    async def payments(self, query: ListPayments, sight: Sight) -> Page[PaymentView]:
        """A page of payments; empty for a loan that is not in sight."""
        narrowed = in_sight(sight)
        rows = PAYMENTS_IN_SIGHT
        if query.loan_id is not None:
            narrowed["loan_id"] = query.loan_id
            rows = PAYMENTS_OF_LOAN
        if query.status is not None:
            narrowed["status"] = query.status.value
        if query.type is not None:
            narrowed["type"] = query.type.value
        return await self._connections.run(
            rows.page, self._connections.pool, query.page, narrowed, view_of_payment
        )

    async def comments(self, query: ListComments, sight: Sight) -> Page[CommentView] | None:
        """A page of a loan's comments; None when the loan is not in sight."""
        return await self._connections.run(self._comments, query, sight)

    async def statistics(self, sight: Sight, today: date) -> StatisticsView:
        """The dashboard's figures over what is in sight, current to the last commit."""
        return await self._connections.run(statistics, self._connections.pool, sight, today)

    async def _loan_state(self, loan_id: LoanId, sight: Sight) -> Loan | None:
        row = await self._connections.pool.fetchrow(SELECT_LOAN, loan_id=loan_id)
        if row is None or not _covers(sight, row):
            return None
        return await whole_loan(self._connections.pool, row)

    async def _events(self, query: ListLoanEvents, sight: Sight) -> Page[EventView] | None:
        if not await self._is_in_sight(query.loan_id, sight):
            return None
        narrowed = {"loan_id": query.loan_id}
        return await EVENTS.page(self._connections.pool, query.page, narrowed, _event_view)

    async def _history(self, loan_id: LoanId, sight: Sight) -> tuple[LoanEvent, ...] | None:
        if not await self._is_in_sight(loan_id, sight):
            return None
        return await history_of(self._connections.pool, loan_id)

    async def _comments(self, query: ListComments, sight: Sight) -> Page[CommentView] | None:
        if not await self._is_in_sight(query.loan_id, sight):
            return None
        narrowed = {"loan_id": query.loan_id}
        return await COMMENTS.page(self._connections.pool, query.page, narrowed, _comment_view)

    async def _is_in_sight(self, loan_id: LoanId, sight: Sight) -> bool:
        place = await self._connections.pool.fetchrow(SELECT_PLACE, loan_id=loan_id)
        return place is not None and _covers(sight, place)


def _covers(sight: Sight, row: Any) -> bool:
    """For a single row, which is read in any case; lists are limited in SQL."""
    return sight.covers(branch_id=row["branch_id"], customer_id=UserId(row["customer_id"]))


def _event_view(row: Any) -> EventView:
    return EventView(
        id=row["id"],
        version=row["version"],
        type=row["type"],
        at=row["at"],
        value_date=row["value_date"],
        by=row["by"],
        data=row["data"],
        currency=row["currency"],
    )


def _comment_view(row: Any) -> CommentView:
    return CommentView(**dict(row))

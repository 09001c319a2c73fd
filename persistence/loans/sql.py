# ruff: noqa: S608  the texts are put together from constants of this program alone
"""The SQL of the loan book: locking what is decided on, and looking at what it depends on.

Lock and read are one statement, which saves a round trip and has a catch: what is read beside the
locked row is read as of before the wait for the lock. So the row is also read as it was then,
`seen_version`; when that differs, somebody was faster, and the same statement is sent again, which
now waits for nobody and sees all.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from persistence.accounts.rows import ACCOUNT_SQL
from persistence.commit.idempotency import CLAIM_PART
from persistence.loans.rows import INSTALMENT_FIELDS, PAYMENT_VIEW_FIELDS
from persistence.postgres.statements import Statement, compiled
from persistence.tables import PAYMENTS

_FACT: Final = frozenset(column.name for column in PAYMENTS.columns) - {"method", "reference"}
_OF_PAYMENT: Final = tuple(f"{'p' if n in _FACT else 'x'}.{n}" for n in PAYMENT_VIEW_FIELDS)
PAYMENT_VIEW_SQL: Final = ", ".join(_OF_PAYMENT)
"""The columns of a PaymentView in its order, from payments AS p, payment_projections AS x."""
_AS_STOOD: Final = ", ".join(f"{column} AS stood_{column[2:]}" for column in _OF_PAYMENT)

INSTALMENTS_SQL: Final = (
    "SELECT "
    + ", ".join(f"array_agg({name}) AS i_{name}" for name in INSTALMENT_FIELDS)
    + " FROM (SELECT * FROM instalments AS i WHERE i.loan_id = {loan}.id ORDER BY number) AS o"
)
"""One array a field, in the order of the numbers; NULL when there are none."""


def _lock(*, claim: bool, payment: bool) -> Statement:
    """The loan with its instalments, locked; first a claim of the key; a payment as it stands."""
    first = f"{CLAIM_PART}," if claim else ""
    wanted = "id = CAST(:loan_id AS uuid)" + (" AND EXISTS (SELECT FROM claim)" if claim else "")
    parts = [
        f"WITH {first} locked AS MATERIALIZED",
        f"(SELECT * FROM loans WHERE {wanted} FOR NO KEY UPDATE)",
        f"SELECT {'EXISTS (SELECT FROM claim)' if claim else 'TRUE'} AS claimed,",
        f"locked.*, seen.version AS seen_version, rows.*{', paid.*' if payment else ''}",
        "FROM (VALUES (1)) AS one (n) LEFT JOIN locked ON TRUE",
        "LEFT JOIN loans AS seen ON seen.id = locked.id",
        f"LEFT JOIN LATERAL ({INSTALMENTS_SQL.format(loan='locked')}) AS rows ON TRUE",
    ]
    if payment:
        parts += [
            f"LEFT JOIN (SELECT {_AS_STOOD} FROM payments AS p",
            "JOIN payment_projections AS x ON x.payment_id = p.id",
            "WHERE p.id = CAST(:payment_id AS uuid)) AS paid ON TRUE",
        ]
    return compiled(text("\n".join(parts)))


LOCK_LOAN: Final = {
    (claim, payment): _lock(claim=claim, payment=payment)
    for claim in (False, True)
    for payment in (False, True)
}

SELECT_HISTORY: Final = compiled(
    text(
        "SELECT id, loan_id, version, type, data, value_date, at, by FROM loan_events"
        " WHERE loan_id = CAST(:loan_id AS uuid) ORDER BY version"
    )
)

TAKE_TIME: Final = compiled(text("SET LOCAL idle_in_transaction_session_timeout = 60000"))

# For an application: a fresh number, whose customer, which branch when none is named.
SELECT_DESK: Final = compiled(
    text(
        "SELECT n.loan_number_prefix || '-' || lpad(nextval('loan_numbers')::text, 6, '0')"
        f" AS number, n.default_branch_id, {ACCOUNT_SQL}"
        " FROM node AS n LEFT JOIN users AS u ON u.id = CAST(:customer_id AS uuid)"
    )
)

# Whose accounts the people are of whom a decision says that they must be several.
SELECT_PEOPLE: Final = compiled(
    text(f"SELECT {ACCOUNT_SQL} FROM users AS u WHERE u.id = ANY (CAST(:ids AS uuid[]))")
)

SELECT_LOAN: Final = compiled(
    text(
        "SELECT l.*, rows.* FROM loans AS l"
        f" LEFT JOIN LATERAL ({INSTALMENTS_SQL.format(loan='l')}) AS rows ON TRUE"
        " WHERE l.id = CAST(:loan_id AS uuid)"
    )
)

# Which of a loan's events made the thing of this id. Names in `data` are those of
# persistence/loans/event_codec.py.
SELECT_MADE: Final = compiled(
    text(
        "SELECT version FROM loan_events WHERE loan_id = CAST(:loan_id AS uuid)"
        " AND CAST(:made_id AS text) = CASE type"
        " WHEN 'loan_disbursed' THEN data ->> 'disbursement_id'"
        " WHEN 'charge_added' THEN data ->> 'charge_id'"
        " WHEN 'recovery_received' THEN data ->> 'payment_id'"
        " WHEN 'payment_recorded' THEN data ->> 'payment_id' END"
    )
)

# What stands beside a payment is locked before it is changed, and the payment's place is looked up.
LOCK_PAYMENT: Final = compiled(
    text(
        f"SELECT {PAYMENT_VIEW_SQL}, x.branch_id, x.customer_id"
        " FROM payments AS p JOIN payment_projections AS x ON x.payment_id = p.id"
        " WHERE p.id = CAST(:payment_id AS uuid) FOR NO KEY UPDATE OF x"
    )
)

SELECT_PLACE: Final = compiled(
    text("SELECT branch_id, customer_id FROM loans WHERE id = CAST(:loan_id AS uuid)")
)
SELECT_COMMENT: Final = compiled(
    text(
        "SELECT id, loan_id, author_id, body, created_at FROM comments"
        " WHERE id = CAST(:comment_id AS uuid)"
    )
)

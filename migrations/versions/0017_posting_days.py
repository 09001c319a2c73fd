"""Entries of the journal keep the day on which they were posted, beside that on which they count.

Only expands. Of what was posted before, the day is that of its instant in UTC, and never before its
value date, which was the posting day of most; no fact is touched but for this column, which is new.
An older program beside this one goes on posting: its entries take the day of the database.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE journal_transactions ADD COLUMN posted_on DATE",
    # A change of type writes the table anew, which no trigger on facts sees: no fact changes.
    (
        "ALTER TABLE journal_transactions ALTER COLUMN posted_on TYPE DATE"
        " USING greatest(value_date, CAST(at AT TIME ZONE 'UTC' AS date))"
    ),
    (
        "ALTER TABLE journal_transactions ALTER COLUMN posted_on SET DEFAULT CURRENT_DATE,"
        " ALTER COLUMN posted_on SET NOT NULL"
    ),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)

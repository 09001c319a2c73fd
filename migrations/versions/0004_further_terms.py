"""Further terms: what of a loan's terms has no column of its own, and money in suspense.

Only expands: a program that knows neither column goes on reading and writing the usual terms.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE loans ADD COLUMN further_terms JSONB")
    op.execute("ALTER TABLE loans ADD COLUMN suspense_minor BIGINT DEFAULT 0 NOT NULL")
    op.execute(
        "ALTER TABLE loans ADD CONSTRAINT ck_loans_suspense CHECK (suspense_minor >= 0) NOT VALID"
    )
    op.execute("ALTER TABLE loans VALIDATE CONSTRAINT ck_loans_suspense")

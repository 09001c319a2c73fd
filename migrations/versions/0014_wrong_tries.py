"""Wrong passwords by account, for all workers to know of.

Only expands.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

WRONG_TRIES = """
    CREATE TABLE wrong_tries (
        account BYTEA NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT ck_wrong_tries_account CHECK (octet_length(account) = 32)
    )
"""


def upgrade() -> None:
    op.execute(WRONG_TRIES)
    op.execute("CREATE INDEX ix_wrong_tries_account_at ON wrong_tries (account, at)")
    op.execute("CREATE INDEX ix_wrong_tries_at ON wrong_tries (at)")

"""Leadership: the term of the worker that runs the singletons, which their writes carry.

Only expands.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LEADERSHIP = """
    CREATE TABLE leadership (
        singleton BOOLEAN DEFAULT true NOT NULL,
        term BIGINT NOT NULL,
        holder TEXT NOT NULL,
        since TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_leadership PRIMARY KEY (singleton),
        CONSTRAINT ck_leadership_singleton CHECK (singleton),
        CONSTRAINT ck_leadership_term CHECK (term >= 0)
    )
"""
NOBODY_YET = """
    INSERT INTO leadership (term, holder, since) VALUES (0, 'nobody', clock_timestamp())
"""


def upgrade() -> None:
    op.execute(LEADERSHIP)
    op.execute(NOBODY_YET)

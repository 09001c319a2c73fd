"""How far time has gone for what ages out: never faster than the program lived through it.

Only expands. An older program beside this one goes on clearing away by its own clock.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UPKEEP = """
    CREATE TABLE upkeep (
        singleton BOOLEAN DEFAULT true NOT NULL,
        aged_to TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_upkeep PRIMARY KEY (singleton),
        CONSTRAINT ck_upkeep_singleton CHECK (singleton)
    )
"""


def upgrade() -> None:
    op.execute(UPKEEP)
    op.execute("INSERT INTO upkeep (aged_to) VALUES (clock_timestamp())")

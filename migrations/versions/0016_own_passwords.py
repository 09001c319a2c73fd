"""Who made an account, who set its password last, and whether its holder has chosen one since.

Accounts from before have no maker and count as chosen. Only expands: what the release before this
one makes beside it counts so too.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE users ADD COLUMN made_by UUID, ADD COLUMN password_set_by UUID,"
        " ADD COLUMN password_set_at TIMESTAMP WITH TIME ZONE,"
        " ADD COLUMN must_change_password BOOLEAN DEFAULT false NOT NULL"
    )

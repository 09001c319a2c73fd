"""What will be overdue of a loan whose rows do not tell it, by due date.

Only expands. Loans that were kept before have none until their next change, or a rebuild: until
then the dashboard tells of them what their rows say.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE loans ADD COLUMN dues_to_come JSONB")

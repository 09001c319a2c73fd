"""Why a payment was reversed, shown with it. Those that were reversed before have no reason.

Only expands. The reason itself is a fact of the event.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE payment_projections ADD COLUMN reversal_reason TEXT")

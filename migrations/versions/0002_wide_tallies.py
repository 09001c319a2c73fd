"""The dashboard's sums get wider than 64 bits: any number of loans can be added up.

A sum that passed the end of a BIGINT stopped the folding, and with it the change feed. Values stay
as they are, and an older program reads them still.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen both sums in one rewrite; the table has a row a figure, and is small."""
    op.execute(
        "ALTER TABLE tallies ALTER COLUMN total_minor TYPE NUMERIC,"
        " ALTER COLUMN principal_minor TYPE NUMERIC"
    )

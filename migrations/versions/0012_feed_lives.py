"""The feed knows in which life of the database its epoch began, and so when it was put back.

Only expands: whoever stamps leaves the new columns alone, and so may the release before. They are
empty until somebody reads: what cannot be shown to be the same life is another, so that a back-up
of the release before is noticed as well.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE feed_head ADD COLUMN system_identifier BIGINT, ADD COLUMN timeline INTEGER,"
        " ADD COLUMN database_oid BIGINT, ADD COLUMN table_oid BIGINT"
    )

"""No fingerprint of a body that holds a password.

The release before had passwords in the quick hash by which a repeated request is known. Those
hashes are deleted; the keys and their answers stay, so that a request that is repeated after the
upgrade is answered as before and carried out no second time. Only expands: the release before reads
such a record as that of another request, and does nothing twice either.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE idempotency_keys ALTER COLUMN fingerprint DROP NOT NULL")
    op.execute(
        """UPDATE idempotency_keys SET fingerprint = NULL
        WHERE method = 'POST' AND path ~ '^/users(/[^/]+/password)?/?$'"""
    )

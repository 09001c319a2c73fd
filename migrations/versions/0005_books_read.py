"""Indexes for reading the books and the audit trail page by page."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEXES = (
    """
    CREATE INDEX ix_journal_transactions_branch_id_event_id_entry
        ON journal_transactions (branch_id, event_id, entry)
    """,
    "CREATE INDEX ix_audit_actor_id_id ON audit (actor_id, id)",
    "CREATE INDEX ix_audit_entity_id_id ON audit (entity_id, id)",
)


def upgrade() -> None:
    for statement in INDEXES:
        op.execute(statement)

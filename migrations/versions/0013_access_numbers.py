"""A number on each user that rises with every change of what he may do.

Whatever is written on a user's authority is written only while the number is the one on which was
judged (ADR 0009). A trigger raises it, so that the release before this one, beside it, does too.
Only expands.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

RAISE = """
    CREATE FUNCTION raise_access_number() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.access_number := greatest(NEW.access_number, OLD.access_number + 1);
        RETURN NEW;
    END $$
"""
ON_CHANGE = """
    CREATE TRIGGER users_raise_access_number BEFORE UPDATE OF role, branch_id, is_active ON users
        FOR EACH ROW
        WHEN ((OLD.role, OLD.branch_id, OLD.is_active)
              IS DISTINCT FROM (NEW.role, NEW.branch_id, NEW.is_active))
        EXECUTE FUNCTION raise_access_number()
"""


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD COLUMN access_number BIGINT DEFAULT 1 NOT NULL")
    op.execute(RAISE)
    op.execute(ON_CHANGE)

"""Sockets: the tickets that open them, and who is present at which worker.

Only expands. None of it is a fact: what is in these tables is of use for seconds.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CONNECT_TICKETS = """
    CREATE TABLE connect_tickets (
        digest BYTEA NOT NULL,
        user_id UUID NOT NULL,
        session_id UUID NOT NULL,
        access_until TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_connect_tickets PRIMARY KEY (digest)
    )
"""
PRESENCE_WORKERS = """
    CREATE TABLE presence_workers (
        id UUID NOT NULL,
        node TEXT NOT NULL,
        name TEXT NOT NULL,
        seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_presence_workers PRIMARY KEY (id)
    )
"""
PRESENCE = """
    CREATE TABLE presence (
        user_id UUID NOT NULL,
        worker_id UUID NOT NULL,
        sockets INTEGER NOT NULL,
        since TIMESTAMP WITH TIME ZONE NOT NULL,
        left_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_presence PRIMARY KEY (user_id, worker_id),
        CONSTRAINT ck_presence_sockets CHECK (sockets >= 0),
        CONSTRAINT ck_presence_left CHECK ((sockets = 0) = (left_at IS NOT NULL))
    )
"""


def upgrade() -> None:
    op.execute(CONNECT_TICKETS)
    op.execute(PRESENCE_WORKERS)
    op.execute(PRESENCE)

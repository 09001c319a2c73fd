"""Alembic's entry: runs the migrations on the connection that persistence/schema.py hands in.

It makes no connection of its own, reads no configuration and knows no offline mode.
"""

from __future__ import annotations

from alembic import context

from persistence.tables import METADATA


def _run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection, target_metadata=METADATA, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


_run()

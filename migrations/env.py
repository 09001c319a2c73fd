"""Alembic's entry: runs the migrations on the connection that persistence/schema.py hands in.

It makes no connection of its own, reads no configuration and knows no offline mode.
"""

from __future__ import annotations

from alembic import context
from alembic.runtime.migration import MigrationInfo

from persistence.tables import METADATA


def _run() -> None:
    connection = context.config.attributes["connection"]
    on_step = context.config.attributes.get("on_step")

    def applied(ctx: object, step: MigrationInfo, heads: object, run_args: object) -> None:
        del ctx, heads, run_args
        if on_step is not None:
            on_step(step.up_revision_id)

    context.configure(
        connection=connection,
        target_metadata=METADATA,
        transaction_per_migration=True,
        on_version_apply=applied,
    )
    with context.begin_transaction():
        context.run_migrations()


_run()

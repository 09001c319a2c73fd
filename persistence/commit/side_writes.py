"""What a transaction has beside its own rows: its author, audit, tallies, answer, notices.

One vocabulary for all of them, so that no unit of work forgets one or spells it differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Table

from domain.commands.loans import CommandContext, IdempotencyClaim
from domain.notifications.notification import Notice
from domain.rejections import AccessRefusal, Rejected
from persistence.commit.dashboard_counters import Deltas, delta_rows
from persistence.commit.idempotency import TYPE_NAMES, RolledBack, View
from persistence.commit.write_plan import (
    PartBuilder,
    WritePlan,
    find_one,
    insert_many,
    insert_one,
    update_one,
)
from persistence.tables import AUDIT, FEED_STAGING, IDEMPOTENCY_KEYS, TALLY_DELTAS, USERS

STAGED_COLUMNS: Final = ("type", "branch_id", "customer_id", "topic", "data")
KEY_COLUMNS: Final = ("user_id", "method", "path", "key")


def all_columns(table: Table) -> tuple[str, ...]:
    """The names of a table's columns, in order."""
    return tuple(column.name for column in table.columns)


# The notices come last of all parts: persistence/commit/write_plan.py says why.
BESIDE: Final[Mapping[str, PartBuilder]] = {
    "author": lambda: find_one("author", USERS, ("id", "access_number")),
    "audit": lambda: insert_one("audit", AUDIT, all_columns(AUDIT)),
    "tallies": lambda: insert_many("tallies", TALLY_DELTAS, all_columns(TALLY_DELTAS)),
    "answer": lambda: update_one("answer", IDEMPOTENCY_KEYS, KEY_COLUMNS, ("view_type", "view")),
    "staging": lambda: insert_many("staging", FEED_STAGING, STAGED_COLUMNS),
}


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit trail; `before` and `after` hold JSON values and no secret."""

    id: UUID
    at: datetime
    actor_id: UUID | None
    action: str
    entity_type: str
    entity_id: UUID | None
    branch_id: UUID | None
    request_id: str
    address: str
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None

    def values(self) -> dict[str, object]:
        """The columns."""
        return {name: getattr(self, name) for name in _AUDIT_FIELDS}


_AUDIT_FIELDS: Final = all_columns(AUDIT)


ACCESS_CHANGED: Final = Rejected(
    AccessRefusal.ACCESS_CHANGED,
    "What you may do was changed while this was carried out. Nothing was done; ask again.",
)


def authored(plan: WritePlan, context: CommandContext) -> None:
    """Write nothing unless the author's access is still the one on which was judged.

    Otherwise RolledBack with ACCESS_CHANGED. One look by primary key in the statement that writes:
    no lock, no row written, no further round trip.
    """
    if context.access_number is not None:
        author = {"id": context.principal.user_id, "access_number": context.access_number}
        plan.only_if("author", author, RolledBack(ACCESS_CHANGED))


def audit(plan: WritePlan, entry: AuditEntry) -> None:
    """Say who did what."""
    plan.one("audit", entry.values())


def tally(plan: WritePlan, deltas: Deltas) -> None:
    """Add to the dashboard's figures."""
    plan.many("tallies", delta_rows(deltas))


def stage(plan: WritePlan, notices: Iterable[Notice]) -> None:
    """Tell others, once this is committed and stamped."""
    plan.many(
        "staging",
        [
            {
                "type": notice.type.value,
                "branch_id": notice.audience.branch_id,
                "customer_id": notice.audience.customer_id,
                "topic": notice.topic,
                "data": dict(notice.data),
            }
            for notice in notices
        ],
    )


def answer(plan: WritePlan, context: CommandContext, view: View) -> None:
    """Keep what is answered, for whoever repeats the request under the same key."""
    claim = context.idempotency
    if claim is not None:
        plan.one(
            "answer",
            {**key_values(claim, "key_"), "view_type": TYPE_NAMES[type(view)], "view": view},
        )


def key_values(claim: IdempotencyClaim, prefix: str = "") -> dict[str, object]:
    """The key of a claim, by column."""
    return {f"{prefix}{name}": getattr(claim, name) for name in KEY_COLUMNS}

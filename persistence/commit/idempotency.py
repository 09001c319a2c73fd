"""Idempotency keys: one effect a key, and the same answer to whoever repeats the request.

The key is claimed by an INSERT at the beginning of the transaction of the effect, so that a twin
waits there for its commit; the answer is stored at its end. A rollback frees the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import msgspec
from sqlalchemy import text

from domain.access.account import Account
from domain.commands.loans import IdempotencyClaim
from domain.loan.decision import Committed
from domain.rejections import IdempotencyRefusal, Rejected
from domain.reports.views import AnnouncementView, CommentView, LoanView, PaymentView
from domain.terms.product import ProductView
from persistence.postgres.errors import TransactionConflict
from persistence.postgres.statements import Statement, compiled
from persistence.postgres.transaction import Transaction

View = LoanView | PaymentView | CommentView | Account | AnnouncementView | ProductView

VIEW_TYPES: Final[Mapping[str, type[View]]] = {
    "loan": LoanView,
    "payment": PaymentView,
    "comment": CommentView,
    "account": Account,
    "announcement": AnnouncementView,
    "product": ProductView,
}
TYPE_NAMES: Final = {kind: name for name, kind in VIEW_TYPES.items()}
RETRY_AFTER_S: Final = 1

# To be put before other SQL as its first part: no row when the key is taken. The key ages from the
# instant of the database, by whose clock it is cleared away as well (persistence/node/cleanup.py).
CLAIM_PART: Final = """claim AS (
    INSERT INTO idempotency_keys (user_id, method, path, key, fingerprint, created_at)
    VALUES (CAST(:claim_user_id AS uuid), CAST(:claim_method AS text), CAST(:claim_path AS text),
            CAST(:claim_key AS text), CAST(:claim_fingerprint AS bytea),
            clock_timestamp())
    ON CONFLICT DO NOTHING RETURNING 1)"""
CLAIM: Final = compiled(
    text(f"WITH {CLAIM_PART} SELECT EXISTS (SELECT FROM claim) AS claimed")  # noqa: S608  constants
)
SELECT_ANSWER: Final[Statement] = compiled(
    text(
        """SELECT fingerprint, view_type, view FROM idempotency_keys
        WHERE user_id = CAST(:user_id AS uuid) AND method = CAST(:method AS text)
          AND path = CAST(:path AS text) AND key = CAST(:key AS text)"""
    )
)


class RolledBack(Exception):
    """Raised in a transaction to undo it and answer with `rejected`."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.detail)
        self.rejected = rejected


def id_taken(what: str) -> Rejected:
    """Somebody made something else under this identifier."""
    return Rejected(
        IdempotencyRefusal.ID_TAKEN, f"Another {what} has this id.", facts={"entity": what}
    )


def claim_values(claim: IdempotencyClaim) -> dict[str, object]:
    """The parameters of CLAIM_PART."""
    return {
        "claim_user_id": claim.user_id,
        "claim_method": claim.method,
        "claim_path": claim.path,
        "claim_key": claim.key,
        "claim_fingerprint": claim.fingerprint,
    }


async def claim_or_answer(tx: Transaction, claim: IdempotencyClaim | None) -> Committed[Any] | None:
    """Claim the key; what its first holder was answered when it is taken, None when it is ours now.

    Raises RolledBack when the key cannot be used.
    """
    if claim is None:
        return None
    try:
        claimed = await tx.fetchval(CLAIM, **claim_values(claim))
    except asyncpg.PostgresError as error:
        raise told_apart(error) from error
    return None if claimed else await answered_before(tx, claim)


async def answered_before(tx: Transaction, claim: IdempotencyClaim) -> Committed[Any]:
    """What the first holder of the key was answered. Raises RolledBack for another request.

    A record without a fingerprint is of a request with a password, kept by a release that had it in
    the fingerprint: what is left is the key, under which nothing is done twice.
    """
    row = await tx.fetchrow(
        SELECT_ANSWER, user_id=claim.user_id, method=claim.method, path=claim.path, key=claim.key
    )
    if row is None:
        raise TransactionConflict("the idempotency key expired between two looks at it")
    if row["fingerprint"] not in {None, claim.fingerprint}:
        raise RolledBack(
            Rejected(
                IdempotencyRefusal.KEY_REUSED,
                "This idempotency key was used for another request.",
            )
        )
    return Committed(msgspec.convert(row["view"], VIEW_TYPES[row["view_type"]]), replayed=True)


def told_apart(error: Exception) -> Exception:
    """A wait that took too long: for a twin under the same key it is a refusal, else the error."""
    waited = isinstance(error, (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError))
    context: str = getattr(error, "context", None) or ""
    if waited and "idempotency_keys" in context:
        return RolledBack(
            Rejected(
                IdempotencyRefusal.STILL_RUNNING,
                "A request with this idempotency key is still running.",
                facts={"retry_after_s": RETRY_AFTER_S},
            )
        )
    return error

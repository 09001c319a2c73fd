"""What asyncpg raises, told as the weather: which failures are outages, and which are bugs.

Anything not named here (a constraint, a wrong type, bad syntax) is left as it is. The reason of an
outage is a sentence of ours, for clients; the server's own words name files, tables and addresses,
and go to the log and to operators (`Outage.said`).
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

import asyncpg

from domain.outages import UNCHANGED, DeadlinePassed, Outage, StoreUnavailable


class TransactionConflict(StoreUnavailable):
    """The server rolled the transaction back in favour of another; done anew it may succeed.

    Serialization failures, deadlocks, and prepared statements outdated by a migration.
    """


class NotLetIn(StoreUnavailable):
    """The server is there and does not let us in as we come.

    `advice` is a sentence for whoever has made the settings; with `may_come`, what is missing may
    be made by somebody else meanwhile, and it is worth waiting for.
    """

    def __init__(self, outage: StoreUnavailable, advice: str, *, may_come: bool = False) -> None:
        super().__init__(outage.reason, retry_after_s=outage.retry_after_s, said=outage.said)
        self.advice = advice
        self.may_come = may_come


# What the server says of the settings rather than of itself, and what to do.
NOT_LET_IN: Final = (
    (
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError),
        "does not let in the user of DATABASE_URL: check user and password there",
    ),
    (
        (asyncpg.InvalidCatalogNameError,),
        "has no database of the name in DATABASE_URL: make it, or mend the name",
    ),
)
CONFLICTS = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
)
TIMEOUTS = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError, TimeoutError)
LOSSES = (
    asyncpg.PostgresConnectionError,  # 08, and what asyncpg makes of a lost connection
    asyncpg.OperatorInterventionError,  # 57: shutdown, crash, starting up, dropped
    asyncpg.InsufficientResourcesError,  # 53: too many connections, disk full, out of memory
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.PostgresSystemError,  # 58: the server's own input and output
    asyncpg.ReadOnlySQLTransactionError,  # 25006: it has become a replica, or was made read-only
    asyncpg.InternalClientError,  # among others: the server said goodbye just before we spoke
    OSError,
)
# Why a store that answers refuses changes, in the order of looking.
REFUSALS: Final = (
    (asyncpg.DiskFullError, "its disk is full"),
    (asyncpg.TooManyConnectionsError, ""),  # says nothing of changes
    (asyncpg.InsufficientResourcesError, "it lacks memory or another resource"),
    (asyncpg.PostgresSystemError, "it cannot use its files"),
    (asyncpg.ReadOnlySQLTransactionError, "it is read-only, as a replica is"),
)
LOST = f"the connection to the store was lost: {UNCHANGED}"
TOO_LATE = f"the store did not answer in time: {UNCHANGED}"
CROWDED = f"the store has no connection left: {UNCHANGED}"
CONFLICT = f"other changes to the same things came first: {UNCHANGED}"
TELL_EVERY_S: Final = 1.0

_log = logging.getLogger("persistence.postgres_errors")
_told_at: dict[type[BaseException], float] = {}


def leaves_commit_open(error: BaseException, connection: Any) -> bool:
    """Whether after this error of COMMIT the transaction may have been committed.

    An error that the server answers and survives in the same session is a rollback; so is what
    asyncpg refuses to send. All else happened somewhere on the way.
    """
    if isinstance(error, asyncpg.InterfaceError):
        return False
    answered = isinstance(error, asyncpg.PostgresError) and not isinstance(
        error, asyncpg.PostgresConnectionError
    )
    return not answered or connection.is_closed() or _severity(error) in ("FATAL", "PANIC")


def _severity(error: BaseException) -> str | None:
    return getattr(error, "severity_en", None) or getattr(error, "severity", None)


def outage_of(error: BaseException, connection: Any) -> Outage | None:
    """The outage that an exception of a statement stands for; None if it is none."""
    said = words_of(error)
    if isinstance(error, CONFLICTS):
        return TransactionConflict(CONFLICT, retry_after_s=0.0, said=said)
    if isinstance(error, TIMEOUTS):
        _tell(error, said)
        return DeadlinePassed(TOO_LATE, said=said)
    if isinstance(error, LOSSES):
        _tell(error, said)
        return StoreUnavailable(_sentence(error), said=said)
    if isinstance(error, asyncpg.InterfaceError) and connection.is_closed():
        return StoreUnavailable(LOST, said=said)
    return None


def advice_on(error: BaseException) -> str | None:
    """What to do about a connection that was refused for what the settings say, if it was."""
    for kinds, why in NOT_LET_IN:
        if isinstance(error, kinds):
            return f"PostgreSQL {why} ({words_of(error)})"
    return None


def refusal_of(error: BaseException) -> str | None:
    """Why the store refuses changes, if that is what the error says of it."""
    for kind, why in REFUSALS:
        if isinstance(error, kind):
            return why or None
    return None


def words_of(error: BaseException) -> str:
    """What the far side, or the system, said; never for clients."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__


def _sentence(error: BaseException) -> str:
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return CROWDED
    why = refusal_of(error)
    return LOST if why is None else f"the store refuses changes, {why}: {UNCHANGED}"


def _tell(error: BaseException, said: str) -> None:
    """Put the server's words into the log, though not once for each of a thousand requests."""
    now = time.monotonic()
    if now - _told_at.get(type(error), -TELL_EVERY_S) >= TELL_EVERY_S:
        _told_at[type(error)] = now
        _log.warning("the store could not do as it was asked", extra={"said": said})

"""What asyncpg raises, told as the weather: which failures are outages, and which are bugs.

Anything not named here (a constraint, a wrong type, bad syntax) is left as it is.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from domain.outages import DeadlinePassed, Outage, StoreUnavailable


class TransactionConflict(StoreUnavailable):
    """The server rolled the transaction back in favour of another; done anew it may succeed.

    Serialization failures, deadlocks, and prepared statements outdated by a migration.
    """


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
    asyncpg.InternalClientError,  # among others: the server said goodbye just before we spoke
    OSError,
)
LOST = "the connection to the store was lost"


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
    if isinstance(error, CONFLICTS):
        return TransactionConflict(str(error), retry_after_s=0.0)
    if isinstance(error, TIMEOUTS):
        return DeadlinePassed(str(error) or "the store did not answer in time")
    if isinstance(error, LOSSES):
        if isinstance(error, asyncpg.InternalClientError):
            return StoreUnavailable(LOST)  # its text is about the driver's inside
        return StoreUnavailable(str(error) or type(error).__name__)
    if isinstance(error, asyncpg.InterfaceError) and connection.is_closed():
        return StoreUnavailable(LOST)
    return None

"""The unit of work: one crossing, one transaction, committed or not at all, and then the bell.

It knows how to begin, to give up and to try anew; what is done in between is the body's matter.
Nothing else in Lendwire commits. A body answers with a value; a refusal undoes all it did.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, final

from domain.loan.decision import Committed
from domain.rejections import Rejected
from persistence.bridge.asyncio_bridge import pause
from persistence.commit.commit_notifier import CommitBell
from persistence.commit.idempotency import RolledBack
from persistence.connections import Connections
from persistence.postgres.errors import TransactionConflict
from persistence.postgres.transaction import Transaction, transaction

Answer = TypeVar("Answer")
Body = Callable[[Transaction], Awaitable[Answer | Rejected]]

ATTEMPTS_MAX: Final = 4
PAUSE_MAX_S: Final = 0.02


@final
class UnitsOfWork:
    """Carries out bodies, each in a transaction of its own."""

    def __init__(self, connections: Connections, bell: CommitBell) -> None:
        self._connections = connections
        self._bell = bell

    async def carry_out(self, body: Body[Answer]) -> Answer | Rejected:
        """From Trio: run `body` and commit what it wrote, unless it answers with a refusal.

        A body that lost against another transaction is run again, a few times; so it must not
        keep anything from one run to the next. Raises outages as `transaction` does.
        """
        return await self._connections.run(self._carried_out, body)

    async def _carried_out(self, body: Body[Answer]) -> Answer | Rejected:
        for left in reversed(range(ATTEMPTS_MAX)):
            try:
                return await self._once(body)
            except RolledBack as undone:
                return undone.rejected
            except TransactionConflict:
                if left == 0:
                    raise
            await pause(random.uniform(0, PAUSE_MAX_S))  # noqa: S311  not for secrecy
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, body: Body[Answer]) -> Answer | Rejected:
        async with transaction(self._connections.pool) as tx:
            answer = await body(tx)
            if isinstance(answer, Rejected):
                raise RolledBack(answer)
        if not _is_replay(answer):
            self._bell.ring()
        return answer


def _is_replay(answer: Any) -> bool:
    return isinstance(answer, Committed) and answer.replayed

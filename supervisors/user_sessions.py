"""Where the session actor of a user is found: started when it is needed, one per user and worker.

It decides nothing about the user: who may do what is the session actor's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.runtime.actor import Actor
from actors.runtime.address import Address
from actors.runtime.envelope import MailboxFull
from domain.identifiers import UserId
from supervisors.runtime.child_spec import ChildSpec, Overflow, Restart
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor

MAILBOX_MAX = 64
SHUTDOWN_S = 2.0


class SessionSupervisor:
    """The directory of session actors over the dynamic supervisor that keeps them.

    A session actor is temporary: one broken user must not spend the restart budget of all. The next
    message to him starts a new one.
    """

    def __init__(
        self,
        supervisor: DynamicSupervisor,
        make_session: Callable[[UserId], Actor[Any]],
        sessions_max: int,
    ) -> None:
        """Keep at most `sessions_max` session actors under `supervisor`."""
        self._supervisor = supervisor
        self._make_session = make_session
        self._sessions_max = sessions_max

    def active(self, user_id: UserId) -> Address[Any] | None:
        """Return the address of the user's running session actor, if there is one."""
        address = self._supervisor.child(str(user_id))
        return address if address is not None and address.is_running else None

    async def answer_apart(self, user_id: UserId, question: object) -> object:
        """Answer one question by a session that is no actor: nothing is kept, nobody restarts it.

        For while the supervisor does not run; it knows nothing yet, and reads who asks.
        """
        return await self._make_session(user_id).receive(question)

    async def session(self, user_id: UserId) -> Address[Any]:
        """Return the address of the user's session actor, started when there was none.

        Raises ActorStopped when the supervisor is not running, MailboxFull when there are too many.
        """
        address = self.active(user_id)
        if address is not None:
            return address
        if self._supervisor.count() >= self._sessions_max:
            raise MailboxFull(f"{self._supervisor.path}/{user_id}")
        return await self._supervisor.start_child(
            ChildSpec(
                id=str(user_id),
                factory=lambda: self._make_session(user_id),
                restart=Restart.TEMPORARY,
                mailbox=MAILBOX_MAX,
                overflow=Overflow.REJECT,
                shutdown_s=SHUTDOWN_S,
            )
        )

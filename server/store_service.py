"""The store as a child of the tree: connects, migrates, makes the first administrator, stays.

While it stays it reads the database's clock now and then, by which the node goes. A database that
goes away later is not its business: the store waits for it by itself.
"""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable
from typing import Protocol

import trio

from actors.runtime.actor import Context
from actors.runtime.envelope import TransientStartError
from domain.access.users import normal_email
from domain.identifiers import UserId
from domain.outages import DeadlinePassed, Outage, OutcomeUnknown, StoreUnavailable
from gateways.identity_source import TimeOrderedIdentities
from gateways.system_clock import SharedClock
from persistence.migration import SchemaIsNewer
from persistence.postgres.errors import NotLetIn
from persistence.store import TRY_AGAIN_S, Store
from server.configuration.settings import Settings
from server.failures import StartRefused
from server.waiting import within

_LOG = logging.getLogger("lendwire.store")

FIRST_WAIT_S = 30.0
FIRST_ANSWERS_S = 15.0  # of a database that has just been migrated: a question and a small change
STOP_WITHIN_S = 3.0
PASSWORD_BYTES = 12
ENDED_WITHIN_S = 1.0  # by whoever was told of a refusal, at a start
COMPARE_CLOCKS_EVERY_S = 10.0
COMPARE_WITHIN_S = 5.0


class StoreLost(Exception):
    """The store is gone for good in this incarnation: the supervisor makes it anew."""


class PasswordHasher(Protocol):
    """Makes the hash of the first administrator's password."""

    async def hash(self, password: str) -> str:
        """Hash it."""


class StoreService:
    """A routine: the store from its start to its end.

    `announce` is told what the person at the terminal must read, `refuse` what ends the start.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        hasher: PasswordHasher,
        clock: SharedClock,
        *,
        announce: Callable[[str], None],
        refuse: Callable[[StartRefused], None],
    ) -> None:
        """Keep `store`."""
        self._store = store
        self._settings = settings
        self._hasher = hasher
        self._clock = clock
        self._announce = announce
        self._refuse = refuse
        self._was_ready = False

    async def run(self, ctx: Context, started: Callable[[], None]) -> None:
        """Start the store, stay until cancelled, and stop it in good order."""
        del ctx
        try:
            await self._start()
            self._was_ready = True
            started()
            await self._stay()
            raise StoreLost("the thread that speaks to the stores has ended")
        except SchemaIsNewer as newer:
            refusal = StartRefused(str(newer))
            await self._end(refusal)
            raise refusal from newer
        except StartRefused as refusal:
            await self._end(refusal)
            raise
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + STOP_WITHIN_S):
                await self._store.stop()

    async def _end(self, refusal: StartRefused) -> None:
        """End the start; where nothing is ended by it, the caller goes on with the refusal."""
        self._refuse(refusal)
        # Whoever is ended here is not told as a crash whose start will be tried again.
        await trio.sleep(ENDED_WITHIN_S)

    async def _stay(self) -> None:
        while True:
            with trio.move_on_after(COMPARE_CLOCKS_EVERY_S):
                return await self._store.wait_lost()
            await self._compare_clocks()

    async def _compare_clocks(self) -> None:
        with trio.move_on_after(COMPARE_WITHIN_S):
            try:
                await self._clock.compare(self._store.time.read)
            except Outage as outage:
                _LOG.debug("clocks not compared", extra={"reason": outage.reason})

    async def _start(self) -> None:
        began = trio.current_time()
        try:
            await self._store.start(wait_s=FIRST_WAIT_S)
            await self._compare_clocks()
            await self._prepare_books(began + FIRST_WAIT_S)
        except NotLetIn as closed:
            raise StartRefused(f"{closed.advice}.") from closed
        except Outage as outage:
            if self._was_ready:
                raise TransientStartError(outage.reason) from outage
            raise StartRefused(
                f"The database could not be used within {FIRST_WAIT_S:.0f} s ({outage.in_full}): "
                "check that it runs and that DATABASE_URL is right."
            ) from outage

    async def _prepare_books(self, until: float) -> None:
        """See to the administrator and the policy; again while the database is away."""
        while True:
            try:
                with within(FIRST_ANSWERS_S):
                    await self._first_administrator()
                    await self._record_policy()
                    return
            except StoreUnavailable:
                if trio.current_time() + TRY_AGAIN_S >= until:
                    raise
            await trio.sleep(TRY_AGAIN_S)

    async def _record_policy(self) -> None:
        entry_id, node = TimeOrderedIdentities().new_id(), socket.gethostname()
        on = self._settings.four_eyes
        await self._store.record_four_eyes(entry_id, self._clock.now(), node, on=on)

    async def _first_administrator(self) -> None:
        given = self._settings.admin_password
        if await self._store.has_users():
            if given:
                _LOG.info(
                    "ADMIN_PASSWORD changes nothing: there are users already, and their passwords "
                    "are as they were"
                )
            return
        email = normal_email(self._settings.admin_email)
        password = given or secrets.token_urlsafe(PASSWORD_BYTES)
        try:
            made = await self._store.make_first_administrator(
                UserId(TimeOrderedIdentities().new_id()),
                email,
                await self._hasher.hash(password),
                self._clock.now(),
                must_change_password=not given,
            )
        except (OutcomeUnknown, DeadlinePassed, trio.Cancelled):
            if not given:
                self._announce(
                    f"The first administrator may have been made: {email}  password: {password}"
                    "  (shown only now; the database's answer was lost)"
                )
            raise
        if made and not given:
            self._announce(f"First administrator: {email}  password: {password}  (shown only now)")
        elif made:
            self._announce(f"First administrator: {email} with the password of ADMIN_PASSWORD")

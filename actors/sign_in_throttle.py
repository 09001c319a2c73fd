"""How guessing passwords is slowed down: quickly where it comes from, slowly for the account.

The quick count is of this process, by account and place: few tries, then a pause. The slow one is
in the store, by account alone, for whoever guesses from many places; all workers share it, and it
outlives them. It never keeps out a place from which somebody has signed in to this account, so that
strangers cannot lock its owner out. Whatever tries a password comes by here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

import trio

from actors.ports.stores import TryLedger
from domain.access.users import normal_email
from domain.addresses import client_place
from domain.rejections import Rejected, SignInRefusal

WRONG_TRIES_MAX: Final = 10
WRONG_TRIES_WINDOW_S: Final = 900.0
REMEMBERED_MAX: Final = 10_000
SLOW_TRIES_MAX: Final = 100
SLOW_WINDOW_S: Final = 3600.0


class WrongTries:
    """Counts wrong passwords by account and place, so that a stranger cannot lock somebody out.

    Bounded: the pair that failed longest ago is forgotten first.
    """

    def __init__(self, tries_max: int = WRONG_TRIES_MAX) -> None:
        self._tries_max = tries_max
        self._failed_at: OrderedDict[Hashable, list[float]] = OrderedDict()

    def wait_s(self, who: Hashable, now_s: float) -> float | None:
        """Return for how long `who` must wait before the next try; None when he may try."""
        times = [at for at in self._failed_at.get(who, ()) if at > now_s - WRONG_TRIES_WINDOW_S]
        if len(times) < self._tries_max:
            return None
        return times[-self._tries_max] + WRONG_TRIES_WINDOW_S - now_s

    def add(self, who: Hashable, now_s: float) -> None:
        """Note a wrong try."""
        times = self._failed_at.setdefault(who, [])
        times.append(now_s)
        del times[: -self._tries_max]
        self._failed_at.move_to_end(who)
        while len(self._failed_at) > REMEMBERED_MAX:
            self._failed_at.popitem(last=False)

    def forget(self, who: Hashable) -> None:
        """The right password clears the account at this place."""
        self._failed_at.pop(who, None)


class SignInThrottle:
    """One for each process, shared by all that try passwords."""

    def __init__(self, ledger: TryLedger, tries_max: int = WRONG_TRIES_MAX) -> None:
        self._ledger = ledger
        self._quick = WrongTries(tries_max)

    async def refusal(self, email: str, address: str) -> Rejected | None:
        """Why nobody at `address` may try a password of this account now; None when they may."""
        email, place = normal_email(email), client_place(address)
        wait_s = self._quick.wait_s((email, place), trio.current_time())
        if wait_s is not None:
            return too_many("Too many wrong passwords for this account from this address.", wait_s)
        wait_s = await self._ledger.wait_s(email, SLOW_TRIES_MAX, SLOW_WINDOW_S)
        if wait_s is None or place in await self._ledger.places(email):
            return None
        return too_many("Too many wrong passwords for this account.", wait_s)

    async def add(self, email: str, address: str) -> None:
        """Note that a wrong password was tried. May raise an Outage; the quick count has it."""
        email = normal_email(email)
        self._quick.add((email, client_place(address)), trio.current_time())
        await self._ledger.add(email)

    def forget(self, email: str, address: str) -> None:
        """The right password was given: the quick count begins anew, the slow one goes on.

        An account whose owner signs in often is no easier to guess.
        """
        self._quick.forget((normal_email(email), client_place(address)))


def too_many(detail: str, wait_s: float) -> Rejected:
    """Refuse until `wait_s` have passed."""
    return Rejected(
        SignInRefusal.TOO_MANY_ATTEMPTS,
        f"{detail} Wait, then retry.",
        facts={"retry_after_s": max(1, int(wait_s) + 1)},
    )

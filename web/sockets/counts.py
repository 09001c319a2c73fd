"""How many sockets there are, in total and by address and user, and whether one more may come.

Counts of this process only; it closes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

# Sockets that have not said yet who they are: a small part of all, and few from one address.
STRANGERS_PART: Final = 10
STRANGERS_PER_ADDRESS_MAX: Final = 10


class SocketCounts:
    """Counted from before the handshake until the handler ends."""

    def __init__(self, in_all_max: int, per_address_max: int, per_user_max: int) -> None:
        self._in_all_max = in_all_max
        self._per_address_max = per_address_max
        self._per_user_max = per_user_max
        self._in_all = 0
        self._by_address: Counter[Hashable] = Counter()
        self._by_user: dict[Hashable, set[UUID]] = {}
        self._strangers = 0
        self._strangers_by_address: Counter[Hashable] = Counter()

    def refuses(self, address: str) -> str | None:
        """Why no further socket may come from `address`; None when one may."""
        if self._in_all >= self._in_all_max:
            return "This node has as many sockets open as it takes."
        if self._by_address[address] >= self._per_address_max:
            return "There are too many sockets from this address."
        return None

    def refuses_user(self, user_id: Hashable, replaced: UUID | None = None) -> str | None:
        """Why this user may have no further socket; None when he may.

        `replaced` is the connection that gives way to the new one: it does not count.
        """
        if len(self._by_user.get(user_id, set()) - {replaced}) >= self._per_user_max:
            return f"This user already has {self._per_user_max} sockets open. Close one first."
        return None

    def refuses_stranger(self, address: str) -> str | None:
        """Why nobody unknown may come now; None when one may."""
        if self._strangers >= max(STRANGERS_PER_ADDRESS_MAX, self._in_all_max // STRANGERS_PART):
            return "Too many sockets have not said yet who they are. Send an Authorization header."
        if self._strangers_by_address[address] >= STRANGERS_PER_ADDRESS_MAX:
            return "Too many sockets from this address have not said yet who they are."
        return None

    @contextmanager
    def counting(self, address: str) -> Iterator[None]:
        """Count a socket for as long as the block runs."""
        self._in_all += 1
        with _counted(self._by_address, address):
            try:
                yield
            finally:
                self._in_all -= 1

    @contextmanager
    def counting_user(self, user_id: Hashable, connection_id: UUID) -> Iterator[None]:
        """Count a socket as this user's."""
        own = self._by_user.setdefault(user_id, set())
        own.add(connection_id)
        try:
            yield
        finally:
            own.discard(connection_id)
            if not own:
                del self._by_user[user_id]

    @contextmanager
    def counting_stranger(self, address: str) -> Iterator[None]:
        """Count a socket as nobody's yet."""
        self._strangers += 1
        with _counted(self._strangers_by_address, address):
            try:
                yield
            finally:
                self._strangers -= 1


@contextmanager
def _counted(counter: Counter[Hashable], key: Hashable) -> Iterator[None]:
    counter[key] += 1
    try:
        yield
    finally:
        counter[key] -= 1
        if not counter[key]:
            del counter[key]

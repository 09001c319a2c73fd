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
    """Counted from before the handshake until the socket has ended."""

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

    def seat(self, address: str) -> Seat:
        """Count a socket, until its seat is left."""
        self._in_all += 1
        self._by_address[address] += 1
        return Seat(self, address)

    def count_user(self, user_id: Hashable, connection_id: UUID) -> None:
        """Count a socket as this user's."""
        self._by_user.setdefault(user_id, set()).add(connection_id)

    def count_stranger(self, address: str, change: int) -> None:
        """Count a socket as nobody's yet, or not any more."""
        self._strangers += change
        _count(self._strangers_by_address, address, change)

    def leave(self, address: str) -> None:
        """A socket has gone."""
        self._in_all -= 1
        _count(self._by_address, address, -1)

    def leave_user(self, user_id: Hashable, connection_id: UUID) -> None:
        """A socket of this user's has gone."""
        own = self._by_user[user_id]
        own.discard(connection_id)
        if not own:
            del self._by_user[user_id]


class Seat:
    """What one socket counts for, from before its handshake until it is left."""

    __slots__ = ("_address", "_connection_id", "_counts", "_user_id")

    def __init__(self, counts: SocketCounts, address: str) -> None:
        self._counts: SocketCounts | None = counts
        self._address = address
        self._user_id: Hashable = None
        self._connection_id: UUID | None = None

    @contextmanager
    def strange(self) -> Iterator[None]:
        """Count it as nobody's yet, for as long as the block runs."""
        assert self._counts is not None
        self._counts.count_stranger(self._address, 1)
        try:
            yield
        finally:
            self._counts.count_stranger(self._address, -1)

    def belong(self, user_id: Hashable, connection_id: UUID) -> None:
        """Count it as this user's as well, once."""
        assert self._counts is not None
        assert self._connection_id is None
        self._user_id, self._connection_id = user_id, connection_id
        self._counts.count_user(user_id, connection_id)

    def leave(self) -> None:
        """Count it no longer; a second time changes nothing."""
        counts, self._counts = self._counts, None
        if counts is None:
            return
        if self._connection_id is not None:
            counts.leave_user(self._user_id, self._connection_id)
        counts.leave(self._address)


def _count(counter: Counter[Hashable], key: Hashable, change: int) -> None:
    counter[key] += change
    if not counter[key]:
        del counter[key]

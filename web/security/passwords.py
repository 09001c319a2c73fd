"""Passwords as Argon2id hashes, made and checked in threads, never more than two at once.

A hash takes 64 MiB and most of a core for a moment: the limit is what keeps a wave of sign-ins from
taking the memory and the loop. It sets no rules for passwords; the domain does.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import TypeVar

import trio
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

AT_ONCE = 2

Found = TypeVar("Found")


class ArgonPasswords:
    """Satisfies the port `Passwords`; its default parameters are RFC 9106's second choice."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limiter = trio.CapacityLimiter(AT_ONCE)
        # Nobody's password: checked for users that do not exist, so that they cost the same.
        self._nobody = self._hasher.hash(secrets.token_hex())

    async def hash(self, password: str) -> str:
        """Hash a password."""
        return await self._in_thread(partial(self._hasher.hash, password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Check a password; None costs as much and is always False."""
        if password_hash is None:
            await self._in_thread(partial(self._matches, self._nobody, password))
            return False
        return await self._in_thread(partial(self._matches, password_hash, password))

    def is_outdated(self, password_hash: str) -> bool:
        """Say whether a hash was made with older parameters."""
        try:
            return self._hasher.check_needs_rehash(password_hash)
        except InvalidHashError:
            return False

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError):
            return False

    async def _in_thread(self, work: partial[Found]) -> Found:
        return await trio.to_thread.run_sync(work, limiter=self._limiter)

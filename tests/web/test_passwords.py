"""Passwords are hashed with Argon2id, two at a time; an unknown user costs as much as a known."""

from __future__ import annotations

import threading
from typing import Any

import trio
from argon2 import PasswordHasher

from web.security.passwords import AT_ONCE, ArgonPasswords

CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}


async def test_a_password_is_known_again_and_another_is_not() -> None:
    passwords = ArgonPasswords(PasswordHasher(**CHEAP))
    kept = await passwords.hash("correct horse battery")
    assert kept.startswith("$argon2id$v=19$")
    assert "correct" not in kept
    assert await passwords.verify(kept, "correct horse battery")
    assert not await passwords.verify(kept, "correct horse batterz")


async def test_the_last_character_of_a_long_password_counts() -> None:
    passwords = ArgonPasswords(PasswordHasher(**CHEAP))
    kept = await passwords.hash("p" * 99 + "a")
    assert not await passwords.verify(kept, "p" * 99 + "b")


async def test_the_parameters_are_the_recommended_ones() -> None:
    passwords = ArgonPasswords()
    kept = await passwords.hash("anything at all")
    assert "$m=65536,t=3,p=4$" in kept
    assert not passwords.is_outdated(kept)
    assert passwords.is_outdated(PasswordHasher(**CHEAP).hash("anything at all"))


async def test_rubbish_in_place_of_a_hash_is_nobodys_password() -> None:
    passwords = ArgonPasswords(PasswordHasher(**CHEAP))
    for kept in ("", "x", "$argon2id$v=19$", "$2b$12$abcdefghijklmnopqrstuv"):
        assert not await passwords.verify(kept, "x")
        assert not passwords.is_outdated(kept)


class CountingHasher(PasswordHasher):
    """Notes what it verifies, and how many do so at once."""

    def __init__(self) -> None:
        super().__init__(**CHEAP)
        self.verified: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self.gate = threading.Barrier(AT_ONCE)

    def verify(self, *args: Any) -> Any:
        with self.lock:
            self.verified.append(args[1])
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.gate.wait(timeout=60)
        try:
            return super().verify(*args)
        finally:
            with self.lock:
                self.at_once -= 1


async def test_an_unknown_user_costs_a_verification_and_never_more_than_two_run() -> None:
    hasher = CountingHasher()
    passwords = ArgonPasswords(hasher)
    found: list[bool] = []

    async def try_one(number: int) -> None:
        found.append(await passwords.verify(None, f"guess {number}"))

    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(try_one, number)
    assert found == [False] * 6
    assert sorted(hasher.verified) == [f"guess {number}" for number in range(6)]
    assert hasher.most_at_once == AT_ONCE

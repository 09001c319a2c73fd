"""Limits for what waits on a store outside the actors, whose asks have deadlines of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import trio

from domain.outages import DeadlinePassed


@contextlib.contextmanager
def within(limit_s: float) -> Iterator[None]:
    """Bound what waits for the database: DeadlinePassed when it takes longer than `limit_s`."""
    with trio.move_on_after(limit_s) as scope:
        yield
    if scope.cancelled_caught:
        raise DeadlinePassed(f"the database did not answer within {limit_s:g} s")

"""What any actor may answer beside a view or a refusal: that it could not be known."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The weather: a store is away or the deadline passed.

    `outcome_known` is False when a commit was under way, so that it may have happened: the caller
    repeats with the same idempotency key to find out.
    """

    detail: str
    retry_after_s: float
    outcome_known: bool = True

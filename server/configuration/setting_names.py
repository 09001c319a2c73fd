"""Names that are no settings, and the settings that were probably meant; values are not read."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

# What `docker compose` reads from the same file, for compose.yaml and for itself.
GUESTS: Final = frozenset({"POSTGRES_PASSWORD"})
GUESTS_BEGIN: Final = "COMPOSE_"
NEAR: Final = 0.7
# The environment is full of other programs' names: only what can hardly be one of them is told.
VERY_NEAR: Final = 0.87


def unknown_in_file(names: Iterable[str], settings: Iterable[str], file: str) -> list[str]:
    """A mistake for each of `names` that is none of `settings`, with the nearest one."""
    known = {name.upper() for name in settings}
    return [
        f"{name} in {file} is no setting{_meant(name, known) or ': see .env.example'}"
        for name in sorted({name.upper() for name in names} - known - GUESTS)
        if not name.startswith(GUESTS_BEGIN)
    ]


def near_in_environment(names: Iterable[str], settings: Iterable[str]) -> list[str]:
    """A remark for each of `names` that looks like one of `settings` and is none."""
    known = {name.upper() for name in settings}
    return [
        f"{name} in the environment is no setting{meant}"
        for name in sorted(set(names))
        if name.upper() not in known and (meant := _meant(name.upper(), known, VERY_NEAR))
    ]


def _meant(name: str, known: Iterable[str], cutoff: float = NEAR) -> str:
    nearest = get_close_matches(name, sorted(known), n=1, cutoff=cutoff)
    return f": {nearest[0]} was probably meant" if nearest else ""

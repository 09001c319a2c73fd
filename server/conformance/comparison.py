"""Holding what the engine shows against what a case expects: only the keys that the case has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, NamedTuple

from domain.money import round_for_show


class Mismatch(NamedTuple):
    """Where the engine shows something else than the case expects."""

    what: str
    expected: str
    got: str


def mismatches(what: str, expected: Any, got: Any, places: int) -> Iterator[Mismatch]:
    """Every difference between `expected` and `got`, which may hold more than is asked for."""
    if isinstance(expected, Mapping):
        for key, value in expected.items():
            mine = got.get(key, _MISSING) if isinstance(got, Mapping) else _MISSING
            yield from mismatches(f"{what}.{key}" if what else str(key), value, mine, places)
    elif isinstance(expected, list):
        yield from _in_list(what, expected, got, places)
    elif not _same(expected, got, places):
        yield Mismatch(what, shown(expected), shown(got))


def row_mismatches(
    expected: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]], places: int
) -> Iterator[Mismatch]:
    """The rows of a schedule, matched by their number; a whole schedule has no further row."""
    by_number = {row["nr"]: row for row in got}
    for place, row in enumerate(expected, start=1):
        number = row.get("nr", place)
        yield from mismatches(f"row {number}", row, by_number.get(number, {}), places)
    numbers = [row.get("nr", place) for place, row in enumerate(expected, start=1)]
    if numbers == list(range(1, len(expected) + 1)) and len(got) > len(expected) > 0:
        yield Mismatch("rows", str(len(expected)), str(len(got)))


def shown(value: Any) -> str:
    """A value as the report shows it."""
    if value is _MISSING:
        return "nothing"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


class _Missing:
    """What is not there, and equals nothing."""


_MISSING = _Missing()


def _in_list(what: str, expected: list[Any], got: Any, places: int) -> Iterator[Mismatch]:
    if not isinstance(got, Sequence) or isinstance(got, str):
        yield Mismatch(what, f"{len(expected)} of them", shown(got))
        return
    for key in ("date", "of"):
        if expected and isinstance(expected[0], Mapping) and key in expected[0]:
            yield from _by_key(key, what, expected, got, places)
            return
    if len(expected) != len(got):
        yield Mismatch(what, f"{len(expected)} of them", str(len(got)))
    for place, (wanted, mine) in enumerate(zip(expected, got, strict=False), start=1):
        label = f"{what} {place}"
        if isinstance(wanted, Mapping) and "nr" in wanted:
            label = f"{what} {wanted['nr']}"
        yield from mismatches(label, wanted, mine, places)


def _by_key(
    key: str,
    what: str,
    expected: list[Mapping[str, Any]],
    got: Sequence[Mapping[str, Any]],
    places: int,
) -> Iterator[Mismatch]:
    """Entries with a date are matched by it; those of one date in their order."""
    left = list(got)
    for wanted in expected:
        mine = next((one for one in left if shown(one[key]) == wanted[key]), None)
        if mine is None:
            yield Mismatch(f"{what} {wanted[key]}", "one", "none")
            continue
        left.remove(mine)
        yield from mismatches(f"{what} {wanted[key]}", wanted, mine, places)


def _same(expected: Any, got: Any, places: int) -> bool:
    if expected is None or isinstance(expected, bool):
        return got is expected
    if isinstance(got, date | StrEnum):
        return str(expected) == shown(got)
    if isinstance(got, _Missing) or got is None:
        return False
    try:
        wanted, mine = Decimal(str(expected)), Decimal(str(got))
    except InvalidOperation:
        return str(expected) == str(got)
    return round_for_show(wanted, places) == round_for_show(mine, places)

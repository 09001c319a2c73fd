"""Whole lives of loans by a seeded chance, through every command that there is.

The commands and what must hold after each are those of the machine (`test_workout_machine.py`);
chance makes longer lives than hypothesis does, and terms of every kind (`chance_terms.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from traceback import extract_tb
from typing import Any

from domain.terms.choices import ChargeBase, ChargeKind, RecalculationRest
from domain.terms.terms import Terms
from domain.terms.validation import check_terms
from tests.domain.chance_terms import chance_terms
from tests.domain.lending_scenes import TODAY
from tests.domain.test_workout_machine import WorkoutMachine

Arguments = dict[str, Any]
# The terms that have no default.
_NEEDED = ("principal_minor", "currency", "annual_rate_percent", "instalments", "frequency")


@dataclass(frozen=True)
class Step:
    """One command of the machine, and with what."""

    name: str
    given: Arguments


@dataclass(frozen=True)
class Life:
    """A loan's terms, and all that is asked of it, in order."""

    terms: Terms
    part: int
    steps: tuple[Step, ...]


def _some(chance: Random, most: int) -> int:
    return chance.choice([0, chance.randint(0, most)])


_ACTS: dict[str, tuple[int, Callable[[Random], Arguments]]] = {
    "time_passes": (20, lambda c: {"days": c.choice([1, 7, 30, 31, c.randint(1, 90)])}),
    "pay": (
        22,
        lambda c: {
            "percent": c.choice([1, 3, 9, 25, 97, 99, c.randint(1, 110)]),
            "short": c.choice([0, 0, 1, c.randint(0, 9)]),
            "days_ago": _some(c, 50),
        },
    ),
    "take_at_a_branch": (5, lambda c: {"amount": c.randint(1, 5000), "days_ago": _some(c, 40)}),
    "apply_suspense": (7, lambda c: {"which": c.randint(0, 20)}),
    "pay_it_off": (4, lambda c: {"days_ago": _some(c, 20)}),
    "reverse": (5, lambda c: {"which": c.randint(0, 20)}),
    "charge": (
        4,
        lambda c: {
            "kind": c.choice(list(ChargeKind)),
            "amount": c.randint(1, 900),
            "days": c.randint(-40, 90),
        },
    ),
    "charge_what_is_late": (3, lambda c: {"base": c.choice(list(ChargeBase))}),
    "waive": (4, lambda c: {"which": c.randint(0, 9), "amount": c.randint(1, 90)}),
    "change_the_rate": (
        4,
        lambda c: {
            "percent": c.randint(0, 40),
            "days": c.randint(-50, 60),
            "whole": c.random() < 0.5,
        },
    ),
    "restructure": (
        7,
        lambda c: {
            "days": c.randint(1, 40),
            "count": c.randint(1, 6),
            "spread": c.random() < 0.5,
        },
    ),
    "disburse_more": (4, lambda c: {"percent": c.randint(1, 100), "days_ago": _some(c, 30)}),
    "take_back": (2, lambda c: {"which": c.randint(0, 1)}),
    "approve": (1, lambda _: {}),
    "disburse": (1, lambda _: {}),
    "end": (4, lambda c: {"step": c.randint(0, 3), "amount": c.randint(1, 3000)}),
}


def life_of(seed: int, steps: int = 30) -> Life:
    """The life that chance makes of `seed`."""
    chance = Random(seed)
    terms = chance_terms(chance, TODAY)
    following = replace(terms, recalculation_rest=chance.choice(list(RecalculationRest)))
    terms = terms if check_terms(following) else following
    names = list(_ACTS)
    chosen = chance.choices(names, [_ACTS[name][0] for name in names], k=steps)
    return Life(
        terms, chance.randint(1, 4), tuple(Step(name, _ACTS[name][1](chance)) for name in chosen)
    )


def live(life: Life) -> WorkoutMachine:
    """Live `life`; raises AssertionError, or what broke, where something does not hold."""
    machine = WorkoutMachine()
    machine.begin(life.terms, life.part)
    machine.check_invariants_now()
    for step in life.steps:
        getattr(machine, step.name)(**step.given)
        machine.check_invariants_now()
    return machine


def failure(life: Life) -> str | None:
    """Where and how something does not hold in `life`; None when all does."""
    try:
        live(life)
    except Exception as broken:  # noqa: BLE001 - whatever it is, it is what is looked for
        last = extract_tb(broken.__traceback__)[-1]
        return f"{type(broken).__name__} at {last.filename}:{last.lineno}: {broken}"
    return None


def shrunk(life: Life) -> Life:
    """A life that fails as `life` does, with as few steps and unusual terms as it takes."""
    sought = _place(life)
    if sought is None:
        return life
    plain = Terms(*(getattr(life.terms, name) for name in _NEEDED))
    for name in Terms.__dataclass_fields__:
        simpler = replace(life.terms, **{name: getattr(plain, name)})
        tried = replace(life, terms=simpler)
        if simpler != life.terms and not check_terms(simpler) and _place(tried) == sought:
            life = tried
    for at in reversed(range(len(life.steps))):
        tried = replace(life, steps=life.steps[:at] + life.steps[at + 1 :])
        if _place(tried) == sought:
            life = tried
    return life


def _place(life: Life) -> str | None:
    found = failure(life)
    return found and found.split(": ", 1)[0]

"""`lendwire conform FILE…`: every case through the engine, a line each, and a sum.

A line is `ID ok`, `ID FAIL what: expected … got …` or `ID skip reason`. What cannot be read counts
as a failure of the run, like any other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from server.conformance.case_answers import Answers
from server.conformance.case_events import fees_of, story_of
from server.conformance.case_terms import DEFAULT_CURRENCY, UnreadableCase, terms_of
from server.conformance.comparison import Mismatch, mismatches, row_mismatches
from server.conformance.figures import FACTOR_PLACES, due_dates, instalment_table, rate_factors
from server.failures import StartRefused

MONEY_PLACES: Final = 2

Say = Callable[[str], None]


class Outcome(StrEnum):
    """How a case went."""

    OK = "ok"
    FAIL = "FAIL"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one case went, and why when it did not pass."""

    case_id: str
    outcome: Outcome
    detail: str = ""

    def line(self) -> str:
        """The verdict as one line."""
        return " ".join(part for part in (self.case_id, self.outcome, self.detail) if part)


def conform(paths: Iterable[Path], say: Say) -> int:
    """Run the cases of all files; 0 only when every one of them passed."""
    verdicts = []
    for path in paths:
        for case in read_cases(path):
            verdict = judge(case)
            say(verdict.line())
            verdicts.append(verdict)
    counts = dict.fromkeys(Outcome, 0)
    for verdict in verdicts:
        counts[verdict.outcome] += 1
    passed, failed, skipped = (counts[outcome] for outcome in Outcome)
    say(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if passed == len(verdicts) else 1


def read_cases(path: Path) -> list[Mapping[str, Any]]:
    """The cases of a file; StartRefused with a sentence when it is no such file."""
    try:
        whole = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise StartRefused(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise StartRefused(f"{path} is no JSON: {error}.") from error
    cases = whole.get("cases") if isinstance(whole, dict) else None
    if not isinstance(cases, list):
        raise StartRefused(f"{path} has no list of cases.")
    return cases


def judge(case: Mapping[str, Any]) -> Verdict:
    """Run one case. Nothing of it is looked at but its params, its events and what it expects."""
    case_id = str(case.get("id", "?"))
    try:
        first = next(_differences(case), None)
    except UnreadableCase as error:
        return Verdict(case_id, Outcome.SKIP, str(error))
    except (KeyError, TypeError, ValueError, ArithmeticError, AssertionError) as error:
        # What cannot be read is told as such above: this is the engine, and a bug is no skip.
        return Verdict(case_id, Outcome.FAIL, f"engine: expected figures got {error!r}")
    if first is None:
        return Verdict(case_id, Outcome.OK)
    detail = f"{first.what}: expected {first.expected} got {first.got}"
    return Verdict(case_id, Outcome.FAIL, detail)


def _differences(case: Mapping[str, Any]) -> Iterator[Mismatch]:
    params = case.get("params")
    if not isinstance(params, dict):
        raise UnreadableCase("it has no params")
    expected: Mapping[str, Any] = case.get("expected") or {}
    given = case.get("compare_places")
    places = MONEY_PLACES if given is None else int(given)
    if "periods" in params:
        yield from mismatches("", expected, {"rate_factors": rate_factors(params)}, FACTOR_PLACES)
    elif "cases" in params:
        yield from mismatches("", expected, {"emi": instalment_table(params)}, places)
    elif "repayment_start_date" in params:
        yield from mismatches("", expected, due_dates(params), places)
    else:
        yield from _loan_differences(case, params, expected, places)


def _loan_differences(
    case: Mapping[str, Any], params: Mapping[str, Any], expected: Mapping[str, Any], places: int
) -> Iterator[Mismatch]:
    events = case.get("events") or []
    terms = terms_of(params, fees_of(events, params.get("currency", DEFAULT_CURRENCY)))
    answers = Answers(story_of(terms, params, events))
    rows = case.get("rows") or []
    if rows:
        yield from row_mismatches(rows, answers.rows(), places)
    for name, value in expected.items():
        yield from mismatches(name, value, answers.answer(name, value), places)

"""The published cases pass, by what they say and not by who they are."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from server.cli import main
from server.conformance.report import Outcome, judge, read_cases

FILE = Path(__file__).parents[2] / "domain" / "data" / "lending_cases.json"
CASES: list[dict[str, Any]] = [dict(case) for case in read_cases(FILE)]
# Later ones, which earlier releases failed.
WIDE: list[dict[str, Any]] = [dict(case) for case in read_cases(FILE.with_name("wide_cases.json"))]


def the_case(number: int) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(CASES[number]))
    return copy


@pytest.mark.parametrize("case", [*CASES, *WIDE], ids=lambda case: str(case["id"]))
def test_the_engine_shows_the_published_figures(case: dict[str, Any]) -> None:
    verdict = judge(case)
    assert verdict.outcome is Outcome.OK, verdict.line()


def test_no_case_is_known_by_its_name_or_its_source() -> None:
    names = [case["id"] for case in CASES]
    random.Random(5).shuffle(names)
    for case, name in zip(CASES, names, strict=True):
        stranger = {**case, "id": name, "kind": "any", "source": {}, "convention": ""}
        assert judge(stranger).outcome is Outcome.OK


def test_no_case_is_known_by_its_figures() -> None:
    """Another principal gives another schedule, and the published one is then found wrong."""
    moved = 0
    for case in CASES:
        if not case.get("rows"):
            continue
        stranger = json.loads(json.dumps(case))
        stranger["params"]["principal"] = str(float(stranger["params"]["principal"]) + 60)
        for event in stranger.get("events", []):
            if event["type"] == "DISBURSE":
                event["amount"] = str(float(event["amount"]) + 60)
        verdict = judge(stranger)
        assert verdict.outcome is Outcome.FAIL, verdict.line()
        moved += 1
    assert moved > 30


def test_one_wrong_cent_is_found_and_told() -> None:
    case = the_case(0)
    case["rows"][2]["interest"] = "50.01"
    assert judge(case).line() == f"{case['id']} FAIL row 3.interest: expected 50.01 got 50.00"


def test_a_row_too_many_is_found() -> None:
    case = the_case(0)
    case["rows"].pop()
    assert "rows: expected 17 got 18" in judge(case).line()


def test_what_cannot_be_read_is_skipped_with_its_reason() -> None:
    case = the_case(0)
    case["params"]["moon_phase"] = "full"
    assert judge(case).line() == f"{case['id']} skip unknown params: moon_phase"
    case = the_case(0)
    case["events"] = [{"type": "ECLIPSE"}]
    assert judge(case).line() == f"{case['id']} skip unknown event ECLIPSE"


def test_a_re_age_cannot_start_before_its_day() -> None:
    """E2: it made a row of fewer than no days."""
    case = next(json.loads(json.dumps(one)) for one in WIDE if "REAGING" in one["id"])
    re_age = case["events"][-1]
    re_age["start"] = "2024-03-31"
    told = "skip REAGE of 2024-04-01 cannot start on 2024-03-31, which has passed"
    assert judge(case).line() == f"{case['id']} {told}"


def test_the_command_prints_a_line_a_case_and_a_sum(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conform", str(FILE)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{CASES[0]['id']} ok"
    assert lines[-1] == f"{len(CASES)} passed, 0 failed, 0 skipped"
    assert len(lines) == len(CASES) + 1

    wrong, strange = the_case(0), the_case(0)
    wrong["rows"][0]["balance"] = "0.00"
    strange["params"]["moon_phase"] = "full"
    file = tmp_path / "more.json"
    file.write_text(json.dumps({"cases": [wrong, strange, the_case(1)]}), "utf-8")
    assert main(["conform", str(file)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 1 failed, 1 skipped"


def test_a_skipped_case_alone_is_a_failure_of_the_run(tmp_path: Path) -> None:
    strange = the_case(0)
    strange["params"]["moon_phase"] = "full"
    file = tmp_path / "one.json"
    file.write_text(json.dumps({"cases": [strange]}), "utf-8")
    assert main(["conform", str(file)]) == 1


@pytest.mark.parametrize("text", ["no json", "[]", '{"cases": 1}'])
def test_a_file_of_something_else_is_refused_in_a_sentence(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "else.json"
    file.write_text(text, "utf-8")
    assert main(["conform", str(file)]) != 0
    assert str(file) in capsys.readouterr().err

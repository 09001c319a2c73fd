"""U2: with the old dating put back in a copy of the tree, the property of the books must fail.

    python -m pytest tests/domain/test_old_dating.py -m slow

A dating whose text no longer stands in the source fails too: then this file is out of date.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("domain", "tests/domain")
JOURNAL = "domain/accounting/journal.py"
RULE = "tests/domain/test_books_by_day.py"
FAILED = 1  # pytest's exit code when tests ran and failed
PATIENCE_S = 600.0
# What stands, and what makes entries count on another day than they should.
DATINGS = {
    "what moves because of another event counts on the day of that": (
        "    counts_on = movement.value_date\n",
        "    counts_on = cause.value_date\n",
    ),
    "all that an event posts counts on the day on which it was entered": (
        "            entry.value_date,\n            account,\n",
        "            max(one.value_date for one in entries),\n            account,\n",
    ),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the engine and its tests."""
    copy = tmp_path_factory.mktemp("tree")
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def run_rule(tree: Path) -> subprocess.CompletedProcess[str]:
    """The property, on the copy and on nothing else; always the same examples, without a clock."""
    return subprocess.run(
        [
            *(sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no"),
            *("--noconftest", "--hypothesis-profile=ci", RULE),
        ],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.slow
def test_as_entries_are_dated_the_property_holds(tree: Path) -> None:
    run = run_rule(tree)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("dating", DATINGS)
def test_with_another_dating_the_property_fails(tree: Path, dating: str) -> None:
    stands, other = DATINGS[dating]
    path = tree / JOURNAL
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace(stands, other), encoding="utf-8")
    try:
        run = run_rule(tree)
    finally:
        path.write_text(source, encoding="utf-8")
    assert run.returncode == FAILED, run.stdout + run.stderr
    assert f"FAILED {RULE}::test_arrears_of_any_day" in run.stdout


@pytest.mark.parametrize("dating", DATINGS)
def test_each_dating_stands_once_where_it_is_said_to(dating: str) -> None:
    assert (ROOT / JOURNAL).read_text(encoding="utf-8").count(DATINGS[dating][0]) == 1

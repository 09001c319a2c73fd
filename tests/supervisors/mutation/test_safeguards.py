"""Take each safeguard of the runtime away, in a copy of the tree, and see a named test fail.

    python -m pytest tests/supervisors/mutation -m slow

A safeguard whose text no longer stands in the source fails too: then safeguards.py is out of date.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.supervisors.mutation.safeguards import SAFEGUARDS, Safeguard

ROOT = Path(__file__).parents[3]
PARTS = ("actors", "domain", "supervisors", "tests/actors", "tests/supervisors")
PATIENCE_S = 300.0
FAILED = 1  # pytest's exit code when tests ran and failed


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the runtime and its tests."""
    copy = tmp_path_factory.mktemp("tree")
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def run_tests(tree: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests of the copy, and of nothing else; a hang is a failure of this very test."""
    return subprocess.run(
        [
            *(sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no"),
            *(f"tests/{test}" for test in tests),
        ],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.slow
def test_with_every_safeguard_in_place_the_named_tests_pass(tree: Path) -> None:
    run = run_tests(tree, *{safeguard.test for safeguard in SAFEGUARDS})
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda safeguard: safeguard.name)
def test_without_the_safeguard_a_named_test_fails_and_does_not_hang(
    tree: Path, safeguard: Safeguard
) -> None:
    path = tree / safeguard.file
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace(safeguard.text, safeguard.without), encoding="utf-8")
    try:
        run = run_tests(tree, safeguard.test)
    finally:
        path.write_text(source, encoding="utf-8")
    assert run.returncode == FAILED, run.stdout + run.stderr
    assert f"FAILED tests/{safeguard.test}" in run.stdout


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda safeguard: safeguard.name)
def test_each_safeguard_stands_once_where_it_is_said_to(safeguard: Safeguard) -> None:
    assert (ROOT / safeguard.file).read_text(encoding="utf-8").count(safeguard.text) == 1

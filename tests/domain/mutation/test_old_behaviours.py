"""Put each old behaviour of the engine back, in a copy of the tree, and see its property fail.

    python -m pytest tests/domain/mutation -m slow

One whose text no longer stands in the source fails too: then old_behaviours.py is out of date.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.domain.mutation.old_behaviours import OLD_BEHAVIOURS, OldBehaviour

ROOT = Path(__file__).parents[3]
PATIENCE_S = 900.0
FAILED = 1  # pytest's exit code when tests ran and failed


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the engine and its tests, without what the tests of other rooms share."""
    copy = tmp_path_factory.mktemp("tree")
    for part in ("domain", "tests/domain"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    # The profile of `make check`: without the database of examples, from one seed.
    (copy / "tests" / "conftest.py").write_text(
        "from hypothesis import HealthCheck, Phase, settings\n"
        "settings.register_profile('check', max_examples=500, deadline=None, database=None,\n"
        "    derandomize=True, phases=[Phase.explicit, Phase.generate],\n"
        "    suppress_health_check=list(HealthCheck))\n"
        "settings.load_profile('check')\n",
        encoding="utf-8",
    )
    return copy


def run_test(tree: Path, test: str) -> subprocess.CompletedProcess[str]:
    """Run one test of the copy, and nothing else."""
    return subprocess.run(
        [
            *(sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no"),
            *("--hypothesis-profile=check", f"tests/domain/{test}"),
        ],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("old", OLD_BEHAVIOURS, ids=lambda old: old.name)
def test_put_back_it_is_caught(tree: Path, old: OldBehaviour) -> None:
    path = tree / old.file
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace(old.text, old.before), encoding="utf-8")
    try:
        run = run_test(tree, old.test)
    finally:
        path.write_text(source, encoding="utf-8")
    assert run.returncode == FAILED, run.stdout + run.stderr
    assert f"FAILED tests/domain/{old.test}" in run.stdout


@pytest.mark.parametrize("old", OLD_BEHAVIOURS, ids=lambda old: old.name)
def test_each_mend_stands_once_where_it_is_said_to(old: OldBehaviour) -> None:
    assert (ROOT / old.file).read_text(encoding="utf-8").count(old.text) == 1

"""The tree keeps the house rules of tidy_rules.py, and a planted offence against each is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.architecture import tidy_rules
from tests.architecture.tidy_rules import RULES

ROOT = Path(__file__).parents[2]
Rule = Callable[[Path], Iterator[str]]
PLAN = """
[importlinter]
root_packages = domain
[importlinter:contract:rooms]
layers =
    server
    web | supervisors
    actors | persistence
    domain
[importlinter:contract:composition-root]
protected_modules = persistence
allowed_importers = server
"""
MODULE = '"""A module that says what it is."""\n'


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    offences = list(rule(ROOT))
    assert not offences, "\n".join([str(rule.__doc__), *offences])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small house in order: one room, on the plan, on the map, tested."""
    write(tmp_path, ".importlinter", PLAN)
    write(tmp_path, "ARCHITECTURE.md", "`domain/` holds the rules.\n")
    write(tmp_path, "domain/__init__.py", MODULE)
    write(tmp_path, "domain/money.py", MODULE + "def cents(x):\n    return x.quantize(1)\n")
    for number in range(16):
        write(tmp_path, f"domain/terms/term_{number}.py", MODULE)
    write(tmp_path, "persistence/tables.py", MODULE * 301)
    write(tmp_path, "migrations/versions/0001.py", MODULE * 301)
    write(tmp_path, "tests/domain/test_money_rounds.py", MODULE)
    write(tmp_path, ".venv/lib/utils.py", "x = 1\n" * 301)
    write(tmp_path, "requirements.txt", "trio==1.0 --hash=sha256:00\n")
    return tmp_path


def write(tree: Path, name: str, text: str) -> None:
    """Put a file into the tree, with the folders it needs."""
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def function_of(lines: int) -> str:
    """Spell a function of so many lines."""
    return "def long():\n" + "    x = 1\n" * (lines - 1)


# rule -> the file that offends, and what stands in it
PLANTED: dict[str, tuple[str, str]] = {
    "long_files": ("domain/schedule/day_count.py", MODULE + "x = 1\n" * 400),
    "long_functions": ("domain/schedule/day_count.py", MODULE + function_of(61)),
    "crowded_folders": ("domain/terms/one_more.py", MODULE),
    "silent_modules": ("domain/schedule/day_count.py", "x = 1\n"),
    "nameless_modules": ("domain/utils.py", MODULE),
    "undeclared_folders": ("plugins/README", "a new idea\n"),
    "rooms_off_the_plan": ("gateways/__init__.py", MODULE),
    "rooms_off_the_map": ("gateways/__init__.py", MODULE),
    "untested_rooms": ("gateways/__init__.py", MODULE),
    "foreign_places": ("requirements-dev.txt", "--index" + "-url https://example.org/simple\n"),
    "promises": ("domain/schedule/day_count.py", MODULE + "# TO" + "DO: later\n"),
    "stray_rounding": (
        "domain/schedule/day_count.py",
        MODULE + "def f(x):\n    return x.quantize(1)\n",
    ),
    "stray_sql": ("domain/schedule/day_count.py", MODULE + "X = 'SELECT 1 AS one'\n"),
    "borrowed_privileges": ("domain/schedule/day_count.py", MODULE + "import asyncio\n"),
}


def test_every_rule_has_a_planted_offence() -> None:
    assert set(PLANTED) == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_house_in_order_offends_against_nothing(rule: Rule, tree: Path) -> None:
    assert list(rule(tree)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_planted_offence_is_seen(rule: Rule, tree: Path) -> None:
    name, text = PLANTED[rule.__name__]
    write(tree, name, text)
    assert len(list(rule(tree))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "see https://files.python" + "hosted.org/packages/",
        "home = '/ho" + "me/someone/lendwire'",
        "cd /wo" + "rk/main",
        "--find" + "-links wheels",
    ],
)
def test_a_place_outside_the_tree_is_seen_in_any_text(line: str, tree: Path) -> None:
    write(tree, "docs/setting-up.md", f"# Setting up\n\n{line}\n")
    assert list(tidy_rules.foreign_places(tree)) != []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("supervisors/tree.py", "import os; os.environ['HOME']"),
        ("supervisors/tree.py", "from os import environ"),
        ("server/configuration/settings.py", "import trio; trio.open_nursery()"),
        ("server/serve.py", "import datetime; datetime.datetime.now()"),
        ("actors/hub.py", "from trio import open_memory_channel"),
        ("actors/runtime/mailbox.py", "import trio; trio.open_memory_channel(1)"),
    ],
)
def test_a_file_that_was_let_off_one_law_keeps_the_others(name: str, line: str, tree: Path) -> None:
    write(tree, name, MODULE + line + "\n")
    assert len(list(tidy_rules.borrowed_privileges(tree))) == 1


def test_a_file_may_do_what_it_is_there_for(tree: Path) -> None:
    write(tree, "server/configuration/settings.py", MODULE + "import os; os.environ['HOME']\n")
    assert list(tidy_rules.borrowed_privileges(tree)) == []


def test_a_function_of_sixty_lines_and_a_file_of_three_hundred_are_allowed(tree: Path) -> None:
    write(tree, "domain/schedule/day_count.py", MODULE + function_of(60))
    write(tree, "domain/terms/terms.py", MODULE + "x = 1\n" * 299)
    assert list(tidy_rules.long_functions(tree)) == []
    assert list(tidy_rules.long_files(tree)) == []

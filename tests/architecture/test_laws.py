"""The tree keeps the laws that ruff, import-linter, mypy and pytest hold, and each law bites.

For each law an offence is planted, in a copy of the tree or in a file that exists only on ruff's
standard input, and the tool is seen to refuse it. Types of the whole tree are left to `make types`.
"""

from __future__ import annotations

import configparser
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINT = SETTINGS["tool"]["ruff"]["lint"]
BANNED: dict[str, dict[str, str]] = LINT["flake8-tidy-imports"]["banned-api"]
BANNED_MODULES = {"asyncio", "trio_asyncio", "anyio.from_thread"}
PLAN = configparser.ConfigParser()
PLAN.read(ROOT / ".importlinter", encoding="utf-8")
ROOMS = PLAN["importlinter"]["root_packages"].split()
CONTRACTS = {name.split(":")[2]: name for name in PLAN.sections() if name.count(":") == 2}
WORKSHOP = ("tests/", "bench/", "migrations/")

# Who is let off the banned calls, and what it then may do.
LET_OFF = {
    "persistence/bridge/asyncio_bridge.py": ("asyncio",),
    "supervisors/*.py": ("trio.open_nursery",),
    "web/sockets/*.py": ("trio.open_nursery",),
    "web/edge/*.py": ("trio.open_nursery",),
    "server/serve.py": ("trio.open_nursery",),
    "server/configuration/settings.py": ("os.environ",),
    "gateways/system_clock.py": ("datetime.datetime.now",),
}

# A name that is needed for a type alone is an import like another.
TYPE_ONLY = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "

# contract -> offences: the file that gets a line more (or is made), and the line
PLANTED: dict[str, list[tuple[str, str]]] = {
    "rooms": [
        ("domain/__init__.py", "import actors.ports.stores"),
        ("actors/__init__.py", TYPE_ONLY + "from web.app import make_app"),
        ("gateways/__init__.py", "import persistence"),
        ("supervisors/__init__.py", "import web"),
        ("web/__init__.py", "import server"),
    ],
    "composition-root": [
        ("web/__init__.py", TYPE_ONLY + "from persistence.tables import loans"),
        ("web/__init__.py", "import persistence.tables"),
        ("supervisors/__init__.py", "import gateways"),
    ],
    "pure-domain": [
        ("domain/__init__.py", "import trio"),
        ("domain/money.py", "import random"),
        ("domain/money.py", "import time"),
        ("domain/planted.py", "import sqlalchemy"),
    ],
    "one-bridge": [
        ("web/__init__.py", "import asyncio"),
        ("persistence/tables.py", "import asyncio"),
    ],
    "actors-know-no-drivers": [
        ("actors/__init__.py", "import asyncpg"),
        ("supervisors/__init__.py", "import quart"),
    ],
    "one-store": [
        ("server/__init__.py", "import sqlalchemy"),
        ("gateways/__init__.py", "import redis"),
    ],
    "strangers": [("actors/session/user_session.py", "import actors.gatekeeper")],
    "no-cycles": [
        ("actors/messages/__init__.py", "import actors.session.user_session"),
        ("actors/runtime/slot.py", TYPE_ONLY + "from actors.runtime.actor import Actor"),
        (
            "supervisors/runtime/child.py",
            TYPE_ONLY + "from supervisors.runtime.supervisor import Supervisor",
        ),
        ("web/sockets/send_queue.py", TYPE_ONLY + "from web.sockets.pending_queue import HeldLane"),
    ],
    **{f"{room}-floors": [(f"{room}/planted.py", "import sys")] for room in ROOMS},
}


def tool(name: str, *args: str, cwd: Path, text: str | None = None) -> tuple[int, str]:
    """Run a tool of this environment; its exit code and all it says."""
    done = subprocess.run(
        [Path(sys.executable).with_name(name), *args],
        cwd=cwd,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rooms and their floor plan, to plant in."""
    place = tmp_path_factory.mktemp("tree")
    for room in ROOMS:
        shutil.copytree(ROOT / room, place / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", place)
    return place


def test_the_tree_keeps_every_import_contract() -> None:
    code, said = tool("lint-imports", "--no-logo", "--no-cache", cwd=ROOT)
    assert code == 0, said


def test_every_import_contract_has_a_planted_offence() -> None:
    assert set(PLANTED) == set(CONTRACTS)


@pytest.mark.parametrize(
    ("contract", "name", "line"),
    [(contract, *offence) for contract, offences in PLANTED.items() for offence in offences],
)
def test_an_import_against_the_contract_is_seen(
    contract: str, name: str, line: str, copy: Path
) -> None:
    path = copy / name
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        code, said = tool("lint-imports", "--no-logo", "--contract", contract, cwd=copy)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")
    assert code == 1, said
    assert f"{PLAN[CONTRACTS[contract]]['name']} BROKEN" in said


def speaking(banned: str) -> str:
    """A module that uses the banned name."""
    if banned in BANNED_MODULES:
        return f"import {banned}\n"
    module = "trio.lowlevel" if banned.startswith("trio.lowlevel") else banned.partition(".")[0]
    return f"import {module}\n\n{banned}\n"


def ruff(text: str, name: str, select: str) -> list[str]:
    """What ruff says about a text if it stood in the tree under this name."""
    args = ("check", "--output-format=json", f"--select={select}", f"--stdin-filename={name}", "-")
    _, said = tool("ruff", *args, cwd=ROOT, text=text)
    return [found["message"] for found in json.loads(said)]


def test_the_tree_keeps_the_house_rules_of_ruff() -> None:
    code, said = tool("ruff", "check", ".", cwd=ROOT)
    assert code == 0, said


def test_ruff_holds_everything_it_knows() -> None:
    assert LINT["select"] == ["ALL"]


@pytest.mark.parametrize("banned", BANNED)
def test_a_banned_call_is_refused_with_its_remedy(banned: str) -> None:
    remedy = BANNED[banned]["msg"]
    assert any(remedy in said for said in ruff(speaking(banned), "web/planted.py", "TID251"))


@pytest.mark.parametrize("place", LET_OFF)
def test_a_file_may_do_what_it_is_let_off(place: str) -> None:
    name = place.replace("*", "planted")
    assert [ruff(speaking(banned), name, "TID251") for banned in LET_OFF[place]] == [
        [] for _ in LET_OFF[place]
    ]


def test_nobody_else_is_let_off_the_banned_calls() -> None:
    exempt = {
        place
        for place, rules in LINT["per-file-ignores"].items()
        if "TID251" in rules and not place.startswith(WORKSHOP)
    }
    assert exempt == set(LET_OFF)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("D100", "x = 1\n"),
        ("E501", f'"""One."""\n\nX = "{"x" * 100}"\n'),
        ("T201", 'print("hello")\n'),
        ("ERA001", "# x = 1\n"),
        ("TID252", "from . import lane\n"),
        ("ANN201", "def f():\n    ...\n"),
        ("C901", "def f(x: int) -> None:\n" + "    if x:\n        x += 1\n" * 13),
    ],
)
def test_a_breach_of_style_is_refused(rule: str, text: str) -> None:
    assert ruff(text, "web/planted.py", rule) != []


def test_mypy_is_strict(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(
        "import json\n"
        "def untyped(x): return x\n"
        "def loose(x: list) -> int: return json.loads('1')\n"
        "def absent(x: int = None) -> int: return x  # type: ignore\n"
        "def over(x: int) -> int:\n    return x\n    print(x)\n"
    )
    config = f"--config-file={ROOT / 'pyproject.toml'}"
    code, said = tool("mypy", config, "--cache-dir", str(tmp_path), str(planted), cwd=tmp_path)
    assert code == 1
    codes = ("no-untyped-def", "type-arg", "no-any-return", "ignore-without-code", "unreachable")
    assert [law for law in codes if f"[{law}]" not in said] == [], said


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("import warnings\ndef test_it() -> None: warnings.warn('old', DeprecationWarning)", "old"),
        ("import pytest\n@pytest.mark.sloow\ndef test_it() -> None: ...", "sloow"),
        ("def test_it() -> None: open(__file__)", "unclosed file"),
    ],
)
def test_a_warning_or_an_unknown_mark_fails_a_test(
    text: str, complaint: str, tmp_path: Path
) -> None:
    planted = tmp_path / "test_planted.py"
    planted.write_text(text, encoding="utf-8")
    args = ("-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", str(planted))
    code, said = tool("pytest", *args, cwd=tmp_path)
    assert code != 0
    assert complaint in said

"""The README's story is true: its lines are run as they stand there, against a server of its kind.

Three things are put in their place, because a test owns neither the port nor the terminal: the
address, the interpreter of the virtual environment, and `make run`, for which the command of its
recipe is started.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.acceptance.node import Node, fresh_home

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
INTERPRETER = ".venv/bin/python"
SAID = re.compile(r"### Terminal (\d): .*?\n(.*?)(?=\n### |\n## )", re.DOTALL)
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)
STORY_WITHIN_S = 300
FIRST_ROW = "94.62 12.00 106.62 1105.38"
LEFT = "1105.38"


def lines_of(terminal: str) -> list[str]:
    """The commands that the README asks to be pasted into one terminal, in order."""
    (text,) = [text for number, text in SAID.findall(README) if number == terminal]
    return "".join(BLOCK.findall(text)).splitlines()


def served(settings: dict[str, str]) -> Node:
    """A server as the first terminal starts it, but with a port and a home of its own."""
    (line,) = lines_of("1")
    assignments, command = line.split()[:-2], line.split()[-2:]
    assert command == ["make", "run"]
    return Node(fresh_home(), settings | dict(one.split("=", 1) for one in assignments))


@pytest.fixture
async def node():
    """The environment of a newcomer: nothing set but what the README sets."""
    node = served({"DATABASE_URL": "", "REDIS_URL": ""})
    node.start()
    yield node
    node.clean_up()
    shutil.rmtree(node.home.parent, ignore_errors=True)


class Listener:
    """The second terminal."""

    def __init__(self, node: Node) -> None:
        (line,) = lines_of("2")
        assert line.startswith(INTERPRETER)
        line = line.replace(INTERPRETER, sys.executable).replace(ADDRESS, node.url)
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )

    async def hear(self, wanted: str) -> dict[str, Any]:
        """The next message of a type."""
        with trio.fail_after(STORY_WITHIN_S):
            while True:
                line = await trio.to_thread.run_sync(
                    self.process.stdout.readline, abandon_on_cancel=True
                )
                assert line, "the listener has ended"
                message: dict[str, Any] = json.loads(line)
                if message["type"] == wanted:
                    return message

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
async def listener(node):
    listener = Listener(node)
    yield listener
    listener.end()


def paste(node: Node) -> subprocess.CompletedProcess[str]:
    """The third terminal: bash reads line after line, as from a keyboard."""
    script = "\n".join(lines_of("3")) + "\n"
    assert ADDRESS in script
    return subprocess.run(
        ["bash", "-u"],
        input=script.replace(ADDRESS, node.url),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=STORY_WITHIN_S,
        check=False,
    )


async def test_the_story_of_the_readme_works_when_it_is_pasted(node, listener):
    await listener.hear("welcome")
    told = await trio.to_thread.run_sync(paste, node)
    assert told.stderr == ""
    assert told.returncode == 0
    said = told.stdout.splitlines()
    manager, officer, approved, active = said[:4]
    assert len({manager, officer}) == 2
    assert (approved, active) == ("approved", "active")
    header = next(at for at, line in enumerate(said) if line.startswith("date,entry,"))
    saved, payoff, *statement = said[header - 2 :]
    told_before = said[4 : header - 2]
    rows, (payment, again, count, outstanding, portfolio) = told_before[:-5], told_before[-5:]
    assert float(saved) < 0
    assert payoff == LEFT
    assert [line.split(",")[1] for line in statement] == [
        "entry",
        "opening_balance",
        "disbursement",
        "interest",
        "payment",
        "closing_balance",
    ]
    assert len(rows) == 12
    assert rows[0].startswith("1 ")
    assert rows[0].endswith(f" {FIRST_ROW}")
    assert rows[-1].endswith(" 0.00")
    assert (again, count) == (payment, "1")
    assert f"'principal': '{LEFT}'" in outstanding
    assert f"'outstanding': '{LEFT}'" in portfolio
    for shown in ("approved", "active", FIRST_ROW, LEFT):
        assert f"`{shown}`" in README

    assert (await listener.hear("new_application"))["data"]["loan_id"]
    changes = [(await listener.hear("loan_status_change"))["data"] for _ in range(2)]
    assert [change["new_status"] for change in changes] == ["approved", "active"]
    assert (await listener.hear("payment_recorded"))["data"]["payment_id"] == payment


def test_the_first_terminal_starts_what_the_recipe_of_make_run_starts():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^run: setup .*\n\t@exec (.*)$", makefile, re.MULTILINE)
    assert recipe is not None
    assert recipe.group(1) == "$(BIN)/lendwire serve $(ARGS)"

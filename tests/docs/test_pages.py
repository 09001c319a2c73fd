"""What the written pages name is there: files, tests, doors of the Makefile, other pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"```.*?```", re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
ANCHOR = re.compile(r"#.*")
DOORS = re.compile(r"^([a-z-]+):", re.MULTILINE)
TEST = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def lost_files(page: Path) -> Iterator[str]:
    """Paths in code spans, seen from the root, that are not there."""
    ours = {entry.name for entry in ROOT.iterdir() if entry.is_dir()}
    for span in CODE.findall(prose(page)):
        folder, slash, _ = span.partition("/")
        plain = re.fullmatch(r"[\w./-]+", span)
        if slash and plain and folder in ours and not (ROOT / span).exists():
            yield span


def lost_tests(page: Path) -> Iterator[str]:
    """Tests that are named, and not written."""
    written: set[str] = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        written.update(TEST.findall(file.read_text(encoding="utf-8")))
    names = (span for span in CODE.findall(prose(page)) if re.fullmatch(r"test_\w+", span))
    yield from (name for name in names if name not in written)


def lost_doors(page: Path) -> Iterator[str]:
    """Targets of make that the Makefile does not have."""
    doors = set(DOORS.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    for span in CODE.findall(prose(page)):
        word = re.match(r"make ([a-z-]+)", span)
        if word and word.group(1) not in doors:
            yield span


def lost_pages(page: Path) -> Iterator[str]:
    """Links to files that are not there; other sites are not visited."""
    for target in LINK.findall(prose(page)):
        if "://" not in target and not (page.parent / ANCHOR.sub("", target)).exists():
            yield target


def torn_tables(page: Path) -> Iterator[str]:
    """Heads of tables whose line of dashes has more or fewer cells: they are not drawn."""
    lines = prose(page).splitlines()
    for head, dashes in pairwise(lines):
        if re.fullmatch(r"\|( *:?-+:? *\|)+", dashes) and head.count("|") != dashes.count("|"):
            yield head


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
@pytest.mark.parametrize("lost", [lost_files, lost_tests, lost_doors, lost_pages, torn_tables])
def test_what_a_page_names_is_there(page: Path, lost: Callable[[Path], Iterator[str]]) -> None:
    assert list(lost(page)) == []


@pytest.mark.parametrize(
    ("lost", "text"),
    [
        (lost_files, "see `domain/no_such_rule.py`"),
        (lost_tests, "held by `test_of_nothing_at_all`"),
        (lost_doors, "say `make breakfast`"),
        (lost_pages, "read [on](docs/no-such-page.md)"),
        (torn_tables, "| one | two |\n| --- | --- | --- |"),
    ],
)
def test_what_is_not_there_is_seen(
    lost: Callable[[Path], Iterator[str]], text: str, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    assert len(list(lost(page))) == 1

"""What the written pages name is there: files, names in them, tests, doors of make, pages.

A name in a file is written `path.py`: `name`, or `path.py` (`name`), or `name` of `path.py`;
several follow one another with commas. Names in brackets belong to the file before them in the
sentence. Of methods, fields and members the class is told too: `Class.member`. A name that is still
to be written is told in other words.
"""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
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
NAMES = r"`[A-Za-z_][\w.]*(?:\([^`\n]*\))?`"
LIST = rf"{NAMES}(?:(?:,|,? and)\s+{NAMES})*"
FILE = r"`([\w./-]+\.py)`"
NAMES_OF_A_FILE = re.compile(rf"{FILE}(?::\s+|\s+\(|\s+)({LIST})")
FILE_OF_NAMES = re.compile(rf"({LIST})\s+(?:of|in|\()\s*{FILE}")
SENTENCE_OF_A_FILE = re.compile(
    rf"{FILE}((?:(?!`[\w./-]+\.py`|[.;]\s|\||\n\n|\n\s*\*).)*)", re.DOTALL
)
IN_BRACKETS = re.compile(rf"\(({LIST})\)")
WORD_OF_GLOSSARY = re.compile(r"\*\*([^*]+)\*\*")


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


@functools.cache
def names_in(file: Path) -> frozenset[str]:
    """What a file defines: functions, classes, assignments, and `Class.member` of each class."""
    return frozenset(_defined(ast.parse(file.read_text(encoding="utf-8")).body))


def _defined(statements: Iterable[ast.stmt]) -> Iterator[str]:
    for one in statements:
        match one:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield one.name
            case ast.ClassDef():
                yield one.name
                yield from (f"{one.name}.{member}" for member in _defined(one.body))
            case ast.Assign() | ast.AnnAssign():
                targets = one.targets if isinstance(one, ast.Assign) else [one.target]
                for node in (part for target in targets for part in ast.walk(target)):
                    if isinstance(node, ast.Name):
                        yield node.id
            case ast.If() | ast.Try():
                yield from _defined([*one.body, *one.orelse])


def lost_names(page: Path) -> Iterator[str]:
    """Names that are told of a file in which they are not."""
    text = prose(page)
    pairs = {(found[1], found[2]) for found in NAMES_OF_A_FILE.finditer(text)}
    pairs |= {(found[2], found[1]) for found in FILE_OF_NAMES.finditer(text)}
    for found in SENTENCE_OF_A_FILE.finditer(text):
        pairs |= {(found[1], names) for names in IN_BRACKETS.findall(found[2])}
    for path, told in sorted(pairs):
        files = [ROOT / path] if "/" in path else sorted(ROOT.glob(f"[a-z]*/**/{path}"))
        there = frozenset[str]().union(*(names_in(file) for file in files if file.is_file()))
        for span in CODE.findall(told):
            name = span.partition("(")[0]
            if not name.endswith(".py") and name not in there:
                yield f"{path}: {name}"


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


def words_twice(page: Path) -> Iterator[str]:
    """Bold words of the glossary that stand twice, unless a qualifier tells each apart."""
    if page.name != "glossary.md":
        return
    told = [word.partition(" (") for word in WORD_OF_GLOSSARY.findall(prose(page))]
    words = Counter(word for word, _, _ in told)
    qualified = Counter(told)
    for one in dict.fromkeys(told):
        word, _, qualifier = one
        if words[word] > 1 and (not qualifier or qualified[one] > 1):
            yield word


def torn_tables(page: Path) -> Iterator[str]:
    """Heads of tables whose line of dashes has more or fewer cells: they are not drawn."""
    lines = prose(page).splitlines()
    for head, dashes in pairwise(lines):
        if re.fullmatch(r"\|( *:?-+:? *\|)+", dashes) and head.count("|") != dashes.count("|"):
            yield head


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
@pytest.mark.parametrize(
    "lost", [lost_files, lost_names, lost_tests, lost_doors, lost_pages, words_twice, torn_tables]
)
def test_what_a_page_names_is_there(page: Path, lost: Callable[[Path], Iterator[str]]) -> None:
    assert list(lost(page)) == []


@pytest.mark.parametrize(
    ("lost", "text"),
    [
        (lost_files, "see `domain/no_such_rule.py`"),
        (lost_names, "`domain/access/roles.py`: `Role`, `Role.MANAGER` and `NoSuchRole`"),
        (lost_names, "`domain/access/roles.py`: `Role.NOBODY`"),
        (lost_names, "`domain/access/roles.py` (`Role`, `no_such_sight`)"),
        (lost_names, "`domain/access/roles.py` knows (`Role`) who sees it (`no_such_sight`)"),
        (lost_names, "it is `no_such_sight` of `domain/access/roles.py`"),
        (lost_names, "`Role` and `hold(loan)` in\n`domain/access/roles.py`"),
        (lost_names, "the `NoSuchSight` (`roles.py`)"),
        (lost_names, "`tests/docs/test_pages.py`: `test_of_nothing`"),
        (lost_tests, "held by `test_of_nothing_at_all`"),
        (lost_doors, "say `make breakfast`"),
        (lost_pages, "read [on](docs/no-such-page.md)"),
        (words_twice, "**drain** of a node, **edge**, **drain (of a lane)**"),
        (words_twice, "**drain (of a lane)**, **drain (of a node)**, **drain (of a lane)**"),
        (torn_tables, "| one | two |\n| --- | --- | --- |"),
    ],
)
def test_what_is_not_there_is_seen(
    lost: Callable[[Path], Iterator[str]], text: str, tmp_path: Path
) -> None:
    page = tmp_path / "glossary.md"
    page.write_text(text, encoding="utf-8")
    assert len(list(lost(page))) == 1

"""The house rules that neither ruff, mypy nor import-linter can see, each a function of a tree.

A rule takes the root of a checkout and answers its offences, one sentence each; no offence, no
answer. It only reads. It is no formatter and no style guide: those are ruff's.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from pathlib import Path

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
FOLDER_FILES_MAX = 16
TOP_LEVEL = frozenset(
    {
        *("actors", "domain", "gateways", "migrations", "persistence", "server", "supervisors"),
        *("web", "tests", "bench", "docs", ".ci"),
    }
)
NOT_ROOMS = frozenset({"tests", "bench", "migrations", "docs", ".ci"})
NAMELESS = frozenset(
    {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers", "stuff"}
)
# Tables and migrations are long because the schema is; nobody reads them from top to bottom.
UNMEASURED = ("migrations/", "persistence/tables.py")
# Of what begins with a dot only these are ours: the rest is a tool's, or a person's own (.env).
DOTTED = frozenset({".ci", ".dockerignore", ".env.example", ".gitignore", ".importlinter"})
# What the tools make.
UNREAD = frozenset({"build", "dist", "node_modules", "__pycache__", "htmlcov"})
TEXT = frozenset({".cfg", ".css", ".html", ".ini", ".js", ".json", ".mako", ".md", ".py", ".sh"})
TEXT |= {".example", ".sql", ".toml", ".txt", ".yaml", ".yml", ""}
# Split, so that this file does not offend against the rule it states.
FOREIGN = re.compile(
    r"(?i:://[a-z0-9.-]*(?:py" + r"pi|python" + r"hosted|npm" + r"js|debian)[a-z0-9.-]*\.)"
    r"|(?:^|[^\w.$}/-])/(?:(?:ho" + r"me|wo" + r"rk|Us" + r"ers)/[\w.]|ro" + r"ot/\.)"
    r"|--(?:extra-)?index" + r"-url\b|--find" + r"-links\b",
    re.MULTILINE,
)
PROMISE = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b|NotImplemented" + r"Error")
ROUNDING = frozenset({"quantize", "to_integral_value", "to_integral_exact"})
SQL = re.compile(r"\s*(?:SELECT\s|INSERT INTO\s|UPDATE \w+ SET\s|DELETE FROM\s|CREATE TABLE\s)")
# ruff bans these everywhere and lets whole files off; here each file keeps to what it was let off.
PRIVILEGES = {
    "asyncio": ("persistence/bridge/asyncio_bridge.py",),
    "trio.open_memory_channel": (),
    "trio.open_nursery": ("supervisors/", "web/sockets/", "web/edge/", "server/serve.py"),
    "os.environ": ("server/configuration/settings.py",),
    "os.getenv": ("server/configuration/settings.py",),
    "datetime.now": ("gateways/system_clock.py",),
    "date.today": ("gateways/system_clock.py",),
}


def files(root: Path) -> Iterator[Path]:
    """Every file that a person wrote for the project, in order."""
    for entry in sorted(root.iterdir()):
        if entry.name in UNREAD or (entry.name.startswith(".") and entry.name not in DOTTED):
            continue
        if entry.is_dir():
            yield from files(entry)
        else:
            yield entry


def rooms(root: Path) -> list[str]:
    """The top-level packages, `tests`, `bench`, `migrations` and `docs` aside."""
    return sorted(
        entry.parent.name
        for entry in root.glob("*/__init__.py")
        if entry.parent.name not in NOT_ROOMS and not entry.parent.name.startswith(".")
    )


def modules(root: Path) -> Iterator[tuple[str, str, ast.Module]]:
    """Each Python file as its path from the root, its text and its tree."""
    for path in files(root):
        if path.suffix == ".py":
            text = path.read_text(encoding="utf-8")
            yield path.relative_to(root).as_posix(), text, ast.parse(text)


def long_files(root: Path) -> Iterator[str]:
    """A file over 400 lines has two subjects."""
    for name, text, _ in modules(root):
        lines = len(text.splitlines())
        if lines > FILE_LINES_MAX and not name.startswith(UNMEASURED):
            yield f"{name} has {lines} lines, the most is {FILE_LINES_MAX}: give it two names"


def long_functions(root: Path) -> Iterator[str]:
    """A function over 60 lines, decorators aside, cannot be seen at once."""
    for name, _, tree in modules(root):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX and not name.startswith(UNMEASURED):
                    yield f"{name}: {node.name} has {length} lines, not {FUNCTION_LINES_MAX}"


def crowded_folders(root: Path) -> Iterator[str]:
    """A folder of a room that holds more than 16 files beside `__init__` has several subjects."""
    for room in rooms(root):
        for folder in sorted({path.parent for path in (root / room).rglob("*.py")}):
            found = len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
            if found > FOLDER_FILES_MAX:
                name = folder.relative_to(root).as_posix()
                yield f"{name} holds {found} files, the most is {FOLDER_FILES_MAX}"


def silent_modules(root: Path) -> Iterator[str]:
    """A module opens with what it is and what it refuses to be."""
    for name, _, tree in modules(root):
        if not ast.get_docstring(tree):
            yield f"{name} does not say what it is"


def nameless_modules(root: Path) -> Iterator[str]:
    """A module or folder is named after its subject; there is no room called other."""
    for name, _, _ in modules(root):
        for part in Path(name).with_suffix("").parts:
            if part in NAMELESS:
                yield f"{name}: {part} names nothing"


def undeclared_folders(root: Path) -> Iterator[str]:
    """A new top-level folder needs an ADR, and then a line in TOP_LEVEL."""
    for entry in sorted(root.iterdir()):
        tool = entry.name.startswith(".") and entry.name != ".ci"
        made = entry.name in UNREAD or entry.name.endswith(".egg-info")
        if entry.is_dir() and not tool and not made and entry.name not in TOP_LEVEL:
            yield f"{entry.name}/ is a new top-level folder: write its ADR first"


def rooms_off_the_plan(root: Path) -> Iterator[str]:
    """Every room is a root package of import-linter, and every root package is a room."""
    plan = configparser.ConfigParser()
    plan.read(root / ".importlinter", encoding="utf-8")
    declared = set(plan.get("importlinter", "root_packages", fallback="").split())
    for name in sorted(declared ^ set(rooms(root))):
        yield f"{name} is a room or on the floor plan (.importlinter), but not both"


def rooms_off_the_map(root: Path) -> Iterator[str]:
    """Every room has a paragraph in ARCHITECTURE.md, which names it as `room/`."""
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for name in rooms(root):
        if f"`{name}/`" not in text:
            yield f"{name}/ has no paragraph in ARCHITECTURE.md"


def untested_rooms(root: Path) -> Iterator[str]:
    """Tests mirror the rooms."""
    for name in rooms(root):
        if not any((root / "tests" / name).rglob("test_*.py")):
            yield f"{name}/ has no tests in tests/{name}/"


def foreign_places(root: Path) -> Iterator[str]:
    """No path of somebody's machine, no host of a package index, in any text."""
    for path in files(root):
        if path.suffix in TEXT:
            text = path.read_text(encoding="utf-8", errors="replace")
            for match in FOREIGN.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                name = path.relative_to(root)
                yield f"{name}:{line} names a place outside the tree: {match.group().strip()}"


def promises(root: Path) -> Iterator[str]:
    """What is not done is in the tracker, not in the code."""
    for name, text, _ in modules(root):
        for match in PROMISE.finditer(text):
            yield f"{name}:{text.count(chr(10), 0, match.start()) + 1} promises: {match.group()}"


def stray_rounding(root: Path) -> Iterator[str]:
    """Money is rounded in domain/money.py and nowhere else."""
    for name, _, tree in modules(root):
        if name.split("/")[0] in NOT_ROOMS or name == "domain/money.py":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in ROUNDING:
                yield f"{name}:{node.lineno} rounds with {node.attr}: ask domain/money.py"


def stray_sql(root: Path) -> Iterator[str]:
    """SQL is in persistence/ and migrations/, named and motivated."""
    for name, _, tree in modules(root):
        if name.split("/")[0] in NOT_ROOMS | {"persistence"}:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and SQL.match(str(node.value)):
                yield f"{name}:{node.lineno} speaks SQL: give persistence/ a query with a name"


def spoken(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The dotted names that a module imports or reaches for, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.lineno, ast.unparse(node)


def borrowed_privileges(root: Path) -> Iterator[str]:
    """What only one file may do is done in that file, also where ruff looks away."""
    for name, _, tree in modules(root):
        if name.split("/")[0] in NOT_ROOMS:
            continue
        for line, word in sorted(set(spoken(tree))):
            for privilege, holders in PRIVILEGES.items():
                taken = (
                    f".{word}".endswith(f".{privilege}") if "." in privilege else word == privilege
                )
                if taken and not name.startswith(holders):
                    whose = " and ".join(holders) or "no file"
                    yield f"{name}:{line} uses {privilege}, which is for {whose}"


RULES = (
    long_files,
    long_functions,
    crowded_folders,
    silent_modules,
    nameless_modules,
    undeclared_folders,
    rooms_off_the_plan,
    rooms_off_the_map,
    untested_rooms,
    foreign_places,
    promises,
    stray_rounding,
    stray_sql,
    borrowed_privileges,
)

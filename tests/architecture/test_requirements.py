"""What is installed is pinned, hashed, taken from nowhere in particular, and within our ranges."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt")
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; [^\\]+?)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
GROUPS = SETTINGS["dependency-groups"]
DECLARED = {
    "requirements.txt": [*SETTINGS["project"]["dependencies"], *GROUPS["build"]],
    "requirements-dev.txt": [*SETTINGS["project"]["dependencies"], *GROUPS["dev"]],
    "requirements-bench.txt": GROUPS["bench"],
}


def lines(lock: str) -> list[str]:
    """What a lock file says, its comments aside."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]


def pins(lock: str) -> dict[str, str]:
    """Package and version."""
    return {pin[1]: pin[2] for line in lines(lock) if (pin := PIN.match(line))}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_pins_and_hashes_and_nothing_else(lock: str) -> None:
    said = lines(lock)
    assert [line for line in said if not (PIN.match(line) or HASH.match(line))] == []
    unhashed = [
        line
        for line, following in zip(said, [*said[1:], ""], strict=True)
        if PIN.match(line) and not HASH.match(following)
    ]
    assert unhashed == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_declared_dependency_is_pinned_within_its_range(lock: str) -> None:
    pinned = pins(lock)
    wanted = [Requirement(text) for text in DECLARED[lock]]
    outside = [
        str(need)
        for need in wanted
        if not need.specifier.contains(pinned.get(canonicalize_name(need.name), "0"))
    ]
    assert outside == []


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_the_lock_files_agree_on_every_version(lock: str) -> None:
    runtime = pins("requirements.txt")
    assert {
        name: version
        for name, version in pins(lock).items()
        if runtime.get(name, version) != version
    } == {}


def test_the_door_opens_to_all_that_it_promises() -> None:
    door = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", door, re.MULTILINE))
    promised = "setup run test check soak bench docs migrate lint types imports fmt clean"
    assert set(promised.split()) <= targets

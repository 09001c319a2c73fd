"""The pages that `make docs` draws say what the program says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
DRAWN = ("lifecycle.md", "roles.md", "openapi.json", "asyncapi.json")


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """The script, which is no module of a package."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_drawn_page_is_known_here(generate: ModuleType) -> None:
    assert tuple(generate.PAGES) == DRAWN


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawn_page_is_current(name: str, generate: ModuleType) -> None:
    drawn = generate.PAGES[name]()
    assert (DOCS / name).read_text(encoding="utf-8") == drawn, "run `make docs`"


def test_a_stale_page_is_told_and_left_alone_until_it_is_drawn(
    generate: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    monkeypatch.setattr(generate, "PAGES", {"roles.md": generate.roles})
    page = tmp_path / "roles.md"
    page.write_text("old", encoding="utf-8")
    assert generate.main(["--check"]) == 1
    assert page.read_text(encoding="utf-8") == "old"
    assert "docs/roles.md: not current" in capsys.readouterr().out
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0

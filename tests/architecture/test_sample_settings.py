"""`.env.example` lists every setting with its default; as it is, it changes nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from server.configuration.settings import Settings

SAMPLE = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")
COMMENTED = re.compile(r"^#([A-Z_]+)=(.*)$", re.MULTILINE)


def test_the_sample_names_every_setting_once() -> None:
    names = [name for name, _ in COMMENTED.findall(SAMPLE)]
    assert sorted(names) == sorted(field.upper() for field in Settings.model_fields)


def test_the_sample_sets_nothing_as_it_is() -> None:
    assert [line for line in SAMPLE.splitlines() if line and not line.startswith("#")] == []


def test_the_sample_shows_the_defaults(tmp_path: Path) -> None:
    sample = tmp_path / "env"
    sample.write_text(COMMENTED.sub(r"\1=\2", SAMPLE), encoding="utf-8")
    shown, default = [Settings(**source(path)) for path in (sample, None)]
    assert shown == default


def source(path: Path | None) -> dict[str, Any]:
    """Which file the settings are read from, if any."""
    return {"_env_file": path}

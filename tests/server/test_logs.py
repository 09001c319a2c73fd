"""U12: the log is for whoever reads it: lines on a terminal, JSON everywhere else."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator

import pytest

from server.logs import set_up_logs


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_a_person_at_a_terminal_reads_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """U12: on b8d3a4d JSON there as well."""
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        set_up_logs(worker="worker-2")
        log = logging.getLogger("lendwire.some")
        log.warning("the disk is %s", "full", extra={"free_bytes": 7})
        read = os.read(ours, 4096).decode()
        try:
            raise LookupError("no such loan")
        except LookupError:
            log.exception("a mistake")
        traced = os.read(ours, 65536).decode()
    os.close(ours)
    (line,) = read.splitlines()
    for part in ("the disk is full", "warning", "lendwire.some", "free_bytes=7", "worker-2"):
        assert part in line
    assert "{" not in line
    assert "\x1b" not in line
    assert "LookupError: no such loan" in traced
    assert "test_logs.py" in traced


def test_a_program_reads_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """U12: one object a line, as in the release before."""
    file = io.StringIO()
    monkeypatch.setattr("sys.stderr", file)
    set_up_logs()
    logging.getLogger("lendwire.some").warning("the disk is full", extra={"free_bytes": 7})
    told = json.loads(file.getvalue())
    assert told["event"] == "the disk is full"
    assert (told["level"], told["logger"], told["free_bytes"]) == ("warning", "lendwire.some", 7)
    assert told["timestamp"].endswith("Z")

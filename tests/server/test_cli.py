"""The command `lendwire` where no server is needed: checks, documents, one-sentence refusals."""

from __future__ import annotations

import json

import pytest

from server.cli import main
from server.settings import Settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_check_shows_the_settings_without_secrets(monkeypatch, capsys):
    monkeypatch.setenv("ADMIN_PASSWORD", "kestrel-lantern")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hidden@db/books")
    assert main(["check"]) == 0
    shown = capsys.readouterr().out
    assert "PORT=8000" in shown
    assert "ADMIN_PASSWORD=(set)" in shown
    assert "kestrel-lantern" not in shown
    assert "hidden" not in shown


def test_check_refuses_wrong_settings_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setenv("PORT", "harbour")
    assert main(["check"]) == 1
    assert capsys.readouterr().err.startswith("lendwire: The settings are not right: PORT ")


def test_openapi_prints_the_document_without_a_server(capsys):
    assert main(["openapi"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["openapi"].startswith("3.1")
    assert "/payments/" in document["paths"]


def test_without_a_command_the_usage_is_shown(capsys):
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code == 2
    assert "COMMAND" in capsys.readouterr().err

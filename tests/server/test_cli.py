"""The command `lendwire` where no server is needed: checks, documents, one-sentence refusals."""

from __future__ import annotations

import io
import json
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from persistence.store import Store
from server.cli import main
from server.configuration.settings import Settings
from server.failures import StartRefused
from server.jobs.create_user import NewUser, create_user

ROOT = Path(__file__).parents[2]


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
    assert "None" not in shown


@pytest.mark.parametrize(
    ("environment", "asked"), [("development", "False"), ("production", "True")]
)
def test_check_says_what_a_setting_that_was_left_open_comes_to(
    monkeypatch, capsys, environment, asked
):
    monkeypatch.setenv("ENVIRONMENT", environment)
    monkeypatch.setenv("JWT_SECRET_KEY", "Zk3vX9qLw2Rt7Yb5Nc8Mf1Hd6Gs4Jp0aEuTi")
    assert main(["check"]) == 0
    assert f"MUST_CHANGE_PASSWORD={asked}\n" in capsys.readouterr().out


def test_check_refuses_wrong_settings_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setenv("PORT", "harbour")
    assert main(["check"]) == 1
    assert capsys.readouterr().err.startswith("lendwire: The settings are not right: PORT ")


def test_openapi_prints_the_document_without_a_server(capsys):
    assert main(["openapi"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["openapi"].startswith("3.1")
    assert "/payments" in document["paths"]


def test_the_version_is_that_of_the_program_and_of_its_api(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    spoken = f"which speaks version {document['info']['version']} of its API"
    assert capsys.readouterr().out == f"lendwire {version('lendwire')}, {spoken}\n"


@pytest.mark.parametrize(
    "command",
    [
        ["with-database", "pg_dump"],
        ["rebuild", "--check"],
        ["new-epoch"],
    ],
)
def test_work_on_a_home_that_is_not_there_is_refused_and_makes_none(command, capsys, tmp_path):
    """A back-up from a wrong folder would be empty, and nobody would notice."""
    assert main(command) != 0
    said = capsys.readouterr().err
    assert f"There is no Lendwire in {tmp_path / '.lendwire'}" in said
    assert "LENDWIRE_HOME" in said
    assert list(tmp_path.iterdir()) == []


def test_without_a_command_the_usage_is_shown(capsys):
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


NINA = ["create-user", "--email", "nina@example.com", "--full-name", "Nina", "--role", "officer"]


def test_without_a_terminal_no_password_is_asked_for(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("walnut-harbour-17\n"))
    assert main(NINA) == 1
    assert capsys.readouterr().err == (
        "lendwire: There is no terminal to ask for the password: use --password-stdin.\n"
    )


async def test_all_that_is_wrong_with_a_new_user_is_told_before_anything_is_made():
    with pytest.raises(StartRefused) as refused:
        await create_user(Store(""), NewUser("nina", " ", "officer", "short"), ZoneInfo("UTC"))
    assert refused.value.sentence == (
        "Nothing was made: the e-mail must be an e-mail address; "
        "the full name must be 1 to 200 printable characters; "
        "the password must have 8 characters or more."
    )

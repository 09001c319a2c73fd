"""The settings: read once, checked together, reported by name and never by value."""

from __future__ import annotations

import pytest

from server.failures import StartRefused
from server.settings import Settings, read_settings

RANDOM_KEY = "Zk3vX9qLw2Rt7Yb5Nc8Mf1Hd6Gs4Jp0aEuTi"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    """Neither the machine's environment nor a `.env` beside the tests may speak."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def refusal(**flags) -> str:
    with pytest.raises(StartRefused) as refused:
        read_settings(flags)
    return refused.value.sentence


def test_without_any_setting_a_developer_can_start():
    settings = read_settings()
    assert (settings.host, settings.port, settings.four_eyes) == ("127.0.0.1", 8000, True)


def test_flags_win_over_the_environment_and_the_environment_over_the_file(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("PORT=1001\nHOST=file.example\nTIMEZONE=Europe/Berlin\n")
    monkeypatch.setenv("PORT", "1002")
    monkeypatch.setenv("HOST", "env.example")
    settings = read_settings({"port": "1003", "host": None})
    assert settings.port == 1003
    assert settings.host == "env.example"
    assert settings.timezone == "Europe/Berlin"


def test_an_empty_setting_is_as_if_it_were_not_there(monkeypatch):
    monkeypatch.setenv("PORT", "")
    assert read_settings().port == 8000


def test_all_mistakes_are_reported_together_by_name_and_not_by_value(monkeypatch):
    wrong = {
        "PORT": "harbour",
        "DATABASE_URL": "mysql://root:hunter2@db/books",
        "JWT_SECRET_KEY": "tooshort",
        "JWT_ALGORITHM": "none",
        "TIMEZONE": "Mars/Olympus",
        "DEFAULT_CURRENCY": "XXZ",
        "ALLOWED_ORIGINS": "*",
        "SYNC_NODE_KEY": "stolen",
        "WORKERS": "65",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    sentence = refusal()
    for name, value in wrong.items():
        assert name in sentence
        if len(value) > 1 and name != "JWT_ALGORITHM":
            assert value not in sentence


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "JWT_SECRET_KEY"),
        ({"jwt_secret_key": "a" * 64}, "JWT_SECRET_KEY"),
        ({"jwt_secret_key": "change-me-" + RANDOM_KEY}, "JWT_SECRET_KEY"),
        ({"database_url": "postgresql://me:postgres@db/books"}, "DATABASE_URL"),
        ({"allowed_origins": "http://app.example.com"}, "ALLOWED_ORIGINS"),
    ],
)
def test_production_refuses_what_is_unsafe(changes, name):
    given = {"environment": "production", "jwt_secret_key": RANDOM_KEY, **changes}
    if not changes:
        del given["jwt_secret_key"]
    assert name in refusal(**given)


def test_production_with_safe_settings_starts():
    settings = read_settings({"environment": "production", "jwt_secret_key": RANDOM_KEY})
    assert settings.environment == "production"


def test_what_this_release_cannot_do_is_refused_and_not_ignored():
    said = refusal(sync_remote_url="https://head.example")
    assert "not supported by this release" in said


def test_lists_are_given_with_commas():
    settings = read_settings({"allowed_origins": "https://a.example, https://b.example"})
    assert settings.allowed_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("harbour", "must have 8 characters or more"),
        ("mara.klein-1", "must not hold your e-mail"),
        ("password123", "is one of those that are tried first"),
    ],
)
def test_the_first_administrators_password_is_held_to_the_rule_of_everybodys(password, why):
    sentence = refusal(admin_email="Mara.Klein@example.com", admin_password=password)
    assert f"ADMIN_PASSWORD {why}" in sentence
    assert password not in sentence


def test_an_administrator_needs_an_address_by_which_he_can_be_known():
    assert "ADMIN_EMAIL must be an e-mail address" in refusal(admin_email="Ádá@example.com")

"""The settings: read once, checked together, reported by name and never by value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.configuration.policy import policy_components, remarks
from server.configuration.settings import Settings, read_settings, remarks_on_environment
from server.failures import StartRefused

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


@pytest.mark.parametrize(
    ("name", "given", "allowed"),
    [
        ("WORKERS", "65", "a whole number from 1 to 64"),
        ("WORKERS", "two", "a whole number from 1 to 64"),
        ("PORT", "harbour", "a whole number from 0 to 65535"),
        ("FOUR_EYES", "maybe", "true or false"),
        ("MUST_CHANGE_PASSWORD", "never", "true or false"),
        ("ENVIRONMENT", "prod", "development or test or production"),
        ("WS_HEARTBEAT_INTERVAL", "0", "a number from 0.1 to 3600"),
    ],
)
def test_a_number_or_a_choice_is_told_with_what_is_allowed_and_what_was_given(
    monkeypatch, name, given, allowed
):
    monkeypatch.setenv(name, given)
    assert f"{name} must be {allowed}, and {given!r} was given" in refusal()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_no_setting_is_refused_in_the_words_of_a_library(monkeypatch, name):
    monkeypatch.setenv(name.upper(), "x" * 500)
    # Besides it a setting that is always wrong, so that each start is refused.
    sentence = refusal(port="harbour")
    assert "PORT must be" in sentence
    assert "input" not in sentence.lower()
    assert "x" * 50 not in sentence


def test_all_mistakes_are_reported_together_by_name_and_texts_not_by_value(monkeypatch):
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
        if len(value) > 1 and name not in {"JWT_ALGORITHM", "PORT", "WORKERS"}:
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


@pytest.mark.parametrize(
    "everybody",
    [
        "0.0.0.0/0",
        "::/0",
        "10.0.0.1,0.0.0.0/1,128.0.0.0/1",
        "::ffff:0:0/96",
        "2000::/4,3000::/4",
        "1.0.0.0/8,2.0.0.0/7,4.0.0.0/6,8.0.0.0/5,16.0.0.0/4,32.0.0.0/3,64.0.0.0/2,128.0.0.0/3",
    ],
)
def test_production_refuses_proxies_that_are_everybody(everybody):
    """V9: on b8d3a4d everybody could then say what address they come from."""
    safe = {"environment": "production", "jwt_secret_key": RANDOM_KEY}
    assert "TRUSTED_PROXIES" in refusal(**safe, trusted_proxies=everybody)
    assert read_settings({"trusted_proxies": everybody}).environment == "development"


def test_production_takes_proxies_that_are_some():
    """V9: private networks, whole as they are, and a provider's."""
    some = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fd00::/8,2400:cb00::/32,::1"
    given = {"environment": "production", "jwt_secret_key": RANDOM_KEY, "trusted_proxies": some}
    assert len(read_settings(given).trusted_proxies) == 6


def test_what_is_no_network_is_refused_before_it_is_met():
    """V9: its sibling; on b8d3a4d a traceback at the start."""
    assert "TRUSTED_PROXIES must list addresses" in refusal(trusted_proxies="10.0.0.0/8,nonsense")


def test_production_refuses_a_sign_in_limit_that_limits_nobody():
    """V9: 600 a minute is an office behind one address."""
    safe = {"environment": "production", "jwt_secret_key": RANDOM_KEY}
    assert "RATE_LIMIT_SIGN_IN" in refusal(**safe, rate_limit_sign_in="601")
    assert read_settings({**safe, "rate_limit_sign_in": "600"}).rate_limit_sign_in == 600


def test_production_without_four_eyes_is_a_lenders_will():
    """V9: told, and not refused."""
    settings = read_settings(
        {"environment": "production", "jwt_secret_key": RANDOM_KEY, "four_eyes": "false"}
    )
    assert "FOUR_EYES=false" in remarks(settings)[0]
    assert "FOUR_EYES=false" in policy_components(settings)["four_eyes"].detail
    assert policy_components(settings)["four_eyes"].state == "ok"
    assert remarks(read_settings()) == ()


def test_misspelt_names_in_the_file_are_refused_with_the_nearest_and_with_all_else(tmp_path):
    """U4: on b8d3a4d they are passed over, and four eyes stay as they were."""
    (tmp_path / ".env").write_text(
        "PORTT=8001\nFOUR_EYE=false\nTIMEZONE=Mars/Olympus\nfavourite=blue\nexport PORT=8002\n"
    )
    sentence = refusal()
    assert "PORTT in .env is no setting: PORT was probably meant" in sentence
    assert "FOUR_EYE in .env is no setting: FOUR_EYES was probably meant" in sentence
    assert "FAVOURITE in .env is no setting: see .env.example" in sentence
    assert "TIMEZONE must be" in sentence
    assert "blue" not in sentence


def test_what_compose_reads_from_the_same_file_is_let_be(tmp_path):
    """U4: compose.yaml stands beside `.env`."""
    compose = (Path(__file__).parents[2] / "compose.yaml").read_text(encoding="utf-8")
    names = {*re.findall(r"\$\{(\w+)", compose), "COMPOSE_PROJECT_NAME"}
    assert "POSTGRES_PASSWORD" in names
    (tmp_path / ".env").write_text("".join(f"{name}=\n" for name in sorted(names)))
    read_settings()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_letter_too_few_or_too_many_is_always_told_with_the_right_name(name, tmp_path):
    """U4: for every setting there is."""
    right = name.upper()
    for wrong in (right[:-1], right + "X", right[0] + right[2:]):
        (tmp_path / ".env").write_text(f"{wrong}=1\n")
        assert f"{wrong} in .env is no setting: {right} was" in refusal()


def test_the_environment_is_full_of_others_names_and_is_not_refused(monkeypatch):
    """U4: `check` tells what looks like one of ours."""
    for name in ("FOUR_EYE", "HOSTNAME", "POSTGRES_PASSWORD", "PORTAGE"):
        monkeypatch.setenv(name, "1")
    told = [one for one in remarks_on_environment() if "FOUR_EYE" in one or "PO" in one]
    assert told == ["FOUR_EYE in the environment is no setting: FOUR_EYES was probably meant"]
    read_settings()


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

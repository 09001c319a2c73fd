"""A node takes the descriptors that it may have, and says so when they are too few."""

import logging
import resource
import subprocess
import sys

import pytest

from server.configuration.fd_limit import raise_descriptor_limit
from server.configuration.settings import read_settings

ASK = """
from resource import RLIMIT_NOFILE, getrlimit
from server.configuration.fd_limit import raise_descriptor_limit
from server.configuration.settings import read_settings
print(raise_descriptor_limit(read_settings()), getrlimit(RLIMIT_NOFILE)[0])
"""


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 3_000))

    told = subprocess.run(
        [sys.executable, "-c", ASK], preexec_fn=limit, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["3000", "3000"]
    assert told.stderr == ""


def test_too_few_are_told_with_what_can_be_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (512, 512))
    with caplog.at_level(logging.WARNING):
        assert raise_descriptor_limit(read_settings()) == 512
    assert "WS_MAX_CONNECTIONS" in caplog.text


def test_a_system_that_refuses_is_no_reason_not_to_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (4_096, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    with caplog.at_level(logging.WARNING):
        assert raise_descriptor_limit(read_settings()) == 4_096
    assert "not allowed" in caplog.text

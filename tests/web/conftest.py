"""What the tests of the web share: a house with its doors, and a client at its front."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.standins import House
from web.app import create_app


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def client(house: House) -> Any:
    return create_app(house.doors).test_client()

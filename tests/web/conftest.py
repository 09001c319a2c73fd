"""What the tests of the web share: a house with its doors, and a client at its front.

The application is made once, because compiling its routes takes longer than most tests; what is
behind the doors is put in order for each test. Whoever needs other options makes his own house.
"""

from __future__ import annotations

from typing import Any

import pytest
from quart_trio import QuartTrio

from tests.web.standins import House
from web.app import create_app

UNLIMITED = 1_000_000


@pytest.fixture(scope="session")
def shared_house() -> House:
    return House(
        rate_limit_user_burst=UNLIMITED,
        rate_limit_sign_in_per_minute=UNLIMITED,
        rate_limit_refresh_per_minute=UNLIMITED,
    )


@pytest.fixture(scope="session")
def shared_app(shared_house: House) -> QuartTrio:
    return create_app(shared_house.doors)


@pytest.fixture
def house(shared_house: House) -> House:
    shared_house.tidy()
    return shared_house


@pytest.fixture
def client(house: House, shared_app: QuartTrio) -> Any:
    del house
    return shared_app.test_client()

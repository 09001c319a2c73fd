"""What the tests of actors share."""

from __future__ import annotations

import pytest

from tests.actors.stand_ins import ListeningLane


@pytest.fixture
def lane() -> ListeningLane:
    return ListeningLane()

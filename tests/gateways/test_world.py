"""The clock and the source of identifiers: what the rest of the program may rely on."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateways.identity_source import TimeOrderedIdentities
from gateways.system_clock import ROUND_TRIP_MAX_S, SharedClock, SystemClock


def test_instants_are_in_utc():
    now = SystemClock(ZoneInfo("Asia/Tokyo")).now()
    assert now.tzinfo is UTC


def test_the_business_day_is_that_of_the_time_zone():
    """Between the two zones lie 26 hours, so their days are never the same."""
    east = SystemClock(ZoneInfo("Pacific/Kiritimati")).today()
    west = SystemClock(ZoneInfo("Etc/GMT+12")).today()
    assert east > west


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Machine(SystemClock):
    """A machine whose clock and whose count of seconds are set by the test."""

    def __init__(self) -> None:
        super().__init__(ZoneInfo("Asia/Tokyo"))
        self.at, self.counted_s = NOON, 1000.0

    def now(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.counted_s += seconds


class Database:
    """A database's clock; an answer may take its time."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.at, self.takes_s = machine, NOON, 0.0

    async def read(self) -> datetime:
        self.machine.pass_by(self.takes_s)
        return self.at


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def shared(machine: Machine) -> SharedClock:
    return SharedClock(machine, lambda: machine.counted_s)


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(hours=-2), timedelta(days=3652)])
async def test_a_machine_whose_clock_is_wrong_goes_by_the_databases(
    machine: Machine, shared: SharedClock, ahead: timedelta
) -> None:
    """R7: tokens, stamps and business days are those of the database's clock."""
    await shared.compare(Database(machine).read)
    machine.at = NOON + ahead
    assert shared.now() == NOON
    machine.pass_by(3 * 3600)
    assert shared.now() == NOON + timedelta(hours=3)
    assert str(shared.today()) == "2026-03-03", "it is past midnight in Tokyo"
    machine.at = NOON
    assert shared.now() == NOON + timedelta(hours=3)


async def test_the_difference_is_told_at_once_and_its_end_too(
    machine: Machine, shared: SharedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """R7: degraded with the difference, well again by itself, a line in the log at each change."""
    caplog.set_level(logging.INFO, "lendwire.clock")
    database = Database(machine)
    assert shared.look()["clock"].state == "ok"
    await shared.compare(database.read)
    machine.at += timedelta(seconds=59)
    assert shared.look()["clock"].state == "ok"
    machine.at += timedelta(days=40)
    for _ in range(3):
        seen = shared.look()["clock"]
        assert seen.state == "degraded"
        assert "40 d 0 h ahead of the database's" in seen.detail
        await shared.compare(database.read)
    machine.at = NOON - timedelta(hours=2)
    assert shared.ahead() == timedelta(hours=-2)
    assert "2 h 0 min behind the database's" in shared.look()["clock"].detail
    machine.at = NOON
    assert shared.look()["clock"].state == "ok"
    told = [record.getMessage() for record in caplog.records]
    assert told == ["the clocks differ", "the clocks agree again"]


async def test_a_clock_that_is_set_in_the_database_is_followed(
    machine: Machine, shared: SharedClock, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(machine)
    await shared.compare(database.read)
    database.at += timedelta(hours=2)
    await shared.compare(database.read)
    assert shared.now() == NOON + timedelta(hours=2)
    assert shared.look()["clock"].state == "degraded"
    assert "the database's clock was set" in caplog.text


async def test_a_slow_or_uneven_answer_does_not_move_the_time(
    machine: Machine, shared: SharedClock
) -> None:
    database = Database(machine)
    await shared.compare(database.read)
    database.takes_s = ROUND_TRIP_MAX_S + 1
    database.at -= timedelta(minutes=10)
    await shared.compare(database.read)
    assert shared.now() == NOON + timedelta(seconds=database.takes_s)
    database.takes_s, database.at = 0.2, shared.now() + timedelta(seconds=0.3)
    before = shared.now()
    await shared.compare(database.read)
    assert shared.now() == before + timedelta(seconds=0.2)


def test_identifiers_are_version_7_and_sort_by_when_they_were_minted():
    identities = TimeOrderedIdentities()
    minted = [identities.new_id() for _ in range(5000)]
    assert {identifier.version for identifier in minted} == {7}
    assert len(set(minted)) == len(minted)
    assert minted == sorted(minted)


def test_an_identifier_tells_when_it_was_minted():
    milliseconds = TimeOrderedIdentities().new_id().int >> 80
    minted_at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    assert abs(datetime.now(UTC) - minted_at) < timedelta(minutes=1)

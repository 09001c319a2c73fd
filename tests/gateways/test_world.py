"""The clock and the source of identifiers: what the rest of the program may rely on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateways.identity_source import TimeOrderedIdentities
from gateways.system_clock import SystemClock


def test_instants_are_in_utc():
    now = SystemClock(ZoneInfo("Asia/Tokyo")).now()
    assert now.tzinfo is UTC


def test_the_business_day_is_that_of_the_time_zone():
    """Between the two zones lie 26 hours, so their days are never the same."""
    east = SystemClock(ZoneInfo("Pacific/Kiritimati")).today()
    west = SystemClock(ZoneInfo("Etc/GMT+12")).today()
    assert east > west


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

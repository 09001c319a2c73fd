"""Wrong tries as all workers know of them: by account, for an hour, with the places of sign-ins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.operations.leadership import Term
from tests.persistence.store.office import Office
from tests.persistence.store.sign_ins import sign_in

pytestmark = pytest.mark.store

HOUR_S = 3600.0


async def test_tries_of_the_last_hour_are_counted_by_account(office: Office) -> None:
    """V4: the slow count is in the database."""
    tries = office.store.wrong_tries
    for _ in range(3):
        await tries.add("a@x.org")
    await tries.add("b@x.org")
    assert await tries.wait_s("a@x.org", 4, HOUR_S) is None
    wait_s = await tries.wait_s("a@x.org", 3, HOUR_S)
    assert wait_s is not None
    assert HOUR_S - 300 < wait_s <= HOUR_S
    assert await tries.wait_s("b@x.org", 3, HOUR_S) is None
    assert await tries.wait_s("nobody@x.org", 1, HOUR_S) is None


async def test_a_clock_set_ahead_and_back_locks_nobody_out_and_old_tries_are_cleared(
    office: Office,
) -> None:
    """V4, R2: tries of a time to come do not count, and those of long ago are swept."""
    tries = office.store.wrong_tries
    await office.sql("DELETE FROM wrong_tries")
    for email, shift in (("later", "1 day"), ("older", "-61 minutes"), ("old", "-59 minutes")):
        await tries.add(email)
        await office.sql(
            "UPDATE wrong_tries SET at = at + CAST($1 AS text)::interval,"
            " account = sha256('c@x.org') WHERE account = sha256(CAST($2 AS text)::bytea)",
            shift,
            email,
        )
    assert await tries.wait_s("c@x.org", 2, HOUR_S) is None
    assert await tries.wait_s("c@x.org", 1, HOUR_S) is not None
    await office.store.upkeep.sweep(datetime.now(UTC), Term(0, datetime.now(UTC)))
    assert await office.count("wrong_tries") == 2


async def test_the_places_are_those_of_sign_ins_that_ended_too(office: Office) -> None:
    """V4: a good history is a sign-in from there that is still remembered."""
    user = await office.user()
    assert await office.store.wrong_tries.places(user.email) == frozenset()
    ticket = await sign_in(office, user)
    await office.sql(
        "UPDATE sign_in_sessions SET ended_at = now(), ended_because = 'x' WHERE id = $1",
        ticket.session_id,
    )
    assert await office.store.wrong_tries.places(user.email.upper()) == {"192.0.2.7"}
    await sign_in(office, user)
    await office.sql(
        "UPDATE sign_in_sessions SET address = '2001:db8:0:1::9' WHERE user_id = $1"
        " AND ended_at IS NULL",
        user.id,
    )
    places = await office.store.wrong_tries.places(user.email)
    assert places == {"192.0.2.7", "2001:db8:0:1::/64"}

"""What operators order, on PostgreSQL."""

from __future__ import annotations

import json

import pytest
from uuid_utils.compat import uuid7

from domain.operations.operating import OperatorAct, TreeOrder
from tests.persistence.store.office import Office
from tests.persistence.store.sign_ins import NOON

pytestmark = pytest.mark.store


async def test_an_order_is_a_line_of_the_audit_trail(office: Office) -> None:
    user = await office.user()
    act = OperatorAct(
        uuid7(), NOON, user.id, TreeOrder.SUSPEND, "/root/core/hub", "slow", "request-5", "::1"
    )
    await office.store.operations.record(act)
    (row,) = await office.sql("SELECT * FROM audit WHERE id = $1", act.id)
    assert (row["action"], row["entity_type"]) == ("supervision.suspend", "actor")
    assert (row["actor_id"], row["at"]) == (user.id, NOON)
    assert (row["request_id"], row["address"]) == ("request-5", "::1")
    after = row["after"]
    told = json.loads(after) if isinstance(after, str) else after
    assert told == {"path": "/root/core/hub", "reason": "slow"}

"""The services as children of a supervisor that always restarts: what is killed comes back."""

import os
import random
import signal
from functools import partial
from typing import Any

import redis
import trio

from actors.runtime.address import Address
from server.embedded.home import Home
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.service import EmbeddedService
from server.embedded.valkey import EmbeddedValkey
from supervisors.runtime.child_spec import ChildSpec
from supervisors.runtime.supervisor import Supervisor
from tests.server.embedded.running_services import (
    DEADLINE_S,
    busy_backend,
    eventually,
    left_running,
    query,
)


def is_back(address: Address[Any], service: EmbeddedService, killed: int | None) -> bool:
    return service.pid not in (None, killed) and address.is_running


async def test_a_database_killed_under_a_busy_query_comes_back_by_itself(made_home: Home) -> None:
    both = postgres, valkey = EmbeddedPostgres(made_home), EmbeddedValkey(made_home)
    services = Supervisor(
        "services",
        [
            ChildSpec("postgres", lambda: postgres, start_timeout_s=90, shutdown_s=8),
            ChildSpec("valkey", lambda: valkey, start_timeout_s=30, shutdown_s=8),
        ],
        intensity=None,
        rng=random.Random(7),
    )
    with trio.fail_after(2 * DEADLINE_S):
        async with trio.open_nursery() as nursery:
            await nursery.start(services.run)
            await query(postgres.dsn, "CREATE TABLE kept AS SELECT 7 AS figure")
            for _ in range(2):
                first = [service.pid for service in both]
                assert None not in first
                async with busy_backend(postgres.dsn):
                    for pid in first:
                        os.kill(pid or 0, signal.SIGKILL)
                for name, service, old in zip(("postgres", "valkey"), both, first, strict=True):
                    await eventually(partial(is_back, services.address(name), service, old))
                assert len(await query(postgres.dsn, "SELECT figure FROM kept")) == 1
                with redis.Redis.from_url(valkey.url) as client:
                    assert client.ping()
            nursery.cancel_scope.cancel()
    assert left_running(postgres.data) == left_running(valkey.data) == {}

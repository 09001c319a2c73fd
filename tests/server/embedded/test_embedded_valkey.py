"""The embedded Valkey: a real server on a unix socket, in memory only."""

import os
import signal

import redis

from server.embedded.binaries import valkey_program
from server.embedded.home import Home
from server.embedded.service import ServiceDied
from server.embedded.valkey import EmbeddedValkey
from tests.server.embedded.running_services import left_running, running, running_program


async def test_it_serves_on_its_socket_alone_and_comes_back_empty(home: Home) -> None:
    service = EmbeddedValkey(home)
    async with running(service) as first:
        assert service.pid is not None
        assert running_program(service.pid) == valkey_program()
        with redis.Redis.from_url(service.url) as client:
            client.set("presence", "ana")
            facts = client.info("server")
            assert facts["tcp_port"] == 0
            assert str(facts["server_name"]) == "valkey"
            os.kill(service.pid, signal.SIGKILL)
            await first.ended.wait()
    assert isinstance(first.error, ServiceDied)
    assert left_running(service.data) == {}
    async with running(service):
        with redis.Redis.from_url(service.url) as client:
            assert client.get("presence") is None
    assert left_running(service.data) == {}
    assert list(service.data.iterdir()) == []

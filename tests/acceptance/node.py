"""A whole Lendwire in a process of its own, and a client that speaks to it over real sockets."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import trio
from trio_websocket import wrap_client_stream
from wsproto.utilities import LocalProtocolError

from server.embedded.home import Home
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.valkey import EmbeddedValkey

ADMIN = "admin@example.com"
PASSWORD = "kestrel-lantern-42"
SETTINGS = {
    "ADMIN_EMAIL": ADMIN,
    "ADMIN_PASSWORD": PASSWORD,
    "ENVIRONMENT": "test",
    "RATE_LIMIT_USER": "1000000",
    "RATE_LIMIT_SIGN_IN": "1000000",
    # A client that waits for a processor must not count as silent: two and a half of these.
    "WS_HEARTBEAT_INTERVAL": "45",
    "DATABASE_URL": "",
    "REDIS_URL": "",
}
LISTENING = re.compile(r"Lendwire listens on (http://\S+)")
START_WITHIN_S = 180
END_WITHIN_S = 180
ANSWER_WITHIN_S = 180
MESSAGES_WAITING_MAX = 100_000
LATE = frozenset({"outcome_unknown", "idempotency_key_in_use"})


@dataclass
class Node:
    """One running server. `stop` ends it with a signal, `kill` without asking."""

    home: Path
    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None
    url: str = ""
    flags: tuple[str, ...] = ()
    program: str = "server"
    launcher: tuple[str, ...] = ()  # what the program is started by; must end in an exec
    said: list[str] = field(default_factory=list)

    def start(self) -> None:
        self._close_output()
        with (self.home.parent / f"{self.home.name}.log").open("a") as log:
            self.process = subprocess.Popen(
                [
                    *self.launcher,
                    *(sys.executable, "-m", self.program, "serve", "--port", "0", *self.flags),
                ],
                env={**os.environ, **self.environment, "LENDWIRE_HOME": str(self.home)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        # Whoever never says that it listens is ended, so that reading its words ends as well.
        impatience = threading.Timer(START_WITHIN_S, self.process.kill)
        impatience.start()
        try:
            for line in self.process.stdout:
                self.said.append(line)
                if match := LISTENING.search(line):
                    self.url = match.group(1)
                    return
        finally:
            impatience.cancel()
        raise AssertionError(f"the server did not start: {self.said} {self.log()[-2000:]}")

    def log(self) -> str:
        return (self.home.parent / f"{self.home.name}.log").read_text()

    @property
    def database_url(self) -> str:
        """Where the embedded PostgreSQL of this node is."""
        return EmbeddedPostgres(Home(self.home)).dsn

    @property
    def redis_url(self) -> str:
        return EmbeddedValkey(Home(self.home)).url

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(END_WITHIN_S)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(END_WITHIN_S)

    def beside(self) -> tuple[str, ...]:
        """What a command that works beside the running server is started by."""
        return ()

    def order(self, fault: str) -> None:
        """Plant a fault; only the program with the faults listens (`faulty_server.py`)."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(f"{fault}\n")
        self.process.stdin.flush()

    def _close_output(self) -> None:
        if self.process is None:
            return
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def clean_up(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._close_output()

    @asynccontextmanager
    async def client(self, token: str | None = None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=ANSWER_WITHIN_S
        ) as client:
            yield client

    @asynccontextmanager
    async def listen(self, user_id: str, token: str | None = None, query: str = ""):
        """A WebSocket of a user, with his token in a header or without.

        It answers pings while nobody takes a message, or it would count as silent.
        """
        host, port = self.url.removeprefix("http://").split(":")
        headers = [("Authorization", f"Bearer {token}")] if token else []
        # The stream is ours: the library leaves it open when the server closes first.
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            try:
                async with trio.open_nursery() as nursery:
                    path = f"/ws/connect/{user_id}?{query}"
                    connection = await wrap_client_stream(
                        nursery,
                        stream,
                        f"{host}:{port}",
                        path,
                        extra_headers=headers,
                        message_queue_size=MESSAGES_WAITING_MAX,
                    )
                    async with connection:
                        yield connection
            except* LocalProtocolError as late:
                # The library answers a ping that comes while it closes, and may not.
                if any("LOCAL_CLOSING" not in str(one) for one in late.exceptions):
                    raise

    async def sign_in(self, email: str = ADMIN, password: str = PASSWORD) -> dict[str, Any]:
        body = {"email": email, "password": password}
        grant: dict[str, Any] = await self._ask("POST", None, "/auth/login", 200, json=body)
        return grant

    async def post(self, token: str, path: str, body: object = None, expect: int = 201) -> Any:
        """Do something, once: with a key, again while a busy machine loses the answer."""
        key = {"Idempotency-Key": uuid.uuid4().hex}
        body = body if body is not None else {}
        return await self._ask("POST", token, path, expect, json=body, headers=key)

    async def get(self, token: str | None, path: str, expect: int = 200) -> Any:
        return await self._ask("GET", token, path, expect)

    async def _ask(
        self, method: str, token: str | None, path: str, expect: int, **request: Any
    ) -> Any:
        """The answer as JSON. A 503 that nobody expects is heeded, as clients are told to."""
        async with self.client(token) as client:
            with trio.fail_after(ANSWER_WITHIN_S):
                while True:
                    answer = await client.request(method, path, **request)
                    is_unmoved = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
                    if answer.status_code == expect or not (is_unmoved or is_late(answer)):
                        break
                    await trio.lowlevel.checkpoint()
        assert answer.status_code == expect, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()


def is_late(answer: httpx.Response) -> bool:
    """Whether a machine with much to do gave no answer in time, or goes on with the request."""
    return answer.is_error and answer.json().get("code") in LATE


@dataclass(frozen=True)
class Staff:
    """The people of the story: a token each."""

    admin: str
    manager: str
    officer: str
    customer: str
    customer_id: str
    manager_id: str
    officer_id: str


async def hire(node: Node) -> Staff:
    """A manager, an officer and a customer that no other test knows."""
    admin = (await node.sign_in())["access_token"]
    tokens: dict[str, str] = {}
    ids: dict[str, str] = {}
    troop = uuid.uuid4().hex[:8]

    async def one(role: str) -> None:
        email = f"{role}-{troop}@example.com"
        person = {"email": email, "password": PASSWORD, "full_name": f"A {role}", "role": role}
        ids[role] = (await node.post(admin, "/users/", person))["id"]
        tokens[role] = (await node.sign_in(email))["access_token"]

    async with trio.open_nursery() as nursery:
        for role in ("manager", "officer", "customer"):
            nursery.start_soon(one, role)
    return Staff(
        admin,
        tokens["manager"],
        tokens["officer"],
        tokens["customer"],
        ids["customer"],
        ids["manager"],
        ids["officer"],
    )


def application(customer_id: str, **changes: object) -> dict[str, object]:
    return {
        "customer_id": customer_id,
        "principal": "1200.00",
        "currency": "EUR",
        "annual_rate_percent": "12",
        "instalments": 12,
        "frequency": {"every": 1, "unit": "MONTHS"},
        **changes,
    }


async def active_loan(node: Node, staff: Staff, **changes: object) -> dict[str, Any]:
    loan = await node.post(staff.officer, "/loans/", application(staff.customer_id, **changes))
    await node.post(staff.manager, f"/loans/{loan['id']}/approve", {}, expect=200)
    path = f"/loans/{loan['id']}/disburse"
    active: dict[str, Any] = await node.post(staff.officer, path, {}, expect=200)
    return active


def fresh_home() -> Path:
    return Path(tempfile.mkdtemp(prefix="lendwire-test-")) / "home"

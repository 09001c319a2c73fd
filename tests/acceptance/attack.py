"""Payments and listeners that go on whatever happens to the node, and the account that they keep.

Every payment has a key and is sent until its answer is known. Every listener comes back until all
has been heard or a gap was told. In the end `Attack.check` holds what they know against the
database.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import trio
from wsproto.events import TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from tests.acceptance.node import ADMIN, PASSWORD, Node, active_loan, hire
from tests.web.edge.edge_wire import Socket, websocket_to

LOANS = 60
PAYERS = 10
ANSWER_WITHIN_S = 40.0
CONNECTED_WITHIN_S = 30.0
SILENCE_S_MAX = 20.0
QUIET_S_MAX = 180.0
# How long what was acknowledged may be on its way to a listener while things break.
LATE_S_MAX = 15.0
PAID = "SELECT id, loan_id, amount_minor, reference FROM payments"
UNBALANCED = """
    SELECT count(*) FROM (
        SELECT FROM journal_lines GROUP BY event_id, entry
        HAVING sum(CASE side WHEN 'debit' THEN amount_minor ELSE -amount_minor END) <> 0) AS entries
"""
# What a client may be answered while things break. 401 and 422 only while a clock is wrong, or a
# database was put back: then one signs in again, and asks again.
UNSETTLED = frozenset({401, 409, 422, 503})
GONE = (
    OSError,
    httpx.HTTPError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    trio.TooSlowError,
    LocalProtocolError,
    RemoteProtocolError,
    AssertionError,
)


@dataclass
class Payment:
    """One that a client means to make: what it knows of it."""

    key: str
    loan_id: str
    cents: int
    began_at: float = 0.0
    known_at: float = 0.0
    payment_id: str | None = None


@dataclass
class Person:
    """Somebody with a password, who signs in again when the token is refused."""

    node: Node
    email: str
    user_id: str
    token: str
    client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=None))

    async def sign_in(self) -> None:
        """Try once; whoever cannot now comes back."""
        with trio.fail_after(ANSWER_WITHIN_S):
            given = {"email": self.email, "password": PASSWORD}
            answer = await self.client.post(f"{self.node.url}/auth/login", json=given)
        if answer.status_code == 200:
            self.token = answer.json()["access_token"]

    async def pay(self, key: str, body: dict[str, str]) -> httpx.Response:
        """Ask for a payment under a key; the node may be at another address than before."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        return await self.client.post(f"{self.node.url}/payments/", json=body, headers=headers)


@dataclass
class Listener:
    """Who hears what is committed, and when it was told of a gap."""

    person: Person
    heard: list[tuple[str, int, str]] = field(default_factory=list)  # epoch, seq, payment
    gaps: list[tuple[float, float]] = field(default_factory=list)
    position: dict[str, Any] | None = None
    last_at: float = field(default_factory=time.monotonic)
    visits: int = 0

    async def stay(self) -> None:
        """Come back as often as the connection is lost, until cancelled."""
        while True:
            try:
                await self._visit()
            except GONE:
                await trio.sleep(0.2)  # a client that comes back waits a moment

    async def _visit(self) -> None:
        port = int(self.person.node.url.rsplit(":", 1)[1])
        bearer = f"Authorization: Bearer {self.person.token}"
        try:
            with trio.fail_after(CONNECTED_WITHIN_S):
                connecting = websocket_to(port, f"/ws/connect/{self.person.user_id}", bearer)
                socket = await connecting.__aenter__()
        except AssertionError:  # refused: the token may be the reason
            await self.person.sign_in()
            raise
        try:
            self.visits += 1
            socket.raw.patience_s = SILENCE_S_MAX
            await self._hear(socket)
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
                await connecting.__aexit__(None, None, None)

    async def _hear(self, socket: Socket) -> None:
        welcome = await _message(socket)
        if self.position is None:
            self.position = dict(welcome["position"])
        else:
            since = {"type": "subscribe", "notification_types": ["payment_recorded"],
                     "since": self.position}  # fmt: skip
            await socket.send_text(json.dumps(since))
        while True:
            self._take(await _message(socket))

    def _take(self, message: dict[str, Any]) -> None:
        assert self.position is not None
        now = time.monotonic()
        if message["type"] == "subscribed":
            if message["recovered"] is False:
                self.gaps.append((self.last_at, now))
                self.position = dict(message["to"])
        elif message["type"] == "payment_recorded":
            seq = message["id"]
            if seq <= self.position["seq"]:
                raise HeardTwice(f"{self.person.email}: {message} after {self.position}")
            self.position["seq"] = seq
            self.heard.append((self.position["epoch"], seq, message["data"]["payment_id"]))
        self.last_at = now


class HeardTwice(Exception):
    """A notification came again, or out of order."""


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds of processes that can only be looked at."""
    while not holds():  # noqa: ASYNC110 - nobody there could set an event
        await trio.sleep(0.1)


async def _message(socket: Socket) -> dict[str, Any]:
    text = ""
    while True:
        event = await socket.event()
        assert isinstance(event, TextMessage), event
        text += event.data
        if event.message_finished:
            message: dict[str, Any] = json.loads(text)
            return message


@dataclass
class Attack:
    """Payers and listeners on one node. `payments` is what the clients know."""

    node: Node
    seed: int
    payers: list[Person]
    listeners: list[Listener]
    loans: list[str]
    payments: dict[str, Payment] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    statuses: Counter[int | str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    may_pay: trio.Event = field(default_factory=trio.Event)
    in_hand: int = 0
    replays: int = 0

    @classmethod
    async def begin(cls, node: Node, seed: int) -> Attack:
        """Hire people, lend, and let the listeners be."""
        staff = await hire(node)
        loans = []
        for _ in range(LOANS):
            loan = await active_loan(node, staff, principal="50000.00")
            loans.append(loan["id"])
        me = await node.get(staff.admin, "/users/me")
        officer = await node.get(staff.officer, "/users/me")
        manager = await node.get(staff.manager, "/users/me")
        people = [Person(node, ADMIN, me["id"], staff.admin)]
        for one, token in ((officer, staff.officer), (manager, staff.manager)):
            people.append(Person(node, one["email"], one["id"], token))
        payers = [Person(node, officer["email"], officer["id"], staff.officer)
                  for _ in range(PAYERS)]  # fmt: skip
        attack = cls(node, seed, payers, [Listener(one) for one in people * 2], loans)
        attack.may_pay.set()
        return attack

    # --- paying -----------------------------------------------------------------------------------

    async def pay(self, at_least: int, ended: trio.Event) -> None:
        """Make so many payments, and more until `ended`; each until its answer is known."""
        first = len(self.payments)

        def numbers() -> Iterator[int]:
            while len(self.payments) < first + at_least or not ended.is_set():
                yield len(self.payments)

        async with trio.open_nursery() as nursery:
            for at, payer in enumerate(self.payers):
                chance = random.Random(f"{self.seed} {first} {at}")
                nursery.start_soon(self._pay_on, payer, numbers(), chance)

    async def _pay_on(self, payer: Person, numbers: Iterator[int], chance: random.Random) -> None:
        for number in numbers:
            key = f"attack-{self.seed}-{number}"
            payment = Payment(key, chance.choice(self.loans), chance.randint(1, 99))
            self.payments[key] = payment
            await self.may_pay.wait()
            self.in_hand += 1
            try:
                await self._settle(payer, payment, chance)
                if chance.random() < 0.05:
                    self.replays += 1
                    await self._settle(payer, payment, chance)  # asked again: the same answer
            finally:
                self.in_hand -= 1
            await trio.sleep(chance.uniform(0, 0.2))  # one client does not ask without a pause

    async def _settle(self, payer: Person, payment: Payment, chance: random.Random) -> None:
        """Send one until it is known what became of it."""
        payment.began_at = payment.began_at or time.monotonic()
        since = time.monotonic()
        while True:
            status, document = await self._send(payer, payment, chance)
            self.statuses[status] += 1
            if status == 201:
                if payment.payment_id not in (None, document["id"]):
                    self.wrong.append(f"{payment}: the key now gives {document['id']}")
                payment.payment_id = document["id"]
                payment.known_at = payment.known_at or time.monotonic()
                return
            if isinstance(status, int) and status not in UNSETTLED:
                self.wrong.append(f"{payment}: {status} {document}")
                return
            if time.monotonic() - since > QUIET_S_MAX:
                self.wrong.append(
                    f"{payment}: no answer in {QUIET_S_MAX} s, at last {status} {document}"
                )
                return
            if status == 401:
                try:
                    await payer.sign_in()
                except (httpx.HTTPError, trio.TooSlowError):
                    self.statuses["cut"] += 1
            await trio.sleep(chance.uniform(0.05, 0.4))  # a client that tries again waits a moment

    async def _send(
        self, payer: Person, payment: Payment, chance: random.Random
    ) -> tuple[int | str, Any]:
        """One try. `left`: the client went away itself; `cut`: the connection was lost."""
        body = {"loan_id": payment.loan_id, "amount": f"0.{payment.cents:02}",
                "reference": payment.key}  # fmt: skip
        patience_s = chance.uniform(0.0, 0.03) if chance.random() < 0.03 else ANSWER_WITHIN_S
        try:
            with trio.fail_after(patience_s):
                answer = await payer.pay(payment.key, body)
        except trio.TooSlowError:
            if patience_s == ANSWER_WITHIN_S:
                self.wrong.append(f"{payment}: nothing in {patience_s} s")
            return "left", None
        except httpx.HTTPError as lost:
            return "cut", repr(lost)
        return answer.status_code, answer.json()

    async def leave(self) -> None:
        """Close what the clients hold open."""
        for person in (*self.payers, *(one.person for one in self.listeners)):
            await person.client.aclose()

    async def quiet(self) -> None:
        """Let nobody pay, and wait until nothing is in hand."""
        self.may_pay = trio.Event()
        await until(lambda: not self.in_hand)

    async def settle_again(self, keys: set[str]) -> None:
        """Send again what the database was put back behind: each becomes a payment anew."""
        chance = random.Random(self.seed)
        for key in sorted(keys):
            payment = self.payments[key]
            self.forgotten.add(str(payment.payment_id))
            payment.payment_id, payment.known_at, payment.began_at = None, 0.0, 0.0
            await self._settle(self.payers[0], payment, chance)

    def known(self) -> set[str]:
        """The keys whose payments are acknowledged."""
        return {key for key, one in self.payments.items() if one.payment_id is not None}

    # --- the account ----------------------------------------------------------------------------

    async def check(self) -> None:
        """Lost, doubled, phantom: none; heard once, or told of a gap: everybody."""
        rows = await trio.to_thread.run_sync(lambda: asyncio.run(self._read()))
        with trio.move_on_after(QUIET_S_MAX):
            await until(lambda: not any(self._missed(one, rows) for one in self.listeners))
        assert self.wrong == []
        self._check_money(rows)
        for listener in self.listeners:
            self._check_heard(listener, rows)

    async def _read(self) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.node.database_url)
        try:
            assert await connection.fetchval(UNBALANCED) == 0
            rows: list[asyncpg.Record] = await connection.fetch(PAID)
            return rows
        finally:
            await connection.close()

    def _check_money(self, rows: list[asyncpg.Record]) -> None:
        found: dict[str, list[asyncpg.Record]] = {}
        for row in rows:
            found.setdefault(row["reference"], []).append(row)
        lost = [key for key in self.known() if key not in found]
        doubled = [key for key, same in found.items() if len(same) > 1]
        phantom = [key for key in found if key not in self.payments]
        other = [
            key
            for key, (row, *_) in found.items()
            if (one := self.payments.get(key)) is not None
            and (str(row["id"]), str(row["loan_id"]), row["amount_minor"])
            != (one.payment_id, one.loan_id, one.cents)
        ]
        assert (lost, doubled, phantom, other) == ([], [], [], [])
        assert self.known() == self.payments.keys()

    def _missed(self, listener: Listener, rows: list[asyncpg.Record]) -> list[Payment]:
        """What a listener has neither heard nor been told to have missed."""
        heard = {payment_id for _, _, payment_id in listener.heard}
        by_id = {one.payment_id: one for one in self.payments.values()}
        return [
            one
            for row in rows
            if str(row["id"]) not in heard and (one := by_id.get(str(row["id"]))) is not None
            if not any(
                one.began_at <= end and one.known_at >= start - LATE_S_MAX
                for start, end in listener.gaps
            )
        ]

    def _check_heard(self, listener: Listener, rows: list[asyncpg.Record]) -> None:
        name = listener.person.email
        missed = self._missed(listener, rows)
        assert not missed, f"{name} missed {len(missed)}, first {missed[0]}; gaps {listener.gaps}"
        times = Counter(payment_id for _, _, payment_id in listener.heard)
        assert max(times.values(), default=1) == 1, f"{name} heard something twice"
        known = {str(row["id"]) for row in rows} | self.forgotten
        assert times.keys() <= known, f"{name} heard of {times.keys() - known}, which never was"

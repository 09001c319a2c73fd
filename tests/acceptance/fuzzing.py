"""Send mutants at a whole server and judge what comes back; what they are, `mutants` says."""

from __future__ import annotations

import json
import re
import socket
import struct
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import trio

from tests.acceptance.mutants import LOAN, TOKEN, USER, Ending, Mutant, mutant
from tests.acceptance.node import Node, Staff, active_loan, hire
from tests.acceptance.process_view import ProcessView

AT_ONCE = 16
STAYING_MAX = 50
SEND_S = 2.0
FIRST_ANSWER_S = 0.3
NEXT_ANSWER_S = 0.05
ANSWER_BYTES_MAX = 2_000_000
RESET = struct.pack("ii", 1, 0)
INTERNAL_ERROR = 1011
# What an overloaded or strict server may say; everything else from 500 on is a fault of ours.
HONEST = {b"501", b"503"}
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass
class Findings:
    """What a run has seen, and what it must not see."""

    violations: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    closes: Counter[int] = field(default_factory=Counter)
    unsent: int = 0


class Fuzz:
    """Mutants against one node, some at once, a few of which stay connected for a while."""

    def __init__(self, node: Node, secrets: list[dict[bytes, bytes]]) -> None:
        assert node.process is not None
        self.node = node
        self.found = Findings()
        self._process = node.process
        self._secrets = secrets
        self._port = int(node.url.rpartition(":")[2])
        self.view = ProcessView(node.process.pid, self._port)
        self._staying: deque[trio.SocketStream] = deque()
        self._last: deque[int] = deque(maxlen=2 * AT_ONCE)

    @classmethod
    async def prepare(cls, node: Node) -> Fuzz:
        """Make the people and the loan that the mutants speak of."""
        staff = await hire(node)
        loan = (await active_loan(node, staff))["id"].encode()
        return cls(node, [{**one, LOAN: loan} for one in _people(staff)])

    async def run(self, seeds: Iterable[int]) -> None:
        """Send them all; then nobody stays."""
        pending = iter(seeds)
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(self._work, pending)
        while self._staying:
            await trio.aclose_forcefully(self._staying.popleft())

    async def settle(self) -> None:
        """Wait until every connection has gone, and see that it still serves."""
        with trio.fail_after(300):
            while self.view.connections():
                await self.node.get(None, "/health")

    def judge_log(self) -> None:
        """Nothing that was sent may be worth an error, or a traceback."""
        for line in self.node.log().splitlines():
            told = json.loads(line) if line.startswith("{") else {"level": "?", "event": line}
            if told["level"] not in {"debug", "info", "warning"} or "exception" in told:
                self.found.violations.append(f"log: {line[:2_000]}")

    async def _work(self, pending: Iterator[int]) -> None:
        for seed in pending:
            self._last.append(seed)
            one = mutant(seed, self._secrets[seed % len(self._secrets)])
            try:
                received = await self._send(one)
            except OSError as error:
                alive = self._process.poll() is None
                self.found.violations.append(f"seed {seed} of {list(self._last)}: {alive=} {error}")
                return
            fault = self._judge(one, received)
            if fault is not None:
                self.found.violations.append(f"seed {seed} ({', '.join(one.story)}): {fault}")

    async def _send(self, one: Mutant) -> bytes:
        stream = await trio.open_tcp_stream("127.0.0.1", self._port)
        is_staying = False
        received = b""
        try:
            # A server that has said what it had to say reads no more.
            with trio.move_on_after(SEND_S) as sending, suppress(trio.BrokenResourceError):
                for number, part in enumerate(one.parts):
                    if one.is_patient and number == 1:
                        received = bytes(await stream.receive_some(65_536))
                    await stream.send_all(part)
            self.found.unsent += sending.cancelled_caught
            if one.ending is Ending.SHUT:
                with suppress(trio.BrokenResourceError):
                    await stream.send_eof()
            if one.ending in {Ending.READ, Ending.SHUT}:
                received += await _answers(stream)
            if one.ending is Ending.RESET:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            if one.ending is Ending.STAY:
                self._staying.append(stream)
                is_staying = True
        finally:
            if not is_staying:
                await trio.aclose_forcefully(stream)
        if len(self._staying) > STAYING_MAX:
            await trio.aclose_forcefully(self._staying.popleft())
        return received

    def _judge(self, one: Mutant, received: bytes) -> str | None:
        for status in STATUS.findall(received):
            self.found.statuses[status.decode()] += 1
            if status >= b"500" and status not in HONEST:
                return f"{received[:2_000]!r}"
        if b"Traceback (most recent" in received:
            return f"{received[:2_000]!r}"
        if one.is_patient and received.startswith(b"HTTP/1.1 101 "):
            return self._judge_frames(received.partition(b"\r\n\r\n")[2])
        return None

    def _judge_frames(self, data: bytes) -> str | None:
        while len(data) >= 2:
            first, length, start = data[0], data[1], 2
            if length == 126:
                length, start = int.from_bytes(data[2:4], "big"), 4
            payload = data[start : start + length]
            if first not in {0x81, 0x88, 0x89, 0x8A} or (length >= 127 and start == 2):
                return f"no frame of ours: {data[:200]!r}"
            if first == 0x88 and len(payload) >= 2:
                code = int.from_bytes(payload[:2], "big")
                self.found.closes[code] += 1
                if code == INTERNAL_ERROR:  # no mutant closes with it, so it is no echo
                    return f"closed with 1011: {payload!r}"
            data = data[start + length :]
        return None


async def _answers(stream: trio.SocketStream) -> bytes:
    """What comes, until it is over or nothing comes for a while."""
    received = b""
    patience_s = FIRST_ANSWER_S
    while len(received) < ANSWER_BYTES_MAX:
        with trio.move_on_after(patience_s) as quiet:
            try:
                more = await stream.receive_some(65_536)
            except trio.BrokenResourceError:
                break
        if quiet.cancelled_caught or not more:
            break
        received += more
        patience_s = NEXT_ANSWER_S
    return received


def _people(staff: Staff) -> Iterator[dict[bytes, bytes]]:
    for token, user in (
        (staff.manager, staff.manager_id),
        (staff.officer, staff.officer_id),
        (staff.customer, staff.customer_id),
    ):
        yield {TOKEN: token.encode(), USER: user.encode()}

"""A closed-loop load: N users on kept-alive connections, each with one request in hand.

One process, no framework: it must cost less than what it measures.
"""

from __future__ import annotations

import itertools
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

# The exit code of a bench of which a bound was not held: that is news, and the run goes on.
NOT_HELD = 3
HEAD_END = b"\r\n\r\n"
Found = TypeVar("Found")


@dataclass(frozen=True)
class Figures:
    """What one run showed. Latencies in milliseconds."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    statuses: dict[int, int]


class _User:
    """One connection with one request in hand."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.received = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def take(self) -> int | None:
        """The status, once the answer is whole."""
        chunk = self.socket.recv(1 << 18)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self.received += chunk
        head, found, body = self.received.partition(HEAD_END)
        if not found:
            return None
        lower = head.lower()
        start = lower.find(b"content-length:")
        if start < 0:
            if b"transfer-encoding" in lower and not body.endswith(b"0\r\n\r\n"):
                return None
        else:
            length = int(lower[start + 15 :].split(b"\r\n", 1)[0])
            if len(body) < length:
                return None
        return int(head[9:12])


def run(
    host: str, port: int, requests: Callable[[int], Iterator[bytes]], *, users: int, seconds: float
) -> Figures:
    """Load a server for some seconds and say what was seen.

    `requests(n)` gives the n-th user's endless requests.
    """
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    with ExitStack() as leaving:
        selector = leaving.enter_context(selectors.DefaultSelector())
        for number in range(users):
            user = _User(host, port)
            leaving.enter_context(user.socket)
            todo = requests(number)
            selector.register(user.socket, selectors.EVENT_READ, (user, todo))
            user.send(next(todo))
        began = time.perf_counter()
        ends = began + seconds
        while (now := time.perf_counter()) < ends:
            for key, _ in selector.select(timeout=ends - now):
                user, todo = key.data
                status = user.take()
                if status is None:
                    continue
                latencies.append(time.perf_counter() - user.sent_at)
                statuses[status] += 1
                user.send(next(todo))
        spent = time.perf_counter() - began
    latencies.sort()
    count = len(latencies)
    if not count:
        raise ConnectionError(f"the server answered nothing in {seconds} s")
    return Figures(
        count / spent,
        latencies[count // 2] * 1000,
        latencies[min(count - 1, int(count * 0.99))] * 1000,
        dict(statuses),
    )


def a_round_of(peer: str, measure: Callable[[], Found]) -> Found | None:
    """One round with a peer; None, and a line that says so, where the peer cuts its connections.

    A peer's trouble costs its round and never the run. Ours is measured without this.
    """
    try:
        return measure()
    except OSError as cut:
        print(f"  {peer}: {cut}; this round of it does not count", flush=True)
        return None


def get(path: str, token: str) -> bytes:
    """One GET as bytes."""
    return (f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n").encode()


def post(path: str, token: str, body: str) -> bytes:
    """One POST of JSON as bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def over(requests: list[bytes]) -> Callable[[int], Iterator[bytes]]:
    """Let each user go round the same requests, starting at another one."""

    def of_user(number: int) -> Iterator[bytes]:
        start = number * len(requests) // 16
        return itertools.cycle(requests[start:] + requests[:start])

    return of_user

"""Many subscribers in one process: they count what they hear, and say how late it was.

No framework: the load must cost less than what it measures.
"""

from __future__ import annotations

import base64
import os
import re
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

MATCH = b'"comment_added"'
SILENCE_S_MAX = 30.0
STAMP = re.compile(rb'"comment_added".{0,60}?"timestamp":"([^"]+)"')


@dataclass
class Heard:
    """What came: how many, when the last, and how late each was in seconds."""

    frames: int = 0
    last_at: float = 0.0
    late_s: list[float] = field(default_factory=list)

    @property
    def p50_ms(self) -> float:
        """The median."""
        return self._quantile_ms(0.5)

    @property
    def p99_ms(self) -> float:
        """The 99th percentile."""
        return self._quantile_ms(0.99)

    def _quantile_ms(self, part: float) -> float:
        late = sorted(self.late_s)
        return late[min(len(late) - 1, int(len(late) * part))] * 1000 if late else 0.0


class Subscribers:
    """`who` are (path, token or None) of each socket."""

    def __init__(self, port: int, who: list[tuple[str, str | None]]) -> None:
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._posts: dict[int, Poster] = {}
        self._stamps: dict[bytes, float] = {}
        for path, token in who:
            connected = _upgrade(port, path, token)
            connected.settimeout(0)
            self._sockets[connected.fileno()] = connected
            self._poll.register(connected.fileno(), select.EPOLLIN)

    def __len__(self) -> int:
        return len(self._sockets)

    def take_in(self, poster: Poster) -> None:
        """Have answers to a poster read beside the frames."""
        self._posts[poster.socket.fileno()] = poster
        self._poll.register(poster.socket.fileno(), select.EPOLLIN)

    def listen(self, until: Callable[[Heard], bool], *, timed: bool, tick_s: float) -> Heard:
        """Read until `until` is content; it is asked after each turn, and every `tick_s`."""
        heard = Heard()
        silent_since = time.monotonic()
        while not until(heard):
            if time.monotonic() - silent_since > SILENCE_S_MAX:
                raise TimeoutError(
                    f"nothing came for {SILENCE_S_MAX} s: {heard.frames} frames so far"
                )
            for descriptor, _ in self._poll.poll(tick_s):
                poster = self._posts.get(descriptor)
                if poster is not None:
                    poster.take()
                    continue
                silent_since = time.monotonic()
                data = self._sockets[descriptor].recv(1 << 18)
                if not data:
                    raise ConnectionError("a subscriber was cut")
                frames = data.count(MATCH)
                if frames:
                    heard.frames += frames
                    heard.last_at = time.perf_counter()
                    if timed:
                        self._time(data, heard)
        return heard

    def close(self) -> None:
        """Leave."""
        for one in self._sockets.values():
            one.close()
        self._poll.close()

    def _time(self, data: bytes, heard: Heard) -> None:
        now = time.time()
        for stamp in STAMP.findall(data):
            at = self._stamps.get(stamp)
            if at is None:
                at = self._stamps[stamp] = datetime.fromisoformat(stamp.decode()).timestamp()
            heard.late_s.append(now - at)


class Poster:
    """One kept-alive connection that posts, one request in hand."""

    def __init__(self, port: int, make: Callable[[], bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.make = make
        self.is_waiting = False
        self._received = b""

    def post(self) -> None:
        """Send one."""
        self.is_waiting = True
        self.socket.sendall(self.make())

    def take(self) -> None:
        """Read of an answer what has come."""
        more = self.socket.recv(1 << 16)
        if not more:
            raise ConnectionError("a poster was cut")
        self._received += more
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        if not head.startswith(b"HTTP/1.1 201"):
            raise ConnectionError(f"a post was refused: {self._received[:300]!r}")
        self._received = b""
        self.is_waiting = False


def _upgrade(port: int, path: str, token: str | None) -> socket.socket:
    connected = socket.create_connection(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    connected.sendall(
        (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"{bearer}\r\n"
        ).encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        more = connected.recv(4096)
        if not more:
            raise ConnectionError(f"no upgrade: {head!r}")
        head += more
    if b" 101 " not in head.split(b"\r\n", 1)[0]:
        raise ConnectionError(f"no upgrade: {head[:300]!r}")
    return connected

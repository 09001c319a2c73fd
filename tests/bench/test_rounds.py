"""A peer of the bench that cuts its connections costs a round, and never the run."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from bench import load

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def a_peer(answers_of_each: int) -> Iterator[int]:
    """A server that answers each connection so often, and then cuts it; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connected, _ = listener.accept()
                except OSError:
                    return
                with connected, suppress(OSError):
                    for _ in range(answers_of_each):
                        if not connected.recv(4096):
                            break
                        connected.sendall(ANSWER)

        serving = threading.Thread(target=serve)
        serving.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    serving.join()


def a_round(port: int, seconds: float) -> load.Figures:
    asked = load.over([load.get("/", "token")])
    return load.run("127.0.0.1", port, asked, users=2, seconds=seconds)


@pytest.mark.parametrize("answers", [0, 3])
def test_a_peer_that_cuts_its_connections_costs_a_round_which_is_said(
    answers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_peer(answers) as port:
        # The cut ends the round; the seconds are only how long it would have gone on.
        assert load.a_round_of("fastapi", lambda: a_round(port, seconds=60)) is None
    said = capsys.readouterr().out
    assert said.startswith("  fastapi: ")
    assert said.endswith("this round of it does not count\n")


def test_a_round_of_a_peer_that_answers_counts() -> None:
    with a_peer(10_000_000) as port:
        asked = load.over([load.get("/", "token")])
        found = load.a_round_of(
            "fastapi", lambda: load.run("127.0.0.1", port, asked, users=1, seconds=0.05)
        )
    assert found is not None
    assert found.statuses.keys() == {200}

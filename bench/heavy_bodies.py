"""What the heaviest bodies cost the loop, route by route: the tables of docs/security.md.

`python bench/heavy_bodies.py` reads ten hostile bodies for each route that has one, as large as its
limits allow, and renders what they are answered; and so for the other roads on which a client can
send much at one go. The processor's time of one body, in milliseconds, is the median of several.
It measures what is done on the loop: what a command costs the store, and an engine in its thread,
is not in it.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from datetime import date
from functools import partial
from typing import Any, Final, cast

import trio
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from domain.simulation.quote import QuoteView, quote
from web.api.table import ROUTES
from web.api.what_if.shapes import QuoteBody, render_quote, render_scenario
from web.app import ANY_HOST, rule_of
from web.requests.incoming import ArrivedRequest
from web.requests.parsing import BodyReading, read_body, read_query
from web.responses.problems import Problem
from web.responses.replies import Reply, respond
from web.routing.route import Route
from web.sockets.client_messages import read_message

ROUNDS: Final = 7
CURRENCY: Final = "EUR"
PATH: Final = "/a/path"
TERMS: Final[dict[str, Any]] = {
    "principal": "100000.00",
    "currency": CURRENCY,
    "annual_rate_percent": "12.5",
    "instalments": 600,
    "frequency": {"every": 1, "unit": "MONTHS"},
}


class Arrived:
    """As much of a request as reading its body asks for."""

    def __init__(self, raw: bytes) -> None:
        self.given = {"content-type": "application/json"}
        self.content_length = len(raw)
        self.body = _Whole(raw)


class _Whole:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def __await__(self) -> Generator[Any, None, bytes]:
        return self._read().__await__()

    async def _read(self) -> bytes:
        await trio.lowlevel.checkpoint()
        return self._raw

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._raw


def compact(document: Any) -> bytes:
    """JSON without blanks."""
    return json.dumps(document, separators=(",", ":")).encode()


def repeated(begin: bytes, part: bytes, end: bytes, bytes_max: int) -> bytes:
    """As much of `part` as fits, separated by commas."""
    count = (bytes_max - len(begin) - len(end)) // (len(part) + 1)
    return begin + b",".join([part] * count) + end


def hostile(route: Route) -> dict[str, bytes]:
    """Ten bodies, each as heavy in its way as the limits of the route allow."""
    assert route.body is not None
    limits, fields = route.body_limits, list(route.body.model_fields)
    size, members = limits.bytes_max, limits.members_max
    field = json.dumps(fields[0] if fields else "f").encode()
    event = {"type": "re_age", "date": 1, "start_date": 1, "frequency": {}, "instalments": "x"}
    scenario = {"name": 1, "events": [event] * 50}
    wrong: dict[str, Any] = dict.fromkeys(fields, "1e999999")
    inside = members // 8
    nest = b"[" * 30 + b"1" + b"]" * 30
    return {
        "unknown fields": compact({f"f{number}": 1 for number in range(members)}),
        "a field too many": compact({f"f{number}": 1 for number in range(size // 12)}),
        "wrong items": compact({name: [7] * (members // max(1, len(fields))) for name in fields}),
        "`{}`": repeated(b"{" + field + b":[", b"{}", b"]}", size),
        "scenarios": compact({"scenarios": [scenario] * max(1, members // 400)})
        if "scenarios" in fields
        else compact(
            {name: {"events": [event] * (inside // max(1, len(fields)))} for name in fields}
        ),
        "a long text": b"{" + field + b':"' + b"x" * (size - len(field) - 5) + b'"}',
        "escapes": b"{" + field + b':"' + rb"\u044f" * ((size - len(field) - 5) // 6) + b'"}',
        "nests": repeated(b"{" + field + b":[", nest, b"]}", min(size, members * 2)),
        "long numbers": repeated(b"{" + field + b":[", b"9" * 64, b"]}", min(size, members * 65)),
        "decimals": compact({**wrong, fields[0] if fields else "f": "9" * min(4000, size - 2000)}),
    }


async def cpu_ms(work: Callable[[], Awaitable[object]]) -> float:
    """The processor's time of one go, the median of several."""
    taken: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        await work()
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)


async def read_and_refuse(route: Route, raw: bytes) -> None:
    """What the loop does for a body: read it, and answer what is wrong with it."""
    assert route.body is not None
    reading = BodyReading(route.body, route.form_names, route.body_limits, CURRENCY)
    outcome = await read_body(cast("ArrivedRequest", Arrived(raw)), reading)
    answer = outcome if isinstance(outcome, Problem) else Reply(None, 204)
    respond(answer, PATH, "a request", [])


async def tell_routes() -> float:
    """Print the table of the routes; the heaviest of all."""
    routes = [route for route in ROUTES if route.body is not None]
    names = list(hostile(routes[0]))
    print(f"| route | {' | '.join(names)} | heaviest |")
    print("| --- |" + " --- |" * (len(names) + 1))
    most = 0.0
    for route in routes:
        costs = [
            await cpu_ms(partial(read_and_refuse, route, raw)) for raw in hostile(route).values()
        ]
        most = max(most, *costs)
        told = " | ".join(f"{cost:.1f}" for cost in costs)
        print(f"| {route.method} {route.path} | {told} | **{max(costs):.1f}** |")
    return most


def other_roads() -> dict[str, Callable[[], object]]:
    """Whatever else a client can send at one go, and the widest answer it can ask for."""
    message = 65_536
    query = {p.name: p for route in ROUTES if route.name == "list_loans" for p in route.query}
    adapter = Map(
        [Rule(rule_of(r.path), endpoint=r.name, methods=[r.method], strict_slashes=False)
         for r in ROUTES], merge_slashes=False,
    ).bind(ANY_HOST)  # fmt: skip

    def routed(path: str) -> None:
        try:
            adapter.match(path, "GET")
        except HTTPException:
            return

    return {
        "a frame of unknown fields": lambda: read_message(
            compact({"type": "ping", **{f"f{n}": 1 for n in range(190)}}).decode()
        ),
        "a frame of 64 KiB of fields": lambda: read_message(
            compact({f"f{n}": 1 for n in range(5_500)}).decode()
        ),
        "a frame of 64 KiB of `{}`": lambda: read_message(
            repeated(b'{"type":[', b"{}", b"]}", message).decode()
        ),
        "a frame of 64 KiB of text": lambda: read_message('{"ref":"' + "x" * 65_000 + '"}'),
        "a frame of 64 KiB of escapes": lambda: read_message(
            '{"ref":"' + r"\u044f" * 10_900 + '"}'
        ),
        "a query of 8 KiB in one value": lambda: read_query(b"cursor=" + b"%41" * 2_700, query),
        "a query of 8 KiB of parameters": lambda: read_query(b"&".join([b"a=1"] * 2_048), query),
        "a path of 4,000 segments": lambda: routed("/loans" + "/a" * 4_000),
        "a path of an actor, 4,000 segments": lambda: routed(
            "/supervision/actors" + "/restart" * 1_000
        ),
        "a path of 8,000 slashes": lambda: routed("/" * 8_000),
    }


async def tell_other_roads() -> float:
    """Print the table of the other roads; the heaviest of all."""
    print("\n| sent at one go | CPU on the loop, ms |\n| --- | --- |")
    most = 0.0
    for name, work in other_roads().items():

        async def once(work: Callable[[], object] = work) -> None:
            work()

        cost = await cpu_ms(once)
        most = max(most, cost)
        print(f"| {name} | {cost:.1f} |")
    return max(most, await _tell_quote())


async def _tell_quote() -> float:
    """The widest answer: 600 instalments, eleven times; the engine's own part is in a thread."""
    body = QuoteBody.model_validate({**TERMS, "scenarios": [{"events": []}] * 10})
    terms = body.terms(CURRENCY, None)
    assert not isinstance(terms, tuple)
    view = quote(terms, tuple(() for _ in body.scenarios), date(2026, 11, 24))
    assert isinstance(view, QuoteView)
    parts: list[dict[str, object]] = []

    async def whole() -> None:
        parts.append(render_quote(view))

    async def scenario() -> None:
        parts.append(render_scenario(None, view.answer.scenarios[0], CURRENCY))

    async def encode() -> None:
        document: dict[str, object] = {**parts[0], "scenarios": parts[-1:] * 10}
        respond(Reply(document), PATH, "a request", [])

    costs = [await cpu_ms(whole), await cpu_ms(scenario), await cpu_ms(encode)]
    for name, cost in zip(
        (
            "a quote of 600 instalments, rendered",
            "each of its ten scenarios, rendered (a turn of the loop each)",
            "all of it, encoded",
        ),
        costs,
        strict=True,
    ):
        print(f"| {name} | {cost:.1f} |")
    return max(costs)


async def main() -> None:
    """Print both tables, and the heaviest of all."""
    most = max(await tell_routes(), await tell_other_roads())
    print(f"\nthe heaviest: {most:.1f} ms")


if __name__ == "__main__":
    trio.run(main)

"""The loan engine beside mortgagemath, in turns, in one run: schedules and quotes.

    python bench/engine.py [--rounds 9]

A ratio is our time to theirs at the median of the rounds. Each line of ours is explained (base,
days, factor, unrounded) and dated; theirs is numbers alone.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import mortgagemath

sys.path[:0] = [str(Path(__file__).parent.parent)]

from bench.load import NOT_HELD  # noqa: E402
from domain.schedule.generator import build_schedule  # noqa: E402
from domain.simulation.what_if import planned_rate_percent, totals_of  # noqa: E402
from domain.terms.terms import Frequency, FrequencyUnit, Terms  # noqa: E402

START = date(2024, 1, 31)
AT_MOST = 5.0
QUOTES = 1000
EVEN = mortgagemath.PaymentRounding.ROUND_HALF_EVEN


def terms(instalments: int, principal_minor: int = 25_000_000) -> Terms:
    """A plain loan by equal instalments, each month."""
    return Terms(
        principal_minor=principal_minor,
        currency="USD",
        annual_rate_percent=Decimal("6.5"),
        instalments=instalments,
        frequency=Frequency(1, FrequencyUnit.MONTHS),
    )


def theirs(wanted: Terms) -> None:
    """The same schedule by mortgagemath."""
    mortgagemath.amortization_schedule(
        mortgagemath.LoanParams(
            principal=Decimal(wanted.principal_minor) / 100,
            annual_rate=wanted.annual_rate_percent,
            term_months=wanted.instalments,
            payment_rounding=EVEN,
            interest_rounding=EVEN,
        )
    )


def ours(wanted: Terms) -> None:
    """Our schedule and its sums."""
    totals_of(build_schedule(wanted, START))


def with_rate(wanted: Terms) -> None:
    """And what it costs a year, which theirs does not say."""
    rows = build_schedule(wanted, START)
    totals_of(rows)
    planned_rate_percent(rows, START, wanted.principal_minor)


def quotes(one: Callable[[Terms], None]) -> Callable[[], None]:
    """A thousand quotes of 12 instalments, each for another amount."""
    wanted = [terms(12, 100_000 + 1_337 * number) for number in range(QUOTES)]

    def work() -> None:
        for each in wanted:
            one(each)

    return work


def measure(name: str, mine: Callable[[], None], other: Callable[[], None], rounds: int) -> float:
    """Take turns and print one line; the ratio of the medians."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, spent in ((mine, times[0]), (other, times[1])):
            gc.collect()
            began = time.process_time()
            work()
            spent.append(time.process_time() - began)
    own, their = (statistics.median(spent) * 1000 for spent in times)
    ratio = own / their
    print(f"{name:44} {own:9.2f} {their:9.2f} {ratio:7.2f}", flush=True)
    return ratio


def main(rounds: int) -> int:
    """Print every line; `NOT_HELD` when one that has a limit does not hold it."""
    print(f"{'':44} {'ours ms':>9} {'theirs ms':>9} {'ratio':>7}")
    long = terms(360)
    ratios = [
        measure("a schedule of 360 instalments", lambda: ours(long), lambda: theirs(long), rounds),
        measure("1,000 quotes of 12 instalments", quotes(ours), quotes(theirs), rounds),
    ]
    measure(
        "the same with the effective rate (no limit)", quotes(with_rate), quotes(theirs), rounds
    )
    held = max(ratios) <= AT_MOST
    print(f"at most {AT_MOST:g} times theirs: {'held' if held else 'NOT HELD'}")
    return 0 if held else NOT_HELD


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    sys.exit(main(parser.parse_args().rounds))

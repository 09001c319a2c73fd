"""The wall clock: the only place that asks what time it is. Time-outs never come here.

`SystemClock` is this machine's. `SharedClock` is the database's, by which all machines on one
database agree: tokens, sessions, stamps and business days follow it, so that a clock that is set
wrong on one machine decides nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.clocks import APART_MAX, ClocksApart, clocks_apart, spelled
from domain.reports.views import ComponentHealth

# Below this the count of seconds is believed, so that the time runs evenly from answer to answer.
STEP_MIN: Final = timedelta(seconds=0.5)
# An answer that took longer tells the time too vaguely; the next one will do.
ROUND_TRIP_MAX_S: Final = 2.0

_LOG: Final = logging.getLogger("lendwire.clock")


def seconds_since_boot() -> float:
    """Seconds that nobody can set, counted on while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class SystemClock:
    """The machine's clock, and the business day in one time zone."""

    def __init__(self, timezone: ZoneInfo) -> None:
        """Count business days in `timezone`."""
        self.timezone = timezone

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """Return the business day."""
        return self.now().astimezone(self.timezone).date()


class SharedClock:
    """The database's clock as it was last read, carried on by a count of seconds.

    Before it was first read it is the machine's own. Satisfies the port `Clock`.
    """

    def __init__(
        self, machine: SystemClock, count_s: Callable[[], float] = seconds_since_boot
    ) -> None:
        """Take `machine` for what is compared, and for the time zone."""
        self._machine = machine
        self._count_s = count_s
        self._read: tuple[datetime, float] | None = None
        self._was_apart = False

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        if self._read is None:
            return self._machine.now()
        instant, counted_s = self._read
        return instant + timedelta(seconds=self._count_s() - counted_s)

    def today(self) -> date:
        """Return the business day."""
        return self.now().astimezone(self._machine.timezone).date()

    async def compare(self, read: Callable[[], Awaitable[datetime]]) -> None:
        """Read the database's clock with `read`, go by it from now on, and tell a difference.

        What `read` raises is passed on, and the count goes on as before.
        """
        asked_s = self._count_s()
        instant = (await read()).astimezone(UTC)
        took_s = self._count_s() - asked_s
        if self._read is None:
            self._read = instant, asked_s + took_s / 2
        elif took_s <= ROUND_TRIP_MAX_S:
            step = instant + timedelta(seconds=took_s / 2) - self.now()
            if abs(step) > STEP_MIN:
                self._read = instant, asked_s + took_s / 2
            if abs(step) > APART_MAX:
                _LOG.warning("the database's clock was set", extra={"by_s": step.total_seconds()})
        self._apart()

    def ahead(self) -> timedelta:
        """By how much the machine's clock is ahead of the database's; negative when behind."""
        return self._machine.now() - self.now()

    def look(self) -> Mapping[str, ComponentHealth]:
        """Tell how the two clocks agree, as the component `clock` of the node's health."""
        apart = self._apart()
        if apart is None:
            return {"clock": ComponentHealth("ok", "agrees with the database's")}
        return {
            "clock": ComponentHealth(
                "degraded", f"{apart}, which counts; nothing ages out until they agree"
            )
        }

    def _apart(self) -> ClocksApart | None:
        """The difference now; its beginning and its end are logged."""
        apart = clocks_apart(self._machine.now(), self.now())
        if (apart is not None) != self._was_apart:
            self._was_apart = apart is not None
            if apart is None:
                _LOG.info("the clocks agree again")
            else:
                _LOG.warning(
                    "the clocks differ",
                    extra={
                        "ahead_s": round(apart.ahead.total_seconds(), 1),
                        "difference": spelled(abs(apart.ahead)),
                        "reason": str(apart),
                    },
                )
        return apart

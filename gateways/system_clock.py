"""The wall clock: the only place that asks what time it is. Time-outs never come here."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


class SystemClock:
    """The machine's clock, and the business day in one time zone."""

    def __init__(self, timezone: ZoneInfo) -> None:
        """Count business days in `timezone`."""
        self._timezone = timezone

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """Return the business day."""
        return datetime.now(self._timezone).date()

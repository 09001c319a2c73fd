"""What the sync coordinator understands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SummariseSync:
    """Interleaved. Replies with a `SyncSummaryView`."""


SyncCoordinatorMessage = SummariseSync

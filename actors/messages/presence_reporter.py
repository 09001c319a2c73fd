"""What the presence reporter understands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LookAround:
    """Look who is connected now, and write what has changed."""


PresenceReporterMessage = LookAround

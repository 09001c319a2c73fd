"""What the elector understands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TellTerm:
    """Interleaved. Replies with the `Term` in which this worker leads, or None when it stands by.

    The answer may be a moment old: whoever acts on it lets his writes carry the term.
    """


@dataclass(frozen=True, slots=True)
class StepDown:
    """A write that carried our term was refused: campaign anew."""


ElectorMessage = TellTerm | StepDown

"""Refusals to start: one sentence for the person at the terminal, never a traceback."""

from __future__ import annotations

from domain.outages import Outage


class StartRefused(Outage):
    """Lendwire cannot start as it was asked to, and says why in one sentence.

    `sentence` is shown as it is; `exit_code` (1..255) becomes the exit code of the process. To a
    supervisor it is the weather: a child that meets it at a restart is tried again with back-off.
    """

    def __init__(self, sentence: str, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.exit_code = exit_code

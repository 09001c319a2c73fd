"""Refusals to start: one sentence for the person at the terminal, never a traceback."""


class StartRefused(Exception):
    """Lendwire cannot start as it was asked to, and says why in one sentence.

    `sentence` is shown as it is; `exit_code` (1..255) becomes the exit code of the process.
    """

    def __init__(self, sentence: str, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.exit_code = exit_code

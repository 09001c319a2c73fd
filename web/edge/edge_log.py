"""Where the edge speaks: the standard logger `lendwire.edge`, errors only, no access log."""

import logging
from typing import Any

from hypercorn.config import Config
from hypercorn.logging import Logger
from hypercorn.typing import ResponseSummary, WWWScope

LOG = logging.getLogger("lendwire.edge")


class EdgeLogger(Logger):
    """hypercorn's logger without its handlers: requests are logged by the application."""

    def __init__(self, config: Config) -> None:
        self.access_logger = None
        self.error_logger = LOG

    async def access(
        self, request: WWWScope, response: ResponseSummary, request_time: float
    ) -> None:
        """Say nothing: hypercorn's format would print the request line, secrets included."""


def log_contained(message: str, error: BaseException, **fields: Any) -> None:
    """Log what escaped, with its traceback; `fields` go to structured handlers."""
    LOG.error(message, exc_info=error, extra={"edge": fields})


def errors_in(error: BaseException) -> BaseException | None:
    """The part of `error` that is a bug or the weather: without cancellation and exits."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(lambda leaf: isinstance(leaf, Exception))
    return error if isinstance(error, Exception) else None


def cancellation_in(error: BaseException) -> BaseException | None:
    """The part of `error` that must go on: cancellation, or the wish to exit."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(lambda leaf: not isinstance(leaf, (Exception, BaseExceptionGroup)))
    return None if isinstance(error, Exception) else error


def contained(message: str, error: BaseException, **fields: Any) -> BaseException | None:
    """Log what of `error` ends here; the part that must be raised again, if there is any."""
    failure = errors_in(error)
    if failure is not None:
        log_contained(message, failure, **fields)
    return cancellation_in(error)

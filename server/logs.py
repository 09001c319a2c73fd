"""The log on standard error, whatever library wrote it: a JSON object a line, or lines for people.

A terminal has a person before it and gets lines to read; a file, a pipe or a journal gets JSON.
structlog renders; the standard library's loggers are the door, so that libraries come through too.
A line never holds a token or a password: nobody here logs headers or bodies.
"""

from __future__ import annotations

import logging
import sys

import structlog

_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_FOR_PROGRAMS = structlog.processors.TimeStamper(fmt="iso", utc=True)
_FOR_PEOPLE = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
_JSON = (
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(default=str),
)
# Without colours: a terminal may be without them, and what is copied from it goes into letters.
_LINES = (
    structlog.dev.ConsoleRenderer(
        colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    ),
)


def _add_extra(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Take over what was given as `extra`."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        for name, value in vars(record).items():
            if name not in _OWN_FIELDS and not name.startswith("_"):
                event[name] = value
    return event


def set_up_logs(level: str = "INFO", worker: str | None = None) -> None:
    """Send every logger of this process to standard error; a worker signs its own lines."""
    is_read_by_people = sys.stderr.isatty()

    def sign(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if worker is not None:
            event["worker"] = worker
        return event

    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            _FOR_PEOPLE if is_read_by_people else _FOR_PROGRAMS,
            _add_extra,
            sign,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *(_LINES if is_read_by_people else _JSON),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Alembic tells every step, hypercorn every connection that ends early: neither is news here.
    for talkative in ("alembic", "hypercorn.error", "httpx"):
        logging.getLogger(talkative).setLevel("WARNING")

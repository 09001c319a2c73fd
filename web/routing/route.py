"""The table of routes: what each takes, who may come, and what it answers.

From one table come the registered routes, the OpenAPI document and the tests that hold them
together. What a route does is in `routes/`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from pydantic import BaseModel

from domain.loan.lifecycle import LoanStatus
from domain.terms.validation import YEAR_MAX, YEAR_MIN
from web.requests.cursors import CURSOR_PATTERN
from web.requests.fields import read_date, read_uuid
from web.requests.parsing import ORDINARY, BodyLimits, Parameter
from web.responses.replies import Outcome
from web.routing.call import Call

Handler = Callable[[Call], Awaitable[Outcome]]

LIMIT_MAX: Final = 200
AUTH_TAG: Final = "auth"
SUPERVISION_TAG: Final = "supervision"


class Door(StrEnum):
    """Who may come in, and by which limit."""

    OPEN = "open"
    SIGN_IN = "sign_in"
    REFRESH = "refresh"
    SIGNED_IN = "signed_in"
    TICKET = "ticket"  # signed in, or with a connect ticket in the query


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method on one path. `path` is written as OpenAPI does; parts ending in `_id` are UUIDs.

    `answers` maps each status of success to the shape of its body, None for no JSON body.
    `problems` are the refusals beyond those that every such route has. `secret` says that the
    answer is to be told once.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    answers: Mapping[int, type[BaseModel] | None]
    door: Door = Door.SIGNED_IN
    body: type[BaseModel] | None = None
    body_limits: BodyLimits = ORDINARY
    form_names: Mapping[str, str] = field(default_factory=dict)
    query: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    tagged: bool = False
    versioned: bool = False
    media_type: str = "application/json"
    other_types: tuple[str, ...] = ()
    writes: bool = True
    secret: bool = False

    @property
    def idempotent(self) -> bool:
        """Whether an Idempotency-Key counts: on every POST of somebody who has signed in.

        Not where the effect is in no store: an order given twice is carried out twice. Nor where
        the answer is a secret, which is kept nowhere.
        """
        kept = self.tag not in {AUTH_TAG, SUPERVISION_TAG} and not self.secret
        asks = self.method == "POST" and self.writes
        return asks and self.door is Door.SIGNED_IN and kept

    @property
    def name(self) -> str:
        """A stable name of the operation."""
        return self.handler.__name__


def _limit(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LIMIT_MAX))):
        return None
    return int(text) if 1 <= int(text) <= LIMIT_MAX else None


def _status(text: str) -> LoanStatus | None:
    return LoanStatus(text) if text in set(LoanStatus) else None


def _day(text: str) -> date | None:
    day = read_date(text)
    return day if day is not None and YEAR_MIN <= day.year <= YEAR_MAX else None


def _one_of(*known: str) -> Callable[[str], str | None]:
    return lambda text: text if text in known else None


def _cursor(text: str) -> str | None:
    return text or None


PAGING: Final = (
    Parameter(
        "limit",
        _limit,
        f"a whole number from 1 to {LIMIT_MAX}",
        {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": 50},
    ),
    Parameter(
        "cursor",
        _cursor,
        "a cursor of this list",
        {"type": "string", "pattern": CURSOR_PATTERN},
    ),
    Parameter(
        "sort",
        _one_of("created_at", "-created_at"),
        "created_at or -created_at",
        {"type": "string", "enum": ["created_at", "-created_at"], "default": "created_at"},
    ),
    Parameter("include", _one_of("total"), "total", {"type": "string", "enum": ["total"]}),
)
STATUS: Final = Parameter(
    "status",
    _status,
    "a status of a loan",
    {"type": "string", "enum": [str(status) for status in LoanStatus]},
)


def day_parameter(name: str) -> Parameter:
    """A query parameter that is a business day, within the calendar that schedules keep to."""
    return Parameter(
        name,
        _day,
        f"a date, YYYY-MM-DD, in the years {YEAR_MIN} to {YEAR_MAX}",
        {"type": "string", "format": "date"},
    )


def name_parameter(name: str, known: Collection[str], expects: str) -> Parameter:
    """A query parameter that is one of the names that we use ourselves."""
    names = sorted(known)
    return Parameter(name, _one_of(*names), expects, {"type": "string", "enum": names})


AS_OF: Final = day_parameter("as_of")
SINCE: Final = day_parameter("from")
UNTIL: Final = day_parameter("to")


_TRUTHS: Final = {"true": True, "false": False}
DRY_RUN: Final = Parameter(
    "dry_run", _TRUTHS.get, "true or false", {"type": "boolean", "default": False}
)


def id_parameter(name: str) -> Parameter:
    """A query parameter that is a UUID."""
    return Parameter(name, read_uuid, "a UUID", {"type": "string", "format": "uuid"})

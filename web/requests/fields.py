"""The kinds of fields that bodies are made of: strict, because a loan server must not guess.

Money, rates and dates arrive as strings and in one spelling only. What a value means for a loan is
the domain's to say; here it is only read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, get_args
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.access.users import EMAIL_LENGTH_MAX, check_email
from domain.invisible import is_invisible
from domain.money import is_currency, parse_amount
from domain.terms.validation import YEAR_MAX, YEAR_MIN

TEXT_CHARS_MAX: Final = 2000
PASSWORD_BYTES_MAX: Final = 1024

# The name under which the node's currency is handed to the validation.
DEFAULT_CURRENCY: Final = "default_currency"

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_YEARS: Final = f"must be in the years {YEAR_MIN} to {YEAR_MAX}"
_PERCENT: Final = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,8})?")


class RequestShape(BaseModel):
    """A body that is taken: nothing is converted, and what is not known is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ResponseShape(BaseModel):
    """A body that is given; only described, because responses are rendered without it."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Secret:
    """Marks a field of a body that nobody may find out: it is in no text and no fingerprint."""


SECRET: Final = Secret()


@cache
def secret_fields(shape: type[BaseModel]) -> frozenset[str]:
    """The fields of a body that are marked as secrets, also where they may be left out."""
    return frozenset(
        name
        for name, field in shape.model_fields.items()
        if SECRET in field.metadata or _is_secret(field.annotation)
    )


def without_secrets(document: Mapping[str, object], shape: type[BaseModel]) -> dict[str, object]:
    """A body that was read as `shape`, without what it has of secrets."""
    secrets = secret_fields(shape)
    return {name: value for name, value in document.items() if name not in secrets}


def _is_secret(annotation: object) -> bool:
    marks = getattr(annotation, "__metadata__", ())
    return SECRET in marks or any(_is_secret(part) for part in get_args(annotation))


class NoFields(RequestShape):
    """A body without fields: nothing at all, or {}."""


def read_uuid(text: str) -> UUID | None:
    """Read a UUID in its one usual spelling."""
    return UUID(text) if _UUID.fullmatch(text) else None


def read_date(text: str) -> date | None:
    """Read a business date, YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _uuid(value: Any) -> UUID:
    found = read_uuid(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError("bad_uuid", "must be a UUID, as a string")
    return found


def _date(value: Any) -> date:
    found = read_date(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError("bad_date", "must be a date, as a string YYYY-MM-DD")
    if not YEAR_MIN <= found.year <= YEAR_MAX:
        raise PydanticCustomError("out_of_range", _YEARS)
    return found


def _instant(value: Any) -> datetime:
    found = None
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        # The other one is an instant that UTC has in the year 0 or 10000.
        with suppress(ValueError, OverflowError):
            found = datetime.fromisoformat(value).astimezone(UTC)
    if found is None:
        raise PydanticCustomError("bad_instant", "must be an instant, as in 2026-11-24T20:00:00Z")
    return found


def _amount_or_nothing(value: Any) -> Decimal:
    found = parse_amount(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError("bad_amount", 'must be an amount, as a string like "1250.00"')
    return found


def _amount(value: Any) -> Decimal:
    found = _amount_or_nothing(value)
    if found == 0:
        raise PydanticCustomError("bad_amount", "must be more than nothing")
    return found


def _percent(value: Any) -> Decimal:
    if not isinstance(value, str) or not _PERCENT.fullmatch(value):
        raise PydanticCustomError("bad_rate", 'must be per cent a year, as a string like "12.5"')
    return Decimal(value)


def _currency(value: str) -> str:
    if not is_currency(value):
        raise PydanticCustomError("unknown_currency", "must be a currency in use (ISO 4217)")
    return value


def _email(value: str) -> str:
    if value != value.strip() or check_email(value):  # the domain would take the blanks away
        raise PydanticCustomError("bad_email", "must be an e-mail address")
    return value


def not_blank(value: str) -> str:
    """Refuse a text of which nothing would be seen."""
    if is_invisible(value):
        raise PydanticCustomError("blank", "must not be blank")
    return value


def _hashable(value: str) -> str:
    if len(value.encode()) > PASSWORD_BYTES_MAX:
        raise PydanticCustomError("too_long", "is too long")
    return value


def _schema(**facts: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **facts})


UuidField = Annotated[UUID, BeforeValidator(_uuid), _schema(format="uuid")]
InstantField = Annotated[datetime, BeforeValidator(_instant), _schema(format="date-time")]
DateField = Annotated[date, BeforeValidator(_date), _schema(format="date")]
_AMOUNT_SCHEMA: Final = _schema(pattern=r"^[0-9]{1,16}(\.[0-9]{1,16})?$", examples=["1250.00"])
AmountField = Annotated[Decimal, BeforeValidator(_amount), _AMOUNT_SCHEMA]
AmountOrNothingField = Annotated[Decimal, BeforeValidator(_amount_or_nothing), _AMOUNT_SCHEMA]
PercentField = Annotated[
    Decimal,
    BeforeValidator(_percent),
    _schema(pattern=r"^[0-9]{1,4}(\.[0-9]{1,8})?$", examples=["12.5"]),
]
CurrencyField = Annotated[
    str, Field(pattern="^[A-Z]{3}$"), AfterValidator(_currency), _schema(pattern="^[A-Z]{3}$")
]
NOT_BLANK: Final = {"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}
EmailField = Annotated[
    str,
    Field(
        max_length=EMAIL_LENGTH_MAX,
        json_schema_extra={"pattern": r"^[^@\s\u0000]{1,64}@[^@\s\u0000]{1,189}$"},
    ),
    AfterValidator(_email),
]
NameField = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra=NOT_BLANK), AfterValidator(not_blank)
]
TextField = Annotated[
    str,
    Field(min_length=1, max_length=TEXT_CHARS_MAX, json_schema_extra=NOT_BLANK),
    AfterValidator(not_blank),
]
LabelField = Annotated[
    str, Field(min_length=1, max_length=100, json_schema_extra=NOT_BLANK), AfterValidator(not_blank)
]
# Longer ones would only be work for the hash; the domain says how short is too short.
PasswordField = Annotated[
    str, Field(min_length=1, max_length=PASSWORD_BYTES_MAX), AfterValidator(_hashable), SECRET
]
VersionField = Annotated[int, Field(ge=1, le=2**53)]

# What responses show.
Money = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["1250.00"])]
Rate = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?$", examples=["12.5"])]
Id = Annotated[UUID, Field()]
Day = Annotated[date, Field()]
Instant = Annotated[datetime, Field()]

"""JSON as RFC 8259 means it: what two parsers could read in two ways is refused.

UTF-8 without a byte order mark, no duplicate keys, no NaN or Infinity, no lone surrogates, no NUL,
bounded depth and bounded numbers. It knows nothing of requests and of fields.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

DEPTH_MAX: Final = 32
NUMBER_CHARS_MAX: Final = 64

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class NotJsonError(ValueError):
    """The bytes are not JSON, or not of the kind taken; the text says why, not the bytes."""


def parse(raw: bytes) -> Any:
    """Parse a JSON document. Raises NotJsonError.

    Numbers with a fraction or an exponent become floats, which no field of Lendwire accepts.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise NotJsonError("The body is not UTF-8.") from None
    if text.startswith("\ufeff"):
        raise NotJsonError("The body begins with a byte order mark.")
    # Counting is enough for all but absurd bodies; only those are walked.
    if raw.count(b"[") + raw.count(b"{") > DEPTH_MAX and _is_deep(text):
        raise NotJsonError(f"The body is nested more than {DEPTH_MAX} deep.")
    try:
        found = _DECODER.decode(text)
    except NotJsonError:
        raise
    except json.JSONDecodeError as error:
        raise NotJsonError(
            f"The body is not JSON: {error.msg.lower()}, line {error.lineno}, column {error.colno}."
        ) from None
    if "\\u" in text:
        _refuse_odd_text(found)
    return found


def _is_deep(text: str) -> bool:
    """Whether brackets are nested too deep, strings skipped; right for every text that is JSON."""
    depth = 0
    in_text = escaped = False
    for character in text:
        if in_text:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_text = False
        elif character == '"':
            in_text = True
        elif character in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                return True
        elif character in "]}":
            depth -= 1
    return False


def _refuse_odd_text(value: object) -> None:
    """Refuse what only an escape can write: half a character, or NUL, which no store keeps."""
    if isinstance(value, str):
        if "\x00" in value:
            raise NotJsonError("The body has a NUL character.")
        if _SURROGATE.search(value):
            raise NotJsonError("The body has half of a surrogate pair.")
    elif isinstance(value, list):
        for item in value:
            _refuse_odd_text(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_odd_text(name)
            _refuse_odd_text(item)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJsonError("The body names a field twice.")
    return found


def _constant(_name: str) -> NoReturn:
    raise NotJsonError("The body has NaN or Infinity, which JSON does not know.")


def _integer(digits: str) -> int:
    if len(digits) > NUMBER_CHARS_MAX:
        raise NotJsonError(f"The body has a number of more than {NUMBER_CHARS_MAX} characters.")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > NUMBER_CHARS_MAX:
        raise NotJsonError(f"The body has a number of more than {NUMBER_CHARS_MAX} characters.")
    found = float(digits)
    if found in {float("inf"), float("-inf")}:
        raise NotJsonError("The body has a number that is too large.")
    return found


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float
)

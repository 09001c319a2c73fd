"""JSON as RFC 8259 means it: what two parsers could read in two ways is refused.

UTF-8 without a byte order mark, no duplicate keys, no NaN or Infinity, no lone surrogates, no NUL,
bounded depth, bounded numbers and a bounded number of members. It knows nothing of requests and of
fields.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

DEPTH_MAX: Final = 32
NUMBER_CHARS_MAX: Final = 64
MEMBERS_MAX: Final = 200

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# A text, or a container of nothing, as a whole; or a character that gives a document its structure.
_MARK: Final = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"?|\[[ \t\r\n]*\]|\{[ \t\r\n]*\}|[\[\]{},]', re.DOTALL
)
# A member has at most a name, a value or its two brackets, and a comma; the document itself is one.
_MARKS_PER_MEMBER: Final = 4


class NotJsonError(ValueError):
    """The bytes are not JSON, or not of the kind taken; the text says why, not the bytes."""


class TooManyMembersError(NotJsonError):
    """The document has more members and items than its reader takes."""


def parse(raw: bytes, members_max: int = MEMBERS_MAX) -> Any:
    """Parse a JSON document. Raises NotJsonError, and TooManyMembersError above `members_max`.

    Members of objects and items of lists count alike, at every depth. They are counted before
    anything is made of them, and the counting ends at the first one too many: whatever comes after
    the parser, fields and faults alike, costs a bounded time. Numbers with a fraction or an
    exponent become floats, which no field of Lendwire accepts.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise NotJsonError("The body is not UTF-8.") from None
    if text.startswith("\ufeff"):
        raise NotJsonError("The body begins with a byte order mark.")
    # Counting bytes is enough for all but absurd bodies; only those are walked.
    openings = raw.count(b"[") + raw.count(b"{")
    if openings > DEPTH_MAX or openings + raw.count(b",") > members_max:
        _refuse_absurd(text, members_max)
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


def _refuse_absurd(text: str, members_max: int) -> None:
    """Refuse what is nested too deep or has too many members; right for every text that is JSON.

    It walks no further than the bounds reach, whatever the text is.
    """
    depth = members = 0
    for marks, found in enumerate(_MARK.finditer(text), 1):
        mark = found[0]
        if mark[0] in "[{":
            if depth == DEPTH_MAX:
                raise NotJsonError(f"The body is nested more than {DEPTH_MAX} deep.")
            if len(mark) == 1:  # it has a first member, to which no comma leads
                depth += 1
                members += 1
        elif mark == ",":
            members += 1
        elif mark in "]}":
            depth -= 1
        if members > members_max or marks > _MARKS_PER_MEMBER * (members_max + 1):
            raise TooManyMembersError(
                f"The body has more than {members_max} members of objects and items of lists."
            )


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

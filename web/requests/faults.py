"""How the faults that pydantic finds are told: JSON pointers, stable codes, and no value repeated.

The codes are ours: clients rely on them, and pydantic may rename its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from domain.rejections import FieldFault
from web.responses.problems import FAULTS_MAX

POINTER_CHARS_MAX: Final = 200
# What pydantic puts among the steps to say which of several shapes it took.
TAGGED: Final = "tagged:"

_CODES: Final = {
    "missing": ("required", "is required"),
    "extra_forbidden": ("unknown_field", "is not a field of this body"),
    "string_type": ("wrong_type", "must be a string"),
    "int_type": ("wrong_type", "must be a whole number"),
    "int_from_float": ("wrong_type", "must be a whole number"),
    "int_parsing_size": ("out_of_range", "has more digits than any number that is taken"),
    "bool_type": ("wrong_type", "must be true or false"),
    "model_type": ("wrong_type", "must be an object"),
    "model_attributes_type": ("wrong_type", "must be an object"),
    "dict_type": ("wrong_type", "must be an object"),
    "list_type": ("wrong_type", "must be a list"),
    "string_too_short": ("too_short", "is too short"),
    "string_too_long": ("too_long", "is too long"),
    "string_pattern_mismatch": ("bad_value", "has not the form that is asked for"),
    "greater_than_equal": ("out_of_range", "must be {ge} or more"),
    "less_than_equal": ("out_of_range", "must be {le} or less"),
    "enum": ("not_one_of", "must be {expected}"),
    "union_tag_invalid": ("not_one_of", "must have one of the types {expected_tags}"),
    "union_tag_not_found": ("required", "must be an object with a type"),
    "literal_error": ("not_one_of", "must be {expected}"),
}


def faults_of(error: ValidationError) -> tuple[FieldFault, ...]:
    """Every wrong field of a body, with a JSON pointer (RFC 6901) to each."""
    return tuple(
        _fault(found["type"], found["loc"], found["msg"], found.get("ctx", {}))
        for found in error.errors(include_url=False, include_input=False)[:FAULTS_MAX]
    )


def pointer(steps: Iterable[str | int]) -> str:
    """A JSON pointer from the steps of a path, cut when a client made it absurdly long."""
    whole = "".join(
        "/" + str(step).replace("~", "~0").replace("/", "~1")
        for step in steps
        if not (isinstance(step, str) and step.startswith(TAGGED))
    )
    return whole[:POINTER_CHARS_MAX]


def told_as_one_of(names: Iterable[str]) -> str:
    """The values that may be given, in the words in which pydantic names those of an enum."""
    *before, last = (f"'{name}'" for name in names)
    return f"{', '.join(before)} or {last}" if before else last


def _fault(
    kind: str, steps: Iterable[str | int], message: str, allowed: Mapping[str, Any]
) -> FieldFault:
    """`allowed` is what pydantic says of the field, of which we name limits and values alone."""
    if kind not in _CODES:
        return FieldFault(pointer(steps), kind, message)
    code, detail = _CODES[kind]
    return FieldFault(pointer(steps), code, detail.format_map(allowed))

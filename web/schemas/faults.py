"""How the faults that pydantic finds are told: JSON pointers, stable codes, and no value repeated.

The codes are ours: clients rely on them, and pydantic may rename its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pydantic import ValidationError

from domain.rejections import FieldFault
from web.problems import FAULTS_MAX

POINTER_CHARS_MAX: Final = 200
# What pydantic puts among the steps to say which of several shapes it took.
TAGGED: Final = "tagged:"

_CODES: Final = {
    "missing": ("required", "is required"),
    "extra_forbidden": ("unknown_field", "is not a field of this body"),
    "string_type": ("wrong_type", "must be a string"),
    "int_type": ("wrong_type", "must be a whole number"),
    "int_from_float": ("wrong_type", "must be a whole number"),
    "int_parsing_size": ("out_of_range", "is out of range"),
    "bool_type": ("wrong_type", "must be true or false"),
    "model_type": ("wrong_type", "must be an object"),
    "model_attributes_type": ("wrong_type", "must be an object"),
    "dict_type": ("wrong_type", "must be an object"),
    "list_type": ("wrong_type", "must be a list"),
    "string_too_short": ("too_short", "is too short"),
    "string_too_long": ("too_long", "is too long"),
    "string_pattern_mismatch": ("bad_value", "has not the form that is asked for"),
    "greater_than_equal": ("out_of_range", "is out of range"),
    "less_than_equal": ("out_of_range", "is out of range"),
    "enum": ("not_one_of", "is not one of the values that are known"),
    "union_tag_invalid": ("not_one_of", "has a type that is not known"),
    "union_tag_not_found": ("required", "must be an object with a type"),
    "literal_error": ("not_one_of", "is not one of the values that are known"),
}


def faults_of(error: ValidationError) -> tuple[FieldFault, ...]:
    """Every wrong field of a body, with a JSON pointer (RFC 6901) to each."""
    return tuple(
        _fault(found["type"], found["loc"], found["msg"])
        for found in error.errors(include_url=False, include_context=False, include_input=False)[
            :FAULTS_MAX
        ]
    )


def pointer(steps: Iterable[str | int]) -> str:
    """A JSON pointer from the steps of a path, cut when a client made it absurdly long."""
    whole = "".join(
        "/" + str(step).replace("~", "~0").replace("/", "~1")
        for step in steps
        if not (isinstance(step, str) and step.startswith(TAGGED))
    )
    return whole[:POINTER_CHARS_MAX]


def _fault(kind: str, steps: Iterable[str | int], message: str) -> FieldFault:
    code, detail = _CODES.get(kind, (kind, message))
    return FieldFault(pointer(steps), code, detail)

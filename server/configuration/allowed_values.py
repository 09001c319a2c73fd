"""What a setting may be, in words: for numbers, choices, and yes or no. No value is read here."""

from __future__ import annotations

from typing import Final, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

_NUMBERS: Final = {int: "a whole number", float: "a number"}
_YES_OR_NO: Final = (bool, bool | None)


def allowed_for(field: FieldInfo) -> str:
    """The values that the setting of `field` takes; "" where it is a text, which may be secret."""
    kind = field.annotation
    if get_origin(kind) is Literal:
        return " or ".join(str(choice) for choice in get_args(kind))
    if kind in _YES_OR_NO:
        return "true or false"
    number = _NUMBERS.get(kind) if isinstance(kind, type) else None
    if number is None:
        return ""
    least = next((str(one.ge) for one in field.metadata if isinstance(one, Ge)), None)
    most = next((str(one.le) for one in field.metadata if isinstance(one, Le)), None)
    limits = "" if least is None or most is None else f" from {least} to {most}"
    return f"{number}{limits}"

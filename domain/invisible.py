"""Characters of which nothing is seen: blanks of every kind, controls, marks and fillers."""

from __future__ import annotations

from typing import Final
from unicodedata import category

# Marks stand over what is before them: by themselves they are nothing.
_MARKS: Final = frozenset({"Mn", "Me"})
# Letters and a symbol that are blank: fillers of Hangul and the empty pattern of Braille.
_BLANKS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def is_invisible(text: str) -> bool:
    """Whether nothing of a text would be seen: it is no reason, no name and no remark."""
    return all(shows_nothing(one) for one in text)


def shows_nothing(character: str) -> bool:
    """Whether a character would not be seen where it stands alone or before others."""
    return (
        character.isspace()
        or not character.isprintable()
        or character in _BLANKS
        or category(character) in _MARKS
    )

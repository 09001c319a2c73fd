"""V7: no cell is carried out by a spreadsheet, whatever stands before its formula."""

from __future__ import annotations

import csv
import io
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.invisible import shows_nothing
from web.responses.csv_text import csv_text

SIGNS = "=+-@＝＋－＠"
ASSIGNED = {"Cc", "Cf", "Zl", "Zp", "Zs"}
UNSEEN_CATEGORIES = {*ASSIGNED, "Cs", "Co", "Cn"}


def written(text: str) -> str:
    """The cell that a spreadsheet reads of a text."""
    rows = csv.reader(io.StringIO(csv_text(("note",), [{"note": text}]), newline=""))
    return list(rows)[1][0]


def test_every_character_of_unicode_that_shows_nothing_is_known_as_such() -> None:
    seen = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) in UNSEEN_CATEGORIES or character.isspace()
        if not shows_nothing(character)
    ]
    assert not seen


@pytest.mark.parametrize("sign", SIGNS)
def test_no_character_that_shows_nothing_hides_a_formula(sign: str) -> None:
    hidden = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if character.isspace() or unicodedata.category(character) in ASSIGNED
    ]
    assert len(hidden) > 200
    for character in hidden:
        # Of a cell with a line break csv sets quotes first.
        assert csv_text(("note",), [{"note": f"{character}{sign}x"}])[6:].lstrip('"')[0] == "'"


@pytest.mark.parametrize("text", ["\xa0=x", "\u3000=1", "\u200b=1", "\ufeff=1", "\x0b=1"])
def test_the_texts_of_the_trial_are_escaped(text: str) -> None:
    assert written(text) == f"'{text}"


UNSEEN = st.characters().filter(shows_nothing)


@given(st.text(UNSEEN, max_size=8), st.sampled_from(SIGNS + "﹢⁼"), st.text(max_size=5))
def test_many_characters_that_show_nothing_hide_no_formula_either(
    before: str, sign: str, after: str
) -> None:
    assert written(f"{before}{sign}{after}x").startswith("'")


@pytest.mark.parametrize(
    "text", ["a plough", "Ж-12", "é=1", "1=2", "数=1", "#1", "", "-12.50", "7", "a\u0301-b", "𝒳+1"]
)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert written(text) == text

"""A loan's book as a document: nothing is lost on the way, and another form is left alone."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events.events import LoanEvent
from domain.loan.replay import fold, in_order
from domain.terms.terms import Terms
from persistence.loans.state_codec import FORM, book_of, document_of, is_legible
from tests.domain.rich_terms import START, lives

Life = tuple[Terms, tuple[LoanEvent, ...]]


@settings(max_examples=100)
@given(lives(), st.integers(0, 300))
def test_a_book_is_read_back_as_it_was_written(life: Life, days: int) -> None:
    _, events = life
    book = fold(in_order(events), START + timedelta(days=days)).loan.book
    kept = msgspec.json.decode(msgspec.json.encode(document_of(book)))
    assert book_of(kept) == book
    assert (kept is None) == (book is None)
    assert is_legible(kept) == (book is not None)


def test_a_document_of_another_form_is_not_read() -> None:
    for other in ({"form": FORM + 1}, {"form": 0, "rows": []}, {}, [FORM], None):
        assert not is_legible(other)
        assert book_of(other) is None


@pytest.mark.parametrize("form", [FORM - 2, FORM - 1])
@pytest.mark.parametrize("is_restructured", [False, True])
def test_a_book_of_a_release_before_is_read_where_nothing_was_planned_anew(
    form: int, is_restructured: bool
) -> None:
    """C3: what a new plan moved or left is not in it; such a book follows from the events."""
    kept = {"form": form, "is_restructured": is_restructured}
    assert is_legible(kept) is not is_restructured

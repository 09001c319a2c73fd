"""Cursors are opaque and good for one list only; entity tags are versions and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.standins import KEY, an_id
from web.requests.conditional import MISSING, NO_VERSION, expected_version, is_known, tag
from web.requests.cursors import Cursors, Place
from web.responses.problems import Problem


def test_a_cursor_goes_on_where_it_was_sealed() -> None:
    cursors = Cursors(KEY)
    for place in (Place(an_id(5)), Place(an_id(5), 70_517)):
        sealed = cursors.seal(place, "/loans status=active")
        assert cursors.open(sealed, "/loans status=active") == place


def test_a_cursor_of_another_list_filter_or_key_is_refused() -> None:
    cursors = Cursors(KEY)
    sealed = cursors.seal(Place(an_id(5)), "/loans status=active")
    assert cursors.open(sealed, "/loans") is None
    assert cursors.open(sealed, "/payments status=active") is None
    assert Cursors(KEY[::-1]).open(sealed, "/loans status=active") is None


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: raw.hex()))
def test_no_text_of_a_stranger_is_a_cursor(text: str) -> None:
    assert Cursors(KEY).open(text, "/loans") is None


@given(st.integers(0, 47), st.sampled_from("ABCabc019-_"))
def test_a_changed_cursor_is_refused(place: int, letter: str) -> None:
    cursors = Cursors(KEY)
    sealed = cursors.seal(Place(an_id(5)), "/loans")
    changed = sealed[:place] + letter + sealed[place + 1 :]
    assert changed == sealed or cursors.open(changed, "/loans") is None


def test_a_short_key_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Cursors(b"short")


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ('"v3"', True),
        ('W/"v3"', True),
        ('"v2", "v3"', True),
        ("*", True),
        ('"v33"', False),
        ('"v2"', False),
        ("v3", False),
        ("", False),
        ('"v3', False),
    ],
)
def test_a_known_version_is_recognised(header: str, known: bool) -> None:
    assert is_known(header, 3) is known


@pytest.mark.parametrize(
    ("header", "in_body", "version"),
    [
        ('"v3"', None, 3),
        ('"v3"', 3, 3),
        (None, 3, 3),
        (' "v3" ', None, 3),
        ('W/"v3"', None, NO_VERSION),
        ('"abc"', None, NO_VERSION),
        ('"v0"', None, NO_VERSION),
        ('"v' + "9" * 30 + '"', None, NO_VERSION),
    ],
)
def test_the_version_that_was_seen_is_read(
    header: str | None, in_body: int | None, version: int
) -> None:
    assert expected_version(header, in_body, required=True) == version


def test_without_a_version_the_precondition_is_required() -> None:
    assert expected_version(None, None, required=True) is MISSING
    assert expected_version(None, None, required=False) is None


@pytest.mark.parametrize("header", ["*", '"v1", "v2"', "v1", "", '"'])
def test_what_names_no_single_version_is_a_bad_request(header: str) -> None:
    problem = expected_version(header, None, required=True)
    assert isinstance(problem, Problem)
    assert problem.status == 400


def test_header_and_body_must_not_contradict() -> None:
    problem = expected_version('"v3"', 4, required=True)
    assert isinstance(problem, Problem)
    assert problem.status == 422
    assert problem.faults[0].pointer == "/version"


def test_the_tag_of_a_version_is_strong() -> None:
    assert tag(12) == '"v12"'

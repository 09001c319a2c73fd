"""The e-mail of a body: what the domain takes, spelled as the published pattern allows."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.access.users import check_email, normal_email
from web.requests.fields import EmailField

FIELD = TypeAdapter(EmailField)
PUBLISHED = re.compile(FIELD.json_schema()["pattern"])

PARTS = st.text(st.sampled_from("aZ0.-+_'\" @ä\x00\x7f\t"), max_size=70)
EMAILS = st.one_of(
    st.text(max_size=300),
    st.builds("{}@{}".format, PARTS, PARTS),
    st.emails(),
)


def is_taken(text: str) -> bool:
    try:
        FIELD.validate_python(text)
    except ValidationError:
        return False
    return True


@given(EMAILS)
@example("olga@lender.example")
@example("admin@localhost")
@example(" olga@lender.example")
@example("olgä@lender.example")
@example('"olga"@lender.example')
def test_a_body_is_refused_the_e_mails_that_the_domain_refuses(text: str) -> None:
    assert is_taken(text) == (not check_email(text) and text == text.strip())


@given(EMAILS)
def test_what_is_taken_is_of_the_published_pattern(text: str) -> None:
    if is_taken(text):
        assert PUBLISHED.search(text)
        assert normal_email(text) == text.lower()


@pytest.mark.parametrize("length", [253, 254, 255])
def test_an_e_mail_has_at_most_254_characters(length: int) -> None:
    host = ".".join(["h" * 61] * 5)[: length - 65]
    assert is_taken(f"{'l' * 64}@{host}") == (length <= 254)

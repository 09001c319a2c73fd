"""JSON is taken in one reading only; everything else is refused, and nothing breaks the parser."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.requests.strict_json import DEPTH_MAX, NUMBER_CHARS_MAX, NotJsonError, parse

REFUSED = {
    "nothing": b"",
    "a word": b"hello",
    "half an object": b'{"a":',
    "two documents": b"{} {}",
    "a trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "a comment": b"{} // no",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "minus Infinity": b'{"a": -Infinity}',
    "1e999": b'{"a": 1e999}',
    "minus 1e999": b'{"a": -1e999}',
    "a name twice": b'{"a": 1, "a": 1}',
    "a name twice, deeper": b'{"b": [{"a": 1, "a": 2}]}',
    "a name twice, by escape": b'{"a": 1, "\\u0061": 2}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-32": '{"a": 1}'.encode("utf-32"),
    "invalid UTF-8": b'{"a": "\xff"}',
    "an overlong encoding": b'{"a": "\xc0\xaf"}',
    "an encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "a lone high surrogate": b'{"a": "\\ud800"}',
    "a lone low surrogate": b'{"a": "\\udc00x"}',
    "a lone surrogate in a name": b'{"\\ud800": 1}',
    "surrogates in the wrong order": b'{"a": ["\\udc00\\ud800"]}',
    "an escaped NUL": b'{"a": "\\u0000"}',
    "an escaped NUL in a name": b'{"\\u0000": 1}',
    "a raw NUL": b'{"a": "\x00"}',
    "a raw line break in a text": b'{"a": "\n"}',
    "5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "5,000 digits of a fraction": b'{"a": 0.' + b"9" * 5000 + b"}",
    "100,000 lists": b"[" * 100_000,
    "100,000 objects": b'{"a":' * 100_000,
    "closed and too deep": b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
    "ten megabytes of opening": b'{"a":' * 2_000_000,
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_plain_json_is_refused(raw: bytes) -> None:
    with pytest.raises(NotJsonError):
        parse(raw)


def test_the_refusal_does_not_repeat_the_body() -> None:
    with pytest.raises(NotJsonError) as refused:
        parse(b'{"password": "hunter2-hunter2" oops}')
    assert "hunter2" not in str(refused.value)


def test_the_deepest_nesting_and_the_longest_number_are_taken() -> None:
    assert parse(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX) is not None
    assert parse(b"9" * NUMBER_CHARS_MAX) == int("9" * NUMBER_CHARS_MAX)


def test_many_brackets_that_are_not_deep_are_taken() -> None:
    raw = b"[" + b"[],{}," * 500 + b'"[[[[{{{{"]'
    assert len(parse(raw, members_max=1001)) == 1001


def test_brackets_in_texts_do_not_count_as_depth() -> None:
    text = '["' + "[" * 1000 + '\\"{{"]'
    assert parse(text.encode()) == ["[" * 1000 + '"{{']


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63)
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    st.booleans(),
)
def test_plain_json_comes_back_as_it_was_sent(value: object, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=200))
def test_no_bytes_break_the_parser(raw: bytes) -> None:
    try:
        parse(raw)
    except NotJsonError:
        return
    json.loads(raw)

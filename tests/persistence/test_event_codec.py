"""Events survive being kept: what is read back is what was written, and old rows stay readable."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events.events import LoanEvent, LoanSubmitted
from domain.terms.terms import Terms
from persistence.loans.event_codec import TYPES, UnknownEvent, data_of, event_of, type_of

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
DECIMALS = st.decimals(0, 1000, places=6, allow_nan=False)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    UUID: st.uuids(),
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    Decimal: DECIMALS,
}
st.register_type_strategy(Decimal, DECIMALS)
st.register_type_strategy(datetime, BY_TYPE[datetime])
st.register_type_strategy(str, TEXT)
EVENTS = st.one_of([st.builds(kind) for kind in get_args(LoanEvent)])


def kept(event: LoanEvent) -> dict[str, Any]:
    """The row as PostgreSQL gives it back: columns as values, data as JSON out of text."""
    return {
        "id": event.event_id,
        "loan_id": event.loan_id,
        "type": type_of(event),
        "data": json.loads(msgspec.json.encode(data_of(event))),
        "value_date": event.value_date,
        "at": event.at,
        "by": event.by,
    }


@given(EVENTS)
def test_an_event_is_read_back_as_it_was(event: LoanEvent) -> None:
    again = event_of(kept(event))
    assert again == event
    assert type(again) is type(event)
    if isinstance(event, LoanSubmitted):
        assert str(again.terms.annual_rate_percent) == str(event.terms.annual_rate_percent)


def test_every_event_has_a_name_and_every_name_an_event() -> None:
    assert set(TYPES.values()) == set(get_args(LoanEvent))
    assert all(is_dataclass(kind) for kind in TYPES.values())


def test_a_row_of_a_newer_program_is_told_as_such() -> None:
    row = {"type": "loan_gilded", "data": {}}
    with pytest.raises(UnknownEvent, match="loan_gilded"):
        event_of(row)


def test_a_row_that_was_written_long_ago_still_reads() -> None:
    """Names and forms in the rows are for ever; if this fails, old books cannot be read."""
    row = {
        "id": UUID(int=1),
        "loan_id": UUID(int=2),
        "at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        "by": UUID(int=3),
        "value_date": date(2026, 1, 2),
        "type": "loan_submitted",
        "data": json.loads(
            """{"number": "L-000001", "customer_id": "00000000-0000-0000-0000-000000000004",
            "branch_id": null, "product_id": null, "purpose": "a cow", "terms": {
            "principal_minor": 120000, "currency": "EUR", "annual_rate_percent": "12.50",
            "instalments": 12, "frequency": {"every": 1, "unit": "MONTHS"},
            "interest_method": "FLAT", "amortization": "EQUAL_PRINCIPAL",
            "interest_calc_period": "DAILY", "days_in_month": "30", "days_in_year": "360",
            "start_date": "2026-01-03", "first_due_date": null}}"""
        ),
    }
    event = event_of(row)
    assert isinstance(event, LoanSubmitted)
    assert event.terms.annual_rate_percent == Decimal("12.50")
    assert event.terms.start_date == date(2026, 1, 3)
    # What terms have learned since then was, and is, as usual in such a row.
    usual = {field.name: field.default for field in fields(Terms)}
    for name in usual.keys() - row["data"]["terms"].keys():
        assert getattr(event.terms, name) == usual[name]

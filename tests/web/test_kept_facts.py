"""U6: history and audit trail show terms and money as every other answer does."""

from __future__ import annotations

import ast
import dataclasses
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import persistence
from domain.access.audit_trail import AUDIT_ACTIONS, AUDIT_ENTITIES
from domain.accounting.views import AuditView
from domain.events.events import FeeOfDisbursal, LoanDisbursed, LoanSubmitted
from domain.queries import ListAudit, ListLoanEvents
from domain.reports.views import Page
from domain.terms.terms import Terms
from persistence.loans.event_codec import TYPES, data_of
from tests.web import a_product
from tests.web.standins import EVENT, LOAN, LOAN_ID, NOW, OTHER_USER_ID, TODAY, USER_ID, House
from tests.web.standins import an_id as some_id
from web.api.facts.shapes import render_facts
from web.api.terms.shapes import render_terms

INSIDES = ("_minor", "ROUND_")


def head() -> dict[str, Any]:
    return {
        "event_id": some_id(1),
        "loan_id": LOAN_ID,
        "at": NOW,
        "by": USER_ID,
        "value_date": TODAY,
    }


def a_loan_submitted() -> LoanSubmitted:
    assert isinstance(LOAN.terms, Terms)
    return LoanSubmitted(
        **head(),
        number="L-1",
        customer_id=OTHER_USER_ID,
        branch_id=None,
        product_id=None,
        terms=LOAN.terms,
        purpose="a plough",
    )


def a_loan_disbursed() -> LoanDisbursed:
    fees = (FeeOfDisbursal(250),)
    return LoanDisbursed(
        **head(), disbursement_id=some_id(2), amount_minor=125_000, down_payment_minor=0, fees=fees
    )


def one_of(kind: type) -> Any:
    """An event with something in every field."""
    if kind is LoanSubmitted:
        return a_loan_submitted()
    given: dict[str, Any] = head()
    for field in dataclasses.fields(kind):
        if field.name not in given:
            given[field.name] = SAMPLES.get(field.name, 12_345 if "_minor" in field.name else "x")
    return kind(**given)


SAMPLES: dict[str, Any] = {
    "terms": LOAN.terms,
    "frequency": LOAN.terms.frequency if LOAN.terms is not None else None,
    "fees": (FeeOfDisbursal(250),),
    "effective": date(2026, 12, 1),
    "annual_rate_percent": Decimal("12.50"),
    "percent": Decimal(5),
    "instalments": 12,
}


def names(found: Any) -> Iterator[str]:
    """All names, and all texts, at every depth."""
    if isinstance(found, dict):
        for name, value in found.items():
            yield name
            yield from names(value)
    elif isinstance(found, (list, tuple)):
        for value in found:
            yield from names(value)
    elif isinstance(found, str):
        yield found


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES.keys())
def test_no_event_shows_how_it_is_kept(kind: type) -> None:
    shown = render_facts(data_of(one_of(kind)), "EUR")
    assert not [name for name in names(shown) if any(part in name for part in INSIDES)]
    # What is kept as a pair is shown as one step.
    order = shown.get("terms", {}).get("allocation_order", [])  # type: ignore[attr-defined]
    assert all(isinstance(step, str) for step in order)
    json.dumps(msgspec.to_builtins(shown))


def test_terms_are_those_that_the_loan_itself_shows() -> None:
    assert LOAN.terms is not None
    shown = render_facts(data_of(a_loan_submitted()), "EUR")
    assert shown["terms"] == render_terms(LOAN.terms)


def test_amounts_are_texts_of_the_loans_currency_at_every_depth() -> None:
    kept = data_of(a_loan_disbursed())
    euros, yen = render_facts(kept, "EUR"), render_facts(kept, "JPY")
    assert (euros["amount"], yen["amount"]) == ("1250.00", "125000")
    assert euros["fees"] == [{"amount": "2.50", "charge_id": None}]


def test_a_product_in_the_trail_is_what_its_own_route_shows() -> None:
    view = a_product.PRODUCT
    shown = render_facts(msgspec.to_builtins(view.product), None)
    assert not [name for name in names(shown) if any(part in name for part in INSIDES)]
    assert shown["defaults"] == render_terms(view.product.defaults)


async def test_the_routes_show_it_so(client: Any, house: House) -> None:
    event = dataclasses.replace(EVENT, data=data_of(a_loan_disbursed()), currency="EUR")
    after = {"loan_id": str(LOAN_ID), "outstanding_minor": 5, "event": data_of(a_loan_submitted())}
    line = AuditView(
        some_id(1), NOW, USER_ID, "loan_submitted", "loan", LOAN_ID, None, "r", "a", None, after,
        "EUR",
    )  # fmt: skip
    house.session.table = {ListLoanEvents: Page((event,), None), ListAudit: Page((line,), None)}
    told: Any = None
    for path in (f"/loans/{LOAN_ID}/events", "/audit"):
        response = await client.get(path, headers=house.bearer)
        told = json.loads(await response.get_data())
        assert response.status_code == 200
        assert not [name for name in names(told) if any(part in name for part in INSIDES)]
    assert told["items"][0]["after"]["outstanding"] == "0.05"


@pytest.mark.parametrize(
    "query", ["action=xx", "action=loan", "action=", "entity_type=xx", "entity_type=loans"]
)
async def test_a_name_that_the_trail_does_not_have_is_400(
    client: Any, house: House, query: str
) -> None:
    response = await client.get(f"/audit?{query}", headers=house.bearer)
    assert response.status_code == 400
    assert json.loads(await response.get_data())["code"] == "bad_parameter"
    assert not house.session.asked


@pytest.mark.parametrize("action", sorted(AUDIT_ACTIONS))
async def test_every_action_can_be_asked_for(client: Any, house: House, action: str) -> None:
    house.session.table = {ListAudit: Page((), None)}
    response = await client.get(f"/audit?action={action}", headers=house.bearer)
    assert response.status_code == 200


def test_every_name_that_is_written_is_one_that_can_be_asked_for() -> None:
    assert set(TYPES) <= AUDIT_ACTIONS
    rooms = Path(persistence.__path__[0])
    written = [found for path in rooms.rglob("*.py") for found in names_written(path)]
    assert len(written) > 20
    for kind, name in written:
        assert name in (AUDIT_ENTITIES if kind == "entity_type" else AUDIT_ACTIONS), name


def names_written(path: Path) -> Iterator[tuple[str, str]]:
    """What a module hands to an AuditEntry, or to an `_audit` of its own, as constants."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        if called == "AuditEntry":
            for keyword in node.keywords:
                if keyword.arg in {"action", "entity_type"}:
                    yield from ((keyword.arg, text) for text in constants(keyword.value))
        elif called == "_audit":
            given = [one.value for one in node.args if isinstance(one, ast.Constant)]
            texts = [one for one in given if isinstance(one, str)]
            yield from zip(("action", "entity_type"), texts, strict=False)


def constants(value: ast.expr) -> Iterator[str]:
    """The texts that an expression may be, but parts of texts."""
    if isinstance(value, ast.IfExp):
        yield from constants(value.body)
        yield from constants(value.orelse)
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value

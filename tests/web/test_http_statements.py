"""Payoffs and statements over HTTP: the day, the media type, and cells that carry nothing out."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.loan.lifecycle import LoanMove
from domain.queries import ReadPayoff, ReadSchedule, ReadStatement
from domain.rejections import LoanRefusal, Rejected
from domain.reports.charges import ChargeStand
from domain.schedule.state import Tranche
from domain.terms.choices import ChargeKind
from tests.web.standins import LOAN_ID, PAYMENT_ID, SCHEDULE, House
from tests.web.told_of_loans import PAYOFF, STATEMENT
from web.requests.accepting import preferred
from web.responses.csv_text import csv_text

PATH = f"/loans/{LOAN_ID}"
OFFERED = ("application/json", "text/csv")


async def told(response: Any) -> Any:
    return json.loads(await response.get_data())


async def test_a_payoff_is_asked_for_a_day(client: Any, house: House) -> None:
    house.session.table = {ReadPayoff: PAYOFF}
    response = await client.get(f"{PATH}/payoff?on=2026-12-24", headers=house.bearer)
    assert house.session.last == ReadPayoff(LOAN_ID, date(2026, 12, 24))
    payoff = await told(response)
    assert (payoff["principal"], payoff["interest"]) == ("1200.00", "10.05")
    assert payoff["amount"] == "1210.05"
    assert payoff["preclosure_interest"] == "TILL_PRE_CLOSE_DATE"


async def test_a_payoff_of_what_cannot_be_paid_names_event_and_state(
    client: Any, house: House
) -> None:
    facts = {"event": str(LoanMove.PAY), "state": "submitted"}
    house.session.table = {ReadPayoff: Rejected(LoanRefusal.WRONG_STATE, "not out", facts=facts)}
    response = await client.get(f"{PATH}/payoff", headers=house.bearer)
    assert response.status_code == 409
    problem = await told(response)
    assert (problem["event"], problem["state"]) == ("pay", "submitted")


async def test_a_statement_is_json_unless_csv_is_asked_for(client: Any, house: House) -> None:
    house.session.table = {ReadStatement: STATEMENT}
    response = await client.get(
        f"{PATH}/statement?from=2026-11-01&to=2026-11-24", headers=house.bearer
    )
    assert house.session.last == ReadStatement(LOAN_ID, date(2026, 11, 1), date(2026, 11, 24))
    assert response.headers["Vary"] == "Accept"
    statement = await told(response)
    assert (statement["opening_balance"], statement["closing_balance"]) == ("1250.00", "1151.65")
    assert statement["lines"][1]["allocation"]["principal"] == "98.35"
    assert statement["lines"][0]["allocation"] is None


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/statement?format=csv", None),
        ("/statement?format=csv", "application/json"),
        ("/statement", "text/csv"),
        ("/statement", "application/json;q=0.5, text/csv"),
        ("/statement.csv", "application/json"),
    ],
)
async def test_a_statement_as_csv(client: Any, house: House, path: str, accept: str | None) -> None:
    house.session.table = {ReadStatement: STATEMENT}
    headers = house.bearer if accept is None else {**house.bearer, "Accept": accept}
    response = await client.get(f"{PATH}{path}", headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    raw = (await response.get_data()).decode()
    assert raw.count("\r\n") == raw.count("\n")
    opening, interest, payment, closing = csv.DictReader(io.StringIO(raw))
    assert (opening["entry"], opening["balance"]) == ("opening_balance", "1250.00")
    assert (interest["debit"], interest["credit"]) == ("13.02", "")
    assert payment["reference"] == str(PAYMENT_ID)
    assert payment["note"] == "'=HYPERLINK(1)"
    assert (payment["credit"], payment["principal"]) == ("111.37", "98.35")
    assert (closing["entry"], closing["balance"]) == ("closing_balance", "1151.65")


@pytest.mark.parametrize(
    "query",
    [
        "statement?format=pdf",
        "statement?from=2026-11-02&to=2026-11-01",
        "statement?to=2026-11-25",
        "statement?from=2027-01-01",
        "statement?from=soon",
        "statement.csv?format=csv",
        "payoff?on=0001-01-01",
        "payoff?on=9999-12-31",
        "payoff?on=2026-02-29",
        "schedule?as_of=9999-12-31",
    ],
)
async def test_a_day_or_form_that_cannot_be_is_400(client: Any, house: House, query: str) -> None:
    response = await client.get(f"{PATH}/{query}", headers=house.bearer)
    assert response.status_code == 400
    assert not house.session.asked


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/csv"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=0.4, */*;q=0.5", "application/json"),
        ("TEXT/CSV ; Q=1.0", "text/csv"),
        ("text/csv;q=nan, application/json;q=0.1", "application/json"),
        ("image/png", "application/json"),
    ],
)
def test_the_better_liked_media_type_is_given(accept: str | None, answer: str) -> None:
    assert preferred(accept, OFFERED) == answer


@given(st.text(max_size=40))
def test_no_cell_is_a_formula_and_none_is_lost(text: str) -> None:
    written = csv_text(("note",), [{"note": text}])
    rows = list(csv.reader(io.StringIO(written, newline="")))
    cell = rows[1][0] if rows[1] else ""
    assert cell in {text, f"'{text}"}
    assert not cell.lstrip(" ").startswith(("=", "+", "@", "\t"))
    if cell.lstrip(" ").startswith("-"):
        float(cell)


def test_amounts_below_nothing_stay_numbers() -> None:
    assert csv_text(("balance",), [{"balance": "-12.50"}]) == "balance\r\n-12.50\r\n"


async def test_charges_are_those_of_the_schedule_on_a_day(client: Any, house: House) -> None:
    charged = ChargeStand(None, ChargeKind.FEE, date(2026, 12, 1), None, 1_800, 1_800)
    waived = ChargeStand(None, ChargeKind.PENALTY, date(2026, 12, 2), 1, 900, 300, 200)
    house.session.table = {ReadSchedule: replace(SCHEDULE, charges=(charged, waived))}
    response = await client.get(f"{PATH}/charges?as_of=2026-12-24", headers=house.bearer)
    assert house.session.last == ReadSchedule(LOAN_ID, date(2026, 12, 24))
    answer = await told(response)
    assert [(one["kind"], one["instalment"], one["outstanding"]) for one in answer["charges"]] == [
        ("fee", None, "0.00"),
        ("penalty", 1, "4.00"),
    ]
    assert answer["totals"] == {
        "amount": "27.00",
        "paid": "21.00",
        "waived": "2.00",
        "outstanding": "4.00",
    }


async def test_a_schedule_shows_what_went_out_before_it(client: Any, house: House) -> None:
    out = (Tranche(date(2026, 11, 1), 120_000, 1_800),)
    house.session.table = {ReadSchedule: replace(SCHEDULE, disbursements=out)}
    answer = await told(await client.get(f"{PATH}/schedule", headers=house.bearer))
    assert answer["disbursements"] == [
        {
            "date": "2026-11-01",
            "amount": "1200.00",
            "fees_withheld": "18.00",
            "net_amount": "1182.00",
        }
    ]

"""What is kept wrong is found field by field and put right from the events; facts stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.identifiers import LoanId
from domain.terms.choices import RecalculationRest
from server.jobs.rebuild import rebuild
from tests.persistence.store.office import TERMS, Office, view_of

pytestmark = pytest.mark.store

LIVING = replace(TERMS, recalculation_rest=RecalculationRest.DAILY)


async def told(office: Office, *, only_check: bool) -> tuple[int, list[str]]:
    said: list[str] = []
    code = await rebuild(office.store, ZoneInfo("UTC"), said.append, only_check=only_check)
    return code, said


async def a_loan(office: Office) -> tuple[LoanId, Any]:
    """A loan with two payments, one of them noted and one reversed."""
    loan = await office.loan(terms=LIVING)
    office.today += timedelta(days=40)
    first = view_of(await office.pay(loan.id, "100.00"))
    second = view_of(await office.pay(loan.id, "30.00"))
    view_of(await office.annotate(first.id, "a note"))
    view_of(await office.reverse(loan.id, second.id))
    return loan.id, first


DAMAGE = {
    "UPDATE loans SET outstanding_fees_minor = 7 WHERE id = $1": "loan: outstanding_fees_minor",
    "UPDATE loans SET status = 'closed' WHERE id = $1": "loan: status",
    "UPDATE loans SET book = NULL WHERE id = $1": "loan: book",
    "UPDATE loans SET book = jsonb_set(book, '{movements,0,1}', '1') WHERE id = $1": (
        "loan: book.movements"
    ),
    "UPDATE instalments SET principal_minor = principal_minor + 1"
    " WHERE loan_id = $1 AND number = 2": "instalment 2: principal_minor",
    "DELETE FROM instalments WHERE loan_id = $1 AND number = 3": "instalment 3: row",
    "INSERT INTO instalments SELECT loan_id, 77, from_date, due_date, days, 0, 0, 0, 0, 0, 0, 0, 0,"
    " 0, 0, 0, 0 FROM instalments WHERE loan_id = $1 AND number = 1": "instalment 77: row",
    "UPDATE payment_projections SET allocated_interest_minor = 3, allocated_excess_minor = 1"
    " WHERE payment_id IN (SELECT id FROM payments WHERE loan_id = $1)": "allocated_excess_minor",
    "UPDATE payment_projections SET note = 'forged'"
    " WHERE payment_id IN (SELECT id FROM payments WHERE loan_id = $1)": "note: kept forged",
    "DELETE FROM payment_projections"
    " WHERE payment_id IN (SELECT id FROM payments WHERE loan_id = $1)": "row: kept no row",
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_named_and_repaired(office: Office, damage: str) -> None:
    loan_id, _ = await a_loan(office)
    assert (await office.store.rebuild.prove(loan_id)).differences == ()
    audited = await office.count("audit WHERE action = 'loan_rebuilt'")
    await office.sql(damage, loan_id)
    code, said = await told(office, only_check=True)
    assert code == 1
    assert any(DAMAGE[damage] in line for line in said), said
    assert "nothing was changed" in said[-1]
    assert (await office.store.rebuild.prove(loan_id)).differences != ()
    code, said = await told(office, only_check=False)
    assert (code, any(DAMAGE[damage] in line for line in said)) == (0, True)
    assert (await office.store.rebuild.prove(loan_id)).differences == ()
    assert await office.count("audit WHERE action = 'loan_rebuilt'") == audited + 1
    code, said = await told(office, only_check=True)
    assert (code, len(said)) == (0, 1)
    assert "all that is kept follows from their events" in said[0]
    office.today += timedelta(days=1)
    view_of(await office.pay(loan_id, "1.00"))


async def test_figures_of_the_dashboard_are_proved_and_repaired(office: Office) -> None:
    await a_loan(office)
    await office.sql("DELETE FROM tally_deltas WHERE kind IN ('payments', 'users')")
    code, said = await told(office, only_check=True)
    assert code == 1
    assert any(line.startswith("dashboard payments") for line in said)
    assert (await told(office, only_check=False))[0] == 0
    assert (await told(office, only_check=True))[0] == 0


# What an earlier release posted: a reversal counted on the day on which it was entered.
AS_BEFORE = (
    "ALTER TABLE journal_transactions DISABLE TRIGGER ALL",
    "UPDATE journal_transactions SET value_date = posted_on",
    "ALTER TABLE journal_transactions ENABLE TRIGGER ALL",
)


async def test_entries_that_count_on_another_day_are_named_and_set_right_by_further_ones(
    office: Office,
) -> None:
    """U2: books of an earlier release are listed by day, and the differences are posted."""
    loan = await office.loan()
    day = office.today = office.today + timedelta(days=40)
    first = view_of(await office.pay(loan.id, "100.00"))
    office.today += timedelta(days=20)
    view_of(await office.reverse(loan.id, first.id))
    for statement in AS_BEFORE:
        await office.sql(statement)
    entries = "journal_transactions WHERE loan_id = $1"
    kept, posted = await office.count(entries, loan.id), first.allocated_principal_minor
    assert posted
    code, said = await told(office, only_check=True)
    assert code == 1
    number = (await office.read(loan.id)).number
    for on, was, is_now in ((day, -posted, 0), (office.today, posted, 0)):
        figures = f"kept {was}, by the events {is_now}"
        assert f"{number} journal {on}: loans_receivable: {figures}" in said
    assert await office.count(entries, loan.id) == kept
    code, said = await told(office, only_check=False)
    assert (code, await office.count(entries, loan.id)) == (0, kept + 2)
    rows = await office.sql(
        "SELECT value_date, posted_on > value_date AS is_later FROM journal_transactions"
        " WHERE loan_id = $1 AND memo = 'correction' ORDER BY value_date",
        loan.id,
    )
    assert [(row["value_date"], row["is_later"]) for row in rows] == [
        (day, True),
        (office.today, True),
    ]
    assert (await told(office, only_check=True))[0] == 0


async def test_a_fact_that_differs_is_told_and_left_alone(office: Office) -> None:
    loan_id, first = await a_loan(office)
    await office.sql("ALTER TABLE payments DISABLE TRIGGER payments_are_facts")
    try:
        await office.sql("UPDATE payments SET amount_minor = 1 WHERE id = $1", first.id)
        code, said = await told(office, only_check=False)
        assert code == 1
        assert any("amount_minor (a fact): kept 1, by the events 10000" in line for line in said)
        assert "which never change" in said[-1]
        assert await office.count("payments WHERE id = $1 AND amount_minor = 1", first.id) == 1
        await office.sql("UPDATE payments SET amount_minor = 10000 WHERE id = $1", first.id)
    finally:
        await office.sql("ALTER TABLE payments ENABLE TRIGGER payments_are_facts")
    assert (await office.store.rebuild.prove(loan_id)).differences == ()

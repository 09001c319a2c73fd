"""What the database refuses whoever asks: a fault of the program cannot break the books."""

from __future__ import annotations

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from domain.commands.products import CreateProduct
from domain.identifiers import ProductId
from domain.reports.views import LoanView
from domain.terms.product import ProductLimits
from persistence.postgres.transaction import transaction
from persistence.tables import FACTS
from tests.persistence.store.office import TERMS, Office

pytestmark = pytest.mark.store

ENTRY = """INSERT INTO journal_transactions
    SELECT id, $2, loan_id, NULL, NULL, 'disbursement', 'EUR', value_date, at
      FROM loan_events WHERE id = $1"""
LINE = "INSERT INTO journal_lines VALUES ($1, $2, $3, 'cash', $4, $5)"
TWO_LINES = LINE + ", ($1, $2, $6, 'loans_receivable', $7, $8)"


async def refused(office: Office, kind: type[Exception], *statements: tuple[object, ...]) -> str:
    """Run statements in one transaction that must not succeed; what the database says."""

    async def run() -> None:
        pool = office.store.connections.pool
        async with transaction(pool) as tx:
            for text, *values in statements:
                await tx._connection.execute(text, *values)

    with pytest.raises(kind) as failure:
        await office.store.connections.run(run)
    return str(failure.value)


async def a_fact_in_each_table(office: Office) -> LoanView:
    await office.store.products.create(
        CreateProduct(ProductId(uuid7()), "Small loan", TERMS, ProductLimits()), office.context()
    )
    loan = await office.loan()
    paid = (await office.pay(loan.id, "5.00")).view
    await office.annotate(paid.id, "a note")
    await office.comment(loan.id, "a comment")
    await office.reverse(loan.id, paid.id)
    return loan


async def test_facts_are_never_updated_deleted_or_emptied(office: Office) -> None:
    await a_fact_in_each_table(office)
    names = [table.name for table in FACTS]
    assert {"payments", "journal_lines", "audit"} <= set(names)
    for table in FACTS:
        assert await office.count(table.name) > 0, table.name
        column = table.columns.values()[-1].name
        for text in (
            f"UPDATE {table.name} SET {column} = {column}",
            f"DELETE FROM {table.name}",
            f"TRUNCATE {table.name} CASCADE",
        ):
            said = await refused(office, asyncpg.RestrictViolationError, (text,))
            assert "are facts" in said, text


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "0 lines"),
        ([(1, "debit", 5)], "1 lines"),
        ([(1, "debit", 5), (2, "credit", 4)], "difference 1"),
        ([(1, "debit", 5), (2, "debit", 5)], "difference 10"),
    ],
)
async def test_an_entry_that_does_not_balance_is_refused(
    office: Office, lines: list[tuple[int, str, int]], why: str
) -> None:
    loan = await office.loan()
    event = (await office.sql("SELECT id FROM loan_events WHERE loan_id = $1", loan.id))[0]["id"]
    statements: list[tuple[object, ...]] = [(ENTRY, event, 7)]
    if len(lines) == 1:
        statements.append((LINE, event, 7, *lines[0]))
    elif lines:
        statements.append((TWO_LINES, event, 7, *lines[0], *lines[1]))
    assert why in await refused(office, asyncpg.CheckViolationError, *statements)
    assert await office.count("journal_transactions WHERE event_id = $1", event) == 0


async def test_nothing_can_be_added_to_an_entry_that_balances(office: Office) -> None:
    loan = await office.loan()
    entry = (
        await office.sql("SELECT event_id FROM journal_transactions WHERE loan_id = $1", loan.id)
    )[0]
    late = (LINE, entry["event_id"], 0, 9, "debit", 1)
    assert "3 lines" in await refused(office, asyncpg.CheckViolationError, late)


async def test_amounts_are_above_nothing_and_numbers_are_numbers(office: Office) -> None:
    loan = await office.loan()
    event = (await office.sql("SELECT id FROM loan_events WHERE loan_id = $1", loan.id))[0]["id"]
    zero = (TWO_LINES, event, 7, 1, "debit", 0, 2, "credit", 0)
    await refused(office, asyncpg.CheckViolationError, (ENTRY, event, 7), zero)
    payment = (
        "INSERT INTO payments VALUES ($1, $2, 0, 'EUR', '2026-01-01', NULL, NULL, $1, now())",
        uuid7(),
        loan.id,
    )
    await refused(office, asyncpg.CheckViolationError, payment)
    for text in (
        "UPDATE loans SET annual_rate_percent = 'NaN' WHERE id = $1",
        "UPDATE loans SET annual_rate_percent = 'Infinity' WHERE id = $1",
        "UPDATE loans SET outstanding_principal_minor = -1 WHERE id = $1",
        "UPDATE loans SET outstanding_principal_minor = disbursed_minor + 1 WHERE id = $1",
        "UPDATE loans SET status = 'lost' WHERE id = $1",
        "UPDATE instalments SET paid_principal_minor = principal_minor + 1 WHERE loan_id = $1",
    ):
        await refused(office, asyncpg.CheckViolationError, (text, loan.id))


async def test_one_disbursement_a_tranche_and_one_reversal_a_payment(office: Office) -> None:
    loan = await a_fact_in_each_table(office)
    again = (
        """INSERT INTO disbursements SELECT $1, loan_id, tranche, amount_minor, currency,
             value_date, (SELECT id FROM loan_events WHERE loan_id = $2 AND version = 1), at
           FROM disbursements WHERE loan_id = $2""",
        uuid7(),
        loan.id,
    )
    assert "uq_disbursements_loan_id_tranche" in await refused(
        office, asyncpg.UniqueViolationError, again
    )
    twice = (
        """INSERT INTO payment_reversals SELECT payment_id,
             (SELECT id FROM loan_events WHERE loan_id = $1 AND version = 1), at, by
           FROM payment_reversals WHERE payment_id IN
             (SELECT id FROM payments WHERE loan_id = $1)""",
        loan.id,
    )
    assert "pk_payment_reversals" in await refused(office, asyncpg.UniqueViolationError, twice)


async def test_nothing_that_others_stand_on_is_taken_away(office: Office) -> None:
    loan = await office.loan()
    for text in (
        f"DELETE FROM loans WHERE id = '{loan.id}'",
        f"DELETE FROM users WHERE id = '{loan.customer_id}'",
        f"DELETE FROM branches WHERE id = '{loan.branch_id}'",
    ):
        # PostgreSQL 18 says restrict_violation where older ones say foreign_key_violation.
        await refused(office, asyncpg.IntegrityConstraintViolationError, (text,))


async def test_an_email_is_one_users_in_any_case(office: Office) -> None:
    user = await office.user()
    shouted = (
        """INSERT INTO users SELECT $1, upper(email), full_name, role, branch_id, is_active,
             version, sync_status, created_at, updated_at, password_hash
           FROM users WHERE id = $2""",
        uuid7(),
        user.id,
    )
    assert "uq_users_email" in await refused(office, asyncpg.UniqueViolationError, shouted)

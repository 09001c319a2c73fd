"""Recoveries as rows: listed among the payments, counted with them, undone as they are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from uuid_utils.compat import uuid7

from domain.commands.workouts import RecordRecovery, WriteOffLoan
from domain.decisions import closing
from domain.identifiers import LoanId, PaymentId
from domain.loan.decision import Committed
from domain.loan.payment import PaymentType
from domain.queries import ListPayments, PageRequest
from domain.rejections import IdempotencyRefusal, PaymentRefusal, Rejected
from persistence.commit.dashboard_counters import PAYMENTS
from persistence.store import Store
from server.jobs.rebuild import rebuild
from tests.persistence.store.office import EVERYTHING, Office, view_of

pytestmark = pytest.mark.store


async def written_off(office: Office) -> LoanId:
    loan = await office.loan()
    view_of(await office.pay(loan.id, "20.00"))
    command = WriteOffLoan(loan.id, "gone")
    view_of(
        await office.change(
            loan.id, lambda it, context, known: closing.write_off(it, command, context, known)
        )
    )
    return loan.id


async def recover(office: Office, loan_id: LoanId, made: PaymentId, amount: str = "55.00") -> Any:
    command = RecordRecovery(made, loan_id, Decimal(amount), None, "cash", "bailiff")
    context = office.context()
    return await office.store.loan_book.change_loan(
        loan_id,
        lambda it, known: closing.recover(it, command, context, known),
        context,
        made_id=made,
    )


async def listed(office: Office, loan_id: LoanId, kind: PaymentType | None = None) -> list[Any]:
    query = ListPayments(PageRequest(), loan_id, None, kind)
    return list((await office.store.readings.payments(query, EVERYTHING)).items)


async def counted(office: Office, loan_id: LoanId) -> int:
    """How many payments the dashboard counts in the branch of the loan."""
    (row,) = await office.sql(
        "SELECT coalesce(sum(t.rows), 0) AS many FROM"
        " (SELECT * FROM tallies UNION ALL SELECT * FROM tally_deltas) AS t"
        " JOIN loans AS l ON l.branch_id = t.branch_id WHERE l.id = $1 AND t.kind = $2",
        loan_id,
        PAYMENTS,
    )
    return int(row["many"])


async def test_a_recovery_is_listed_undone_and_proved(office: Office) -> None:
    loan_id, made = await written_off(office), PaymentId(uuid7())
    before = await counted(office, loan_id)
    view_of(await recover(office, loan_id, made))
    assert await counted(office, loan_id) == before + 1
    (one,) = await listed(office, loan_id, PaymentType.RECOVERY)
    assert (one.id, one.type, one.status, one.amount_minor) == (made, "recovery", "posted", 5_500)
    assert (one.reference, one.allocated_principal_minor) == ("bailiff", 0)
    assert {row.type for row in await listed(office, loan_id)} == {"payment", "recovery"}
    (other,) = await listed(office, loan_id, PaymentType.PAYMENT)
    assert other.type == "payment"

    noted = view_of(await office.annotate(made, "entered by mistake"))
    undone = view_of(await office.reverse(loan_id, made))
    assert (undone.status, undone.note, undone.version) == (
        "reversed",
        noted.note,
        noted.version + 1,
    )
    assert await counted(office, loan_id) == before
    again = await office.reverse(loan_id, made)
    assert isinstance(again, Rejected)
    assert again.reason is PaymentRefusal.ALREADY_REVERSED
    (audited,) = await office.sql(
        "SELECT * FROM audit WHERE entity_id = $1 AND action = 'payment_reversed'", made
    )
    assert (audited["entity_type"], audited["actor_id"]) == ("payment", office.clerk.user_id)
    proof = await office.store.rebuild.prove(loan_id)
    assert proof.differences == ()
    assert await office.store.rebuild.figures() == ()


async def test_one_id_makes_one_thing(office: Office) -> None:
    loan_id, made = await written_off(office), PaymentId(uuid7())
    view_of(await recover(office, loan_id, made))
    repeated = await recover(office, loan_id, made)
    assert isinstance(repeated, Committed)
    assert repeated.replayed
    as_payment = await office.pay(loan_id, "55.00", payment_id=made)
    assert isinstance(as_payment, Rejected)
    (paid,) = await listed(office, loan_id, PaymentType.PAYMENT)
    as_recovery = await recover(office, loan_id, paid.id)
    assert isinstance(as_recovery, Rejected)
    assert as_recovery.reason is IdempotencyRefusal.ID_TAKEN
    assert len(await listed(office, loan_id)) == 2


async def test_a_repair_makes_what_is_kept_of_a_recovery_anew(office: Office) -> None:
    loan_id, made = await written_off(office), PaymentId(uuid7())
    view_of(await recover(office, loan_id, made))
    await office.sql("DELETE FROM payment_projections WHERE payment_id = $1", made)
    code = await rebuild(office.store, ZoneInfo("UTC"), lambda _: None, only_check=False)
    assert (code, (await office.store.rebuild.prove(loan_id)).differences) == (0, ())


# What an older program left: recoveries that are events and journal entries alone.
AS_BEFORE = """
    ALTER TABLE payments DISABLE TRIGGER ALL;
    INSERT INTO tally_deltas
    SELECT 'payments', l.branch_id, p.currency, '', p.value_date, -1, -p.amount_minor, 0
      FROM payments AS p JOIN loans AS l ON l.id = p.loan_id WHERE p.type = 'recovery';
    DELETE FROM payment_projections
     WHERE payment_id IN (SELECT id FROM payments WHERE type = 'recovery');
    DELETE FROM payments WHERE type = 'recovery';
    ALTER TABLE payments DROP COLUMN type;
    ALTER TABLE payment_projections DROP COLUMN reversal_reason;
    ALTER TABLE loans DROP COLUMN dues_to_come;
    DROP TABLE upkeep;
    DROP TABLE wrong_tries;
    ALTER TABLE feed_head DROP COLUMN system_identifier, DROP COLUMN timeline,
        DROP COLUMN database_oid, DROP COLUMN table_oid;
    ALTER TABLE users DROP COLUMN access_number, DROP COLUMN made_by,
        DROP COLUMN password_set_by, DROP COLUMN password_set_at,
        DROP COLUMN must_change_password;
    DROP TRIGGER users_raise_access_number ON users;
    DROP FUNCTION raise_access_number();
    ALTER TABLE journal_transactions DROP COLUMN posted_on;
    ALTER TABLE payments ENABLE TRIGGER ALL;
    UPDATE alembic_version SET version_num = '0008'
"""


async def test_recoveries_from_before_get_their_rows(fresh_dsn: str) -> None:
    store = Store(fresh_dsn)
    await store.start()
    office = Office(store)
    loan_id, made = await written_off(office), PaymentId(uuid7())
    view_of(await recover(office, loan_id, made))
    for statement in AS_BEFORE.split(";"):
        await office.sql(statement)
    await store.stop()
    store = Store(fresh_dsn)
    await store.start()
    office = Office(store)
    (one,) = await listed(office, loan_id, PaymentType.RECOVERY)
    assert (one.id, one.amount_minor, one.status) == (made, 5_500, "posted")
    assert (await store.rebuild.prove(loan_id)).differences == ()
    assert await store.rebuild.figures() == ()
    await store.stop()

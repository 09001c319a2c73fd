"""C3, G5: loans whose figures an earlier engine kept are listed, set right, and stay so.

The faults of release b8d3a4d are put back for as long as it writes, in the places that were mended.
What it kept of these loans was looked up there, and is written down here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from uuid_utils.compat import uuid7

from domain.commands.loans import DisburseLoan
from domain.decisions.tranches import disburse_further
from domain.identifiers import DisbursementId, LoanId
from domain.schedule.working import Position
from domain.terms.choices import InstalmentFormula, InstalmentFrom, RecalculationRest, RowKind
from domain.terms.terms import DaysInMonth, DaysInYear, InterestCalcPeriod
from server.jobs.rebuild import rebuild
from tests.persistence.store.office import TERMS, Office, view_of

pytestmark = pytest.mark.store

EARLY = replace(
    TERMS,
    principal_minor=1_000_000,
    instalments=36,
    instalment_formula=InstalmentFormula.PROGRESSIVE,
    interest_calc_period=InterestCalcPeriod.DAILY,
    days_in_month=DaysInMonth.THIRTY,
    days_in_year=DaysInYear.D360,
    recalculation_rest=RecalculationRest.DAILY,
)
IN_PARTS = replace(
    TERMS,
    principal_minor=1_000_000,
    tranches_max=3,
    instalment_from=InstalmentFrom.APPROVED_AMOUNT,
    recalculation_rest=RecalculationRest.SAME_AS_REPAYMENT_PERIOD,
)

# The interest of each row as b8d3a4d kept it.
KEPT_EARLY = [10_000, *[0] * 34, 143_723]
KEPT_IN_PARTS = [5_000, 5_166, 6_651]


def progressive_of_before(
    position: Position, index: int, calculated: int, limit: int, *, is_past: bool
) -> None:
    """A row that early money has filled leaves its interest to the last one."""
    row = position.rows[index]
    if is_past or row.paid_principal > row.emi - calculated:
        row.interest = row.paid_interest
    else:
        row.interest = max(calculated, row.paid_interest)
    row.carried = max(0, calculated - row.interest)
    left = 0 if is_past else min(max(0, row.emi - row.interest), limit)
    row.principal = max(row.paid_principal, 0 if row.kind is RowKind.BROKEN_PERIOD else left)


@contextmanager
def engine_of_before() -> Iterator[None]:
    with (
        mock.patch("domain.schedule.recalculation._progressive", progressive_of_before),
        mock.patch("domain.schedule.recalculation.plain_from", return_value=-1),
        mock.patch("domain.schedule.restructuring._whole_again", return_value=[]),
    ):
        yield


async def paid_early(office: Office) -> LoanId:
    """The first instalment on its day, then five at once, and one later."""
    loan = await office.loan(terms=EARLY)
    office.today += timedelta(days=31)
    view_of(await office.pay(loan.id, "332.14"))
    view_of(await office.pay(loan.id, "1660.70"))
    office.today += timedelta(days=200)
    view_of(await office.pay(loan.id, "400.00"))
    return loan.id


async def paid_out_in_parts(office: Office) -> LoanId:
    """A half, and the other after two months, when the first would be paid back in three."""
    opened = view_of(await office.application(await office.user(), IN_PARTS))
    view_of(await office.approve(opened.id))
    view_of(await office.disburse(opened.id, amount=Decimal(5000)))
    office.today += timedelta(days=60)
    order = DisburseLoan(opened.id, DisbursementId(uuid7()), Decimal(5000), None)
    context = office.context()
    view_of(
        await office.store.loan_book.change_loan(
            opened.id,
            lambda loan, known: disburse_further(loan, order, context, known),
            context,
            made_id=order.disbursement_id,
        )
    )
    return opened.id


async def told(office: Office, *, only_check: bool) -> tuple[int, list[str]]:
    said: list[str] = []
    code = await rebuild(office.store, ZoneInfo("UTC"), said.append, only_check=only_check)
    return code, said


FACTS = (
    "SELECT * FROM loan_events WHERE loan_id = $1 ORDER BY 1",
    "SELECT * FROM payments WHERE loan_id = $1 ORDER BY 1",
    "SELECT * FROM disbursements WHERE loan_id = $1 ORDER BY 1",
    "SELECT * FROM journal_transactions WHERE loan_id = $1 AND memo <> 'correction' ORDER BY 1",
)


async def facts(office: Office, loan_id: LoanId) -> list[object]:
    return [[tuple(row) for row in await office.sql(one, loan_id)] for one in FACTS]


async def interest(office: Office, loan_id: LoanId) -> list[int]:
    rows = await office.sql(
        "SELECT interest_minor FROM instalments WHERE loan_id = $1 ORDER BY number", loan_id
    )
    return [row["interest_minor"] for row in rows]


async def test_a_loan_paid_early_that_the_release_before_kept_is_listed_and_set_right(
    office: Office,
) -> None:
    with engine_of_before():
        loan_id = await paid_early(office)
    kept = await interest(office, loan_id)
    stood = await facts(office, loan_id)
    assert kept == KEPT_EARLY
    code, said = await told(office, only_check=True)
    assert code == 1
    number = (await office.read(loan_id)).number
    code, _ = await told(office, only_check=False)
    assert code == 0
    rebuilt = await interest(office, loan_id)
    for row, (was, is_now) in enumerate(zip(kept, rebuilt, strict=True), start=1):
        line = f"{number} instalment {row}: interest_minor: kept {was}, by the events {is_now}"
        assert (line in said) is (was != is_now)
    assert sum(rebuilt[:-1]) > sum(kept[:-1])
    assert f"{number} journal {office.today}: " in " ".join(said)
    posted = await office.sql(
        "SELECT value_date FROM journal_transactions WHERE loan_id = $1 AND memo = 'correction'",
        loan_id,
    )
    assert [row["value_date"] for row in posted] == [office.today]
    assert await facts(office, loan_id) == stood
    assert (await told(office, only_check=True))[0] == 0


async def test_a_loan_cut_off_by_the_release_before_gets_its_rows_back(office: Office) -> None:
    with engine_of_before():
        loan_id = await paid_out_in_parts(office)
    assert await interest(office, loan_id) == KEPT_IN_PARTS
    stood = await facts(office, loan_id)
    code, said = await told(office, only_check=True)
    number = (await office.read(loan_id)).number
    assert code == 1
    assert f"{number} instalment 6: row: kept no row, by the events a row" in said
    assert (await told(office, only_check=False))[0] == 0
    assert len(await interest(office, loan_id)) == 6
    assert await facts(office, loan_id) == stood
    assert (await told(office, only_check=True))[0] == 0

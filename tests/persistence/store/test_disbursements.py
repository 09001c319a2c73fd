"""Disbursements on PostgreSQL: money goes out once, however often it is asked for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from uuid_utils.compat import uuid7

from domain.commands.loans import DisburseLoan
from domain.decisions import origination
from domain.identifiers import DisbursementId, PaymentId
from domain.loan.decision import Committed
from domain.rejections import (
    AccessRefusal,
    IdempotencyRefusal,
    LoanRefusal,
    Rejected,
)
from tests.persistence.store.office import EVERYTHING, Office, at_once, reasons, view_of

pytestmark = pytest.mark.store


async def test_money_goes_out_once(office: Office) -> None:
    opened = view_of(await office.application(await office.user()))
    view_of(await office.approve(opened.id))
    outcomes = await at_once(20, lambda _: office.disburse(opened.id))
    assert reasons(outcomes) == [LoanRefusal.WRONG_STATE] * 19
    assert await office.count("disbursements WHERE loan_id = $1", opened.id) == 1
    assert await office.count("journal_transactions WHERE loan_id = $1", opened.id) == 1


async def test_a_disbursement_that_is_asked_for_again_is_a_replay(office: Office) -> None:
    opened = view_of(await office.application(await office.user()))
    view_of(await office.approve(opened.id))
    mine = DisbursementId(uuid7())
    first = view_of(await office.disburse(opened.id, mine))
    again = await office.disburse(opened.id, mine)
    assert (again.replayed, again.view) == (True, first)
    other = view_of(await office.application(await office.user()))
    view_of(await office.approve(other.id))
    assert reasons([await office.disburse(other.id, mine)]) == [IdempotencyRefusal.ID_TAKEN]
    assert (await office.store.readings.loan(other.id, EVERYTHING)).status == "approved"


async def test_the_next_day_it_is_still_the_same_request(office: Office) -> None:
    opened = view_of(await office.application(await office.user()))
    view_of(await office.approve(opened.id))
    mine, paid = DisbursementId(uuid7()), PaymentId(uuid7())
    view_of(await office.disburse(opened.id, mine))
    first = view_of(await office.pay(opened.id, "7.00", payment_id=paid))
    office.today += timedelta(days=1)
    again = await office.disburse(opened.id, mine)
    assert isinstance(again, Committed)
    assert again.replayed
    assert view_of(await office.pay(opened.id, "7.00", payment_id=paid)) == first
    before = office.today - timedelta(days=2)
    earlier = await office.pay(opened.id, "7.00", payment_id=paid, on=before)
    assert isinstance(earlier, Rejected)


async def test_a_repeated_disbursement_tells_nothing_to_whoever_may_not_see_it(
    office: Office,
) -> None:
    opened = view_of(await office.application(await office.user()))
    view_of(await office.approve(opened.id))
    mine = DisbursementId(uuid7())
    view_of(await office.disburse(opened.id, mine))
    hidden = Rejected(AccessRefusal.NOT_FOUND, "There is no such loan.")
    asked = await office.store.loan_book.change_loan(
        opened.id, lambda *_: hidden, office.context(), made_id=mine
    )
    assert asked == hidden


async def test_a_repeated_disbursement_of_another_sum_is_another_one(office: Office) -> None:
    opened = view_of(await office.application(await office.user()))
    view_of(await office.approve(opened.id))
    mine = DisbursementId(uuid7())
    view_of(await office.disburse(opened.id, mine))
    context = office.context()
    command = DisburseLoan(opened.id, mine, Decimal("1.00"), None)
    asked = await office.store.loan_book.change_loan(
        opened.id,
        lambda loan, _: origination.disburse(loan, command, context),
        context,
        made_id=mine,
    )
    assert reasons([asked]) == [LoanRefusal.WRONG_STATE]

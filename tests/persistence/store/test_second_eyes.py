"""V3 and V10: a second pair of eyes is another person's, not another account's.

Everything is asked of the real desk on a real store, as it is by whoever holds two accounts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from actors.messages.user_session import RequestContext
from actors.session.commands import CommandDesk
from domain.access.account import Account
from domain.access.roles import Role
from domain.commands import loans
from domain.commands.workouts import PayOff, RefundCredit
from domain.identifiers import DisbursementId, LoanId, PaymentId, SessionId, UserId
from domain.loan.decision import Committed
from domain.rejections import LoanRefusal, Rejected
from persistence.store import Store
from tests.persistence.store.desk_scenes import LATER, LateClock, desk_on
from tests.persistence.store.office import EVERYTHING, TERMS, Office, view_of

pytestmark = pytest.mark.store

CHOSEN = "walnut-harbour-17"
MONTH = timedelta(days=30)


@dataclass
class Till:
    """People whom nobody of them made, and one desk for all."""

    office: Office
    desk: CommandDesk
    clock: LateClock
    manager: Account
    officer: Account
    customer: Account
    loan_id: LoanId = field(default_factory=lambda: LoanId(uuid7()))

    async def ask(self, who: Account, command: loans.LendingCommand) -> Any:
        access = await self.office.store.accounts.access(who.id)
        assert access is not None
        request = RequestContext(SessionId(UUID(int=1)), "a-request", "192.0.2.1")
        return await self.desk.carry_out(access.account, request, command)

    async def do(self, who: Account, command: loans.LendingCommand) -> Any:
        return view_of(await self.ask(who, command))

    async def puppet(self, maker: Account, role: Role = Role.OFFICER) -> Account:
        user_id = UserId(uuid7())
        command = loans.CreateUser(user_id, f"{user_id}@x.org", CHOSEN, "A Puppet", role, None)
        made: Account = await self.do(maker, command)
        return made

    async def choose(self, who: Account) -> None:
        kept = await self.office.store.accounts.password_hash(who.id)
        assert kept is not None
        current = kept.removeprefix("hash of ")
        await self.do(who, loans.ChangePassword(who.id, current, f"{CHOSEN}-{uuid7()}"))

    async def apply(self, who: Account) -> None:
        command = loans.SubmitLoan(self.loan_id, self.customer.id, None, None, TERMS, None)
        await self.do(who, command)

    def amend(self) -> loans.LendingCommand:
        return loans.AmendLoan(self.loan_id, 1, replace(TERMS, instalments=9), None)

    def approve(self) -> loans.LendingCommand:
        return loans.ApproveLoan(self.loan_id, None)

    def disburse(self) -> loans.LendingCommand:
        return loans.DisburseLoan(self.loan_id, DisbursementId(uuid7()), None, None)

    def pay(self, amount: str) -> loans.RecordPayment:
        made = PaymentId(uuid7())
        return loans.RecordPayment(made, self.loan_id, Decimal(amount), None, None, None, None)

    async def paid_out(self) -> None:
        await self.apply(self.officer)
        await self.do(self.manager, self.approve())
        await self.do(self.officer, self.disburse())


@pytest.fixture
async def till(office: Office, store: Store) -> Till:
    clock = LateClock()
    desk = replace(desk_on(store, four_eyes=True), clock=clock)
    manager = await office.user(Role.MANAGER)
    return Till(office, desk, clock, manager, await office.user(Role.OFFICER), await office.user())


def refused(outcome: Any, until: str | None = None) -> None:
    assert isinstance(outcome, Rejected), outcome
    assert outcome.reason is LoanRefusal.SAME_PERSON
    if until is not None:
        assert outcome.facts["until"] == until
        assert until in outcome.detail


async def test_whoever_approved_does_not_pay_out_by_an_account_that_they_made(till: Till) -> None:
    """V3: the smallest reproduction of found.md, and what stays possible."""
    await till.apply(till.officer)
    await till.do(till.manager, till.approve())
    puppet = await till.puppet(till.manager)
    outcome = await till.ask(puppet, till.disburse())
    refused(outcome, f"{LATER + MONTH:%Y-%m-%dT%H:%M:%SZ}")
    assert outcome.facts["user_id"] == str(till.manager.id)
    await till.do(till.officer, till.disburse())


async def test_nor_the_other_way_round(till: Till) -> None:
    """V3: a puppet approves, and its maker pays out."""
    administrator = await till.office.user(Role.ADMIN)
    puppet = await till.puppet(administrator, Role.MANAGER)
    await till.apply(till.officer)
    await till.do(puppet, till.approve())
    refused(await till.ask(administrator, till.disburse()))


async def test_whoever_approves_has_no_hand_in_who_applied_or_amended(till: Till) -> None:
    """V3: be it a colleague or a customer."""
    puppet = await till.puppet(till.manager)
    await till.apply(puppet)
    refused(await till.ask(till.manager, till.approve()))
    till.loan_id = LoanId(uuid7())
    await till.apply(till.officer)
    await till.do(puppet, till.amend())
    refused(await till.ask(till.manager, till.approve()))
    till.loan_id = LoanId(uuid7())
    till.customer = await till.puppet(till.manager, Role.CUSTOMER)
    await till.apply(till.customer)
    refused(await till.ask(till.manager, till.approve()))
    await till.do(await till.office.user(Role.MANAGER), till.approve())


async def test_setting_the_password_of_another_ties_as_making_them_does(till: Till) -> None:
    """V3: an officer who was there already is no second person once their password is known."""
    await till.apply(till.officer)
    await till.do(till.manager, till.approve())
    colleague = await till.office.user(Role.OFFICER)
    await till.do(till.manager, loans.ChangePassword(colleague.id, None, CHOSEN))
    refused(await till.ask(colleague, till.disburse()))


async def test_it_takes_both_a_password_of_ones_own_and_a_month(till: Till) -> None:
    """V3: neither alone; and a password that is set again begins anew."""
    puppet = await till.puppet(till.manager)
    await till.apply(till.officer)
    await till.do(till.manager, till.approve())
    await till.choose(puppet)
    refused(await till.ask(puppet, till.disburse()))
    till.clock.at = LATER + MONTH - timedelta(seconds=1)
    refused(await till.ask(puppet, till.disburse()))
    await till.do(till.manager, loans.ChangePassword(puppet.id, None, CHOSEN))
    till.clock.at = LATER + 3 * MONTH
    refused(await till.ask(puppet, till.disburse()))
    await till.choose(puppet)
    await till.do(puppet, till.disburse())


async def test_two_whom_one_administrator_made_are_two(till: Till) -> None:
    """V3: only the direct tie counts, and accounts from before have none."""
    administrator = await till.office.user(Role.ADMIN)
    manager = await till.puppet(administrator, Role.MANAGER)
    officer = await till.puppet(administrator)
    await till.apply(officer)
    await till.do(manager, till.approve())
    await till.do(officer, till.disburse())


async def test_no_one_refunds_what_they_recorded_themselves(till: Till) -> None:
    """V10: the phantom payment of found.md, by the officer and by an account that they made."""
    await till.paid_out()
    await till.do(till.officer, till.pay("9000.00"))
    refused(await till.ask(till.officer, RefundCredit(till.loan_id, None)))
    refused(await till.ask(till.officer, RefundCredit(till.loan_id, Decimal("1.00"))))
    await till.do(till.manager, loans.ChangePassword(till.officer.id, None, CHOSEN))
    refused(await till.ask(till.manager, RefundCredit(till.loan_id, None)))
    other = await till.office.user(Role.OFFICER)
    assert isinstance(await till.ask(other, RefundCredit(till.loan_id, None)), Committed)


async def test_a_payment_by_an_earlier_date_is_still_the_latest_money(till: Till) -> None:
    """V10: a phantom does not hide behind true payments by its value date."""
    await till.paid_out()
    honest = await till.office.user(Role.OFFICER)
    till.clock.at = LATER + MONTH
    await till.do(honest, till.pay("700.00"))
    phantom = replace(till.pay("1250.00"), value_date=LATER.date())
    await till.do(till.officer, phantom)
    refused(await till.ask(till.officer, RefundCredit(till.loan_id, None)))
    assert isinstance(await till.ask(honest, RefundCredit(till.loan_id, None)), Committed)


async def test_who_recorded_only_what_was_used_or_never_counted_may_refund(till: Till) -> None:
    """V10: latest money first; neither what was reversed nor what waits in suspense is in it."""
    await till.paid_out()
    other, third = [await till.office.user(Role.OFFICER) for _ in range(2)]
    await till.do(till.officer, till.pay("600.00"))
    mistake = till.pay("20.00")
    await till.do(third, mistake)
    await till.do(other, loans.ReversePayment(mistake.payment_id, till.loan_id))
    all_left = PayOff(PaymentId(uuid7()), till.loan_id, Decimal("1000.00"), None, None, None)
    await till.do(other, all_left)
    await till.do(third, replace(till.pay("9.00"), already_received=True))
    refused(await till.ask(other, RefundCredit(till.loan_id, None)))
    await till.do(till.officer, RefundCredit(till.loan_id, Decimal("1.00")))
    await till.do(third, RefundCredit(till.loan_id, Decimal("1.00")))


async def test_a_reversal_is_anothers_where_the_lender_says_so(till: Till) -> None:
    """U8: off unless it is asked for; then by nobody who recorded it, nor by a tied account."""
    await till.paid_out()
    mistake = till.pay("20.00")
    await till.do(till.officer, mistake)
    undo = loans.ReversePayment(mistake.payment_id, till.loan_id, "typed twice")
    till.desk = replace(till.desk, four_eyes_reversals=True)
    refused(await till.ask(till.officer, undo))
    puppet = await till.puppet(till.manager)
    other = till.pay("30.00")
    await till.do(puppet, other)
    refused(await till.ask(till.manager, replace(undo, payment_id=other.payment_id)))
    undone = await till.do(till.manager, undo)
    assert (undone.status, undone.reversal_reason) == ("reversed", "typed twice")
    till.desk = replace(till.desk, four_eyes_reversals=False)
    plain = await till.do(puppet, loans.ReversePayment(other.payment_id, till.loan_id))
    assert (plain.status, plain.reversal_reason) == ("reversed", None)


async def test_the_reason_of_a_reversal_is_kept_in_event_trail_and_payment(till: Till) -> None:
    """U8: and a rebuild finds it where it is kept."""
    await till.paid_out()
    mistake = till.pay("20.00")
    await till.do(till.officer, mistake)
    undo = loans.ReversePayment(mistake.payment_id, till.loan_id, "typed twice")
    await till.do(till.officer, undo)
    (event,) = await till.office.sql(
        "SELECT data ->> 'reason' AS reason FROM loan_events"
        " WHERE loan_id = $1 AND type = 'payment_reversed'",
        till.loan_id,
    )
    (line,) = await till.office.sql(
        "SELECT after -> 'event' ->> 'reason' AS reason FROM audit"
        " WHERE entity_id = $1 AND action = 'payment_reversed'",
        mistake.payment_id,
    )
    read = await till.office.store.readings.payment(mistake.payment_id, EVERYTHING)
    assert event["reason"] == line["reason"] == read.reversal_reason == "typed twice"

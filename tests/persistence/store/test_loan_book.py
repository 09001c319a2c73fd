"""The loan book on PostgreSQL: everything once, whatever is repeated, retried or done at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import trio
from uuid_utils.compat import uuid7

from domain.access.roles import Principal, Role
from domain.commands.loans import AmendLoan, RejectLoan, SubmitLoan
from domain.decisions import origination
from domain.identifiers import BranchId, CommentId, LoanId, PaymentId, UserId
from domain.loan.decision import Committed
from domain.outages import DeadlinePassed
from domain.queries import ListComments, ListPayments, PageRequest
from domain.rejections import (
    AccessRefusal,
    IdempotencyRefusal,
    LoanRefusal,
    PaymentRefusal,
    Rejected,
    UserRefusal,
    VersionRefusal,
)
from domain.reports.views import LoanView
from persistence.commit.write_plan import LostRow
from persistence.loans.write_decision import plan_decision
from persistence.postgres.dial import PoolLimits
from persistence.postgres.transaction import transaction
from persistence.store import Store, StoreOptions
from tests.persistence.store.office import EVERYTHING, TERMS, Office, at_once, reasons, view_of

pytestmark = pytest.mark.store


async def test_an_answer_is_what_is_read_afterwards(office: Office) -> None:
    readings = office.store.readings
    opened = view_of(await office.application(await office.user()))
    assert opened.number.startswith("L-")
    assert opened == await office.read(opened.id)
    approved = view_of(await office.approve(opened.id))
    assert approved == await office.read(opened.id)
    lent = view_of(await office.disburse(opened.id))
    assert lent == await office.read(opened.id)
    paid = view_of(await office.pay(opened.id, "250.10"))
    assert paid == await readings.payment(paid.id, EVERYTHING)
    noted = view_of(await office.annotate(paid.id, "brought by his son"))
    assert noted == await readings.payment(paid.id, EVERYTHING)
    undone = view_of(await office.reverse(opened.id, paid.id))
    assert (undone.status, undone.note) == ("reversed", "brought by his son")
    assert undone == await readings.payment(paid.id, EVERYTHING)
    assert (await readings.loan(opened.id, EVERYTHING)).version == 5


async def test_fifty_equal_payments_under_one_key_are_one(office: Office) -> None:
    loan = await office.loan()
    contexts = [office.context("one key") for _ in range(50)]
    outcomes = await at_once(50, lambda n: office.pay(loan.id, "10.00", context=contexts[n]))
    views = {outcome.view for outcome in outcomes}
    assert len(views) == 1
    assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * 49
    assert await office.count("payments WHERE loan_id = $1", loan.id) == 1


async def test_a_key_is_for_one_request_of_one_user(office: Office) -> None:
    loan = await office.loan()
    view_of(await office.pay(loan.id, "10.00", context=office.context("k", b"a")))
    other = await office.pay(loan.id, "11.00", context=office.context("k", b"b"))
    assert reasons([other]) == [IdempotencyRefusal.KEY_REUSED]
    somebody = Principal(UserId(uuid7()), Role.ADMIN, None)
    theirs = await office.pay(
        loan.id, "10.00", context=office.context("k", b"b", principal=somebody)
    )
    assert not theirs.replayed
    assert await office.count("payments WHERE loan_id = $1", loan.id) == 2


async def test_a_refusal_does_not_use_up_the_key(office: Office) -> None:
    loan = await office.loan()
    refused = await office.pay(loan.id, "0.00", context=office.context("k2"))
    assert reasons([refused]) == [PaymentRefusal.BAD_AMOUNT]
    taken = await office.pay(loan.id, "5.00", context=office.context("k2"))
    assert not taken.replayed


async def test_the_last_instalment_is_paid_once_under_different_keys(office: Office) -> None:
    loan = await office.loan()
    owed = Decimal(loan.outstanding_principal_minor + loan.outstanding_interest_minor) / 100
    outcomes = await at_once(
        10, lambda n: office.pay(loan.id, str(owed), context=office.context(f"last {n}"))
    )
    assert reasons(outcomes) == [LoanRefusal.WRONG_STATE] * 9
    after = await office.store.readings.loan(loan.id, EVERYTHING)
    assert (after.status, after.credit_minor) == ("closed", 0)


async def test_a_payment_that_is_made_again_is_the_one_that_was_made(office: Office) -> None:
    loan, other = await office.loan(), await office.loan()
    owed = Decimal(loan.outstanding_principal_minor + loan.outstanding_interest_minor) / 100
    mine = PaymentId(uuid7())
    first = await office.pay(loan.id, str(owed), payment_id=mine)
    again = await office.pay(loan.id, str(owed), payment_id=mine)
    assert (again.replayed, again.view) == (True, first.view)
    more = await office.pay(loan.id, str(owed + 1), payment_id=mine)
    earlier = await office.pay(
        loan.id, str(owed), payment_id=mine, on=office.today - timedelta(days=0)
    )
    assert earlier.replayed
    elsewhere = await office.pay(other.id, str(owed), payment_id=mine)
    assert reasons([more, elsewhere]) == [IdempotencyRefusal.ID_TAKEN] * 2
    undone = view_of(await office.reverse(loan.id, mine))
    assert undone.status == "reversed"
    after = await office.pay(loan.id, str(owed), payment_id=mine)
    assert (after.replayed, after.view.status) == (True, "reversed")
    twice = await office.reverse(loan.id, mine)
    assert reasons([twice]) == [PaymentRefusal.ALREADY_REVERSED]


async def test_twenty_clerks_paying_under_one_id_pay_once(office: Office) -> None:
    loan = await office.loan()
    mine = PaymentId(uuid7())
    outcomes = await at_once(20, lambda _: office.pay(loan.id, "7.00", payment_id=mine))
    assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * 19
    loans = [await office.loan() for _ in range(6)]
    shared = PaymentId(uuid7())
    outcomes = await at_once(6, lambda n: office.pay(loans[n].id, "7.00", payment_id=shared))
    assert reasons(outcomes) == [IdempotencyRefusal.ID_TAKEN] * 5


async def test_an_application_at_a_branch_that_is_none_is_refused(office: Office) -> None:
    customer = await office.user()
    context = office.context()
    command = SubmitLoan(LoanId(uuid7()), customer.id, None, None, TERMS, None)
    outcome = await office.store.loan_book.open_loan(
        customer.id,
        lambda number, *_: origination.submit(
            command, number, context, branch_id=BranchId(uuid7())
        ),
        context,
    )
    assert reasons([outcome]) == [UserRefusal.UNKNOWN_BRANCH]


async def test_an_application_under_an_id_that_is_taken(office: Office) -> None:
    customer = await office.user()
    mine = LoanId(uuid7())
    first = view_of(await office.application(customer, TERMS, mine))
    again = await office.application(customer, TERMS, mine)
    assert (again.replayed, again.view) == (True, first)
    other = await office.application(customer, replace(TERMS, principal_minor=1), mine)
    assert reasons([other]) == [IdempotencyRefusal.ID_TAKEN]


async def test_a_change_of_what_has_moved_on_is_refused_and_the_row_guards_itself(
    office: Office,
) -> None:
    opened = view_of(await office.application(await office.user()))
    context = office.context()
    command = AmendLoan(opened.id, 1, replace(TERMS, instalments=9), "a barn")

    async def amend() -> Committed[LoanView] | Rejected:
        return await office.store.loan_book.change_loan(
            opened.id,
            lambda loan, history: origination.amend(loan, command, context, history),
            context,
        )

    amended = view_of(await amend())
    assert (amended.instalments, amended.purpose) == (9, "a barn")
    assert amended == await office.read(opened.id)
    assert reasons([await amend()]) == [VersionRefusal.STALE]

    stood = await office.store.readings.loan_state(opened.id, EVERYTHING)
    assert stood is not None
    stale = replace(stood, version=stood.version + 1)  # not what is in the row
    decision = origination.reject(stale, RejectLoan(opened.id, "no"), office.context())

    async def write_anyway() -> None:
        async with transaction(office.store.connections.pool) as tx:
            await plan_decision(stale, decision, context).carry_out(tx)

    with pytest.raises(LostRow):
        await office.store.connections.run(write_anyway)
    assert await office.count("loan_events WHERE loan_id = $1", opened.id) == 2


async def test_a_loan_that_is_not_there_is_not_found(office: Office) -> None:
    nowhere = LoanId(uuid7())
    paid = await office.pay(nowhere, "1.00", context=office.context("k3"))
    said = await office.comment(nowhere, "hello?")
    noted = await office.annotate(PaymentId(uuid7()), "hm")
    missing = [await office.approve(nowhere), paid, said, noted]
    assert reasons(missing) == [AccessRefusal.NOT_FOUND] * 4


async def test_a_twin_that_is_still_running_is_told_so_and_a_busy_loan_is_not_a_twin(
    store_dsn: str, office: Office
) -> None:
    hasty = Store(store_dsn, "", StoreOptions(limits=PoolLimits(lock_s=0.1)))
    await hasty.start()
    loan = await office.loan()
    impatient = Office(hasty)
    impatient.clerk = office.clerk
    held, release = trio.Event(), trio.Event()

    async def hold(sql: str, *values: object) -> None:
        pool = office.store.connections.pool
        connection = await office.store.connections.run(pool.dial)
        run = office.store.connections.run
        await run(connection.execute, "BEGIN")
        await run(connection.execute, sql, *values)
        held.set()
        await release.wait()
        await run(connection.execute, "ROLLBACK")
        await run(connection.close)

    claim = "INSERT INTO idempotency_keys VALUES ($1, 'POST', '/payments/', 'k4', $2, now())"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold, claim, office.clerk.user_id, b"\0" * 32)
        await held.wait()
        twin = await impatient.pay(loan.id, "1.00", context=impatient.context("k4"))
        assert reasons([twin]) == [IdempotencyRefusal.STILL_RUNNING]
        assert twin.facts["retry_after_s"] == 1
        release.set()
    held, release = trio.Event(), trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold, "SELECT FROM loans WHERE id = $1 FOR UPDATE", loan.id)
        await held.wait()
        with pytest.raises(DeadlinePassed):
            await impatient.pay(loan.id, "1.00", context=impatient.context("k5"))
        release.set()
    later = await impatient.pay(loan.id, "1.00", context=impatient.context("k5"))
    assert not later.replayed
    await hasty.stop()


async def test_comments_and_notes_stand_beside_and_are_said_once(office: Office) -> None:
    loan = await office.loan()
    mine = CommentId(uuid7())
    said = view_of(await office.comment(loan.id, "he is late", mine))
    again = await office.comment(loan.id, "he is late", mine)
    assert (again.replayed, again.view) == (True, said)
    other = await office.comment(loan.id, "he is early", mine)
    assert reasons([other]) == [IdempotencyRefusal.ID_TAKEN]
    page = await office.store.readings.comments(
        ListComments(loan.id, PageRequest(with_total=True)), EVERYTHING
    )
    assert (page.items, page.total) == ((said,), 1)

    paid = view_of(await office.pay(loan.id, "5.00"))
    noted = view_of(await office.annotate(paid.id, "in coins", paid.version))
    assert (noted.note, noted.method, noted.version) == ("in coins", "cash", 2)
    stale = await office.annotate(paid.id, "in notes", paid.version)
    assert reasons([stale]) == [VersionRefusal.STALE]
    assert stale.facts["version"] == 2
    listed = await office.store.readings.payments(ListPayments(PageRequest(), loan.id), EVERYTHING)
    assert listed.items == (noted,)


async def test_two_loans_in_either_order_do_not_deadlock(office: Office) -> None:
    loans = [await office.loan() for _ in range(3)]
    outcomes = await at_once(
        30, lambda n: office.pay(loans[n % 3].id, "1.00", context=office.context(f"x{n}"))
    )
    assert reasons(outcomes) == []
    for loan in loans:
        after = await office.store.readings.loan(loan.id, EVERYTHING)
        assert after.version == 13

"""A manager of an office on a real store, and everything that they may ask for, each made ready.

The desk works on the account that the scene holds, which may be out of date: so does a session
actor that has not heard of a change yet.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from actors.messages.user_session import RequestContext
from actors.session.commands import CommandDesk
from actors.session.probing import Probing
from actors.session.products import ProductsDesk
from actors.session.users import UserDesk
from actors.sign_in_throttle import SignInThrottle, WrongTries
from domain.access.account import Account
from domain.access.roles import Role
from domain.commands import loans as ask
from domain.commands import workouts as work
from domain.identifiers import (
    ChargeId,
    CommentId,
    DisbursementId,
    LoanId,
    PaymentId,
    SessionId,
    UserId,
)
from domain.terms.choices import ChargeBase, ChargeKind
from domain.terms.terms import Frequency, FrequencyUnit
from persistence.store import Store
from tests.persistence.store.office import TERMS, Office, nobody_objects, view_of
from tests.persistence.store.sign_ins import sign_in, update

LATER = datetime(2026, 5, 10, 9, tzinfo=UTC)
Prepared = Callable[["Scene"], Awaitable[ask.LendingCommand]]


@dataclass
class LateClock:
    """Two instalments after the office opened, unless it is set."""

    at: datetime = LATER

    def now(self) -> datetime:
        return self.at

    def today(self) -> date:
        return self.at.date()


class NewIds:
    def new_id(self) -> UUID:
        return uuid7()


class QuickPasswords:
    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def verify(self, password_hash: str | None, password: str) -> bool:
        return password_hash == f"hash of {password}"

    def is_outdated(self, password_hash: str) -> bool:
        return False


@dataclass
class Scene:
    """A manager, on whose authority everything is asked for, and a loan of his branch."""

    office: Office
    desk: CommandDesk
    manager: Account
    session_id: SessionId
    customer: Account
    loan_id: LoanId

    async def carry_out(self, command: ask.LendingCommand, who: Account | None = None) -> Any:
        request = RequestContext(self.session_id, "a-request", "192.0.2.1")
        return await self.desk.carry_out(who or self.manager, request, command)

    async def change(self, **changes: object) -> None:
        """Change what the manager may do; the scene goes on with the account as it was."""
        accounts = self.office.store.accounts
        access = await accounts.access(self.manager.id)
        assert access is not None
        view_of(
            await accounts.update_user(
                update(access.account, **changes), nobody_objects, self.office.context()
            )
        )

    async def written(self) -> tuple[object, ...]:
        """How much there is of all that a command may write."""
        counted = [
            await self.office.count(table)
            for table in ("loans", "loan_events", "payments", "comments", "users", "products")
        ]
        notes = await self.office.sql("SELECT sum(version) FROM payment_projections")
        people = await self.office.sql(
            "SELECT sum(version) FROM users WHERE id <> $1", self.manager.id
        )
        return *counted, notes[0][0], people[0][0]


def desk_on(store: Store, *, four_eyes: bool = False) -> CommandDesk:
    return CommandDesk(
        loan_book=store.loan_book,
        accounts=store.accounts,
        announcements=store.announcements,
        users=UserDesk(store.accounts, QuickPasswords(), SignInThrottle(store.wrong_tries)),
        products=ProductsDesk(store.products),
        probing=Probing(store.accounts, store.readings, WrongTries()),
        clock=LateClock(),
        identities=NewIds(),
        four_eyes=four_eyes,
    )


async def a_scene(office: Office, store: Store) -> Scene:
    manager = await office.user(Role.MANAGER)
    ticket = await sign_in(office, manager)
    customer = await office.user()
    opened = view_of(await office.application(customer, replace(TERMS, tranches_max=2)))
    return Scene(office, desk_on(store), manager, ticket.session_id, customer, opened.id)


async def approved(scene: Scene) -> None:
    view_of(await scene.office.approve(scene.loan_id))


async def paid_out(scene: Scene, amount: str = "1200.00") -> None:
    await approved(scene)
    view_of(await scene.office.disburse(scene.loan_id, amount=Decimal(amount)))


async def paid(scene: Scene, amount: str = "50.00") -> PaymentId:
    await paid_out(scene)
    return PaymentId(view_of(await scene.office.pay(scene.loan_id, amount)).id)


async def done(scene: Scene, command: ask.LendingCommand) -> Any:
    return view_of(await scene.carry_out(command))


async def submitting(scene: Scene) -> ask.LendingCommand:
    return ask.SubmitLoan(LoanId(uuid7()), scene.customer.id, None, None, TERMS, None)


async def amending(scene: Scene) -> ask.LendingCommand:
    return ask.AmendLoan(scene.loan_id, 1, replace(TERMS, instalments=9), "a calf")


async def approving(scene: Scene) -> ask.LendingCommand:
    return ask.ApproveLoan(scene.loan_id, None)


async def rejecting(scene: Scene) -> ask.LendingCommand:
    return ask.RejectLoan(scene.loan_id, "no")


async def withdrawing(scene: Scene) -> ask.LendingCommand:
    return ask.WithdrawLoan(scene.loan_id, None)


async def undoing_approval(scene: Scene) -> ask.LendingCommand:
    await approved(scene)
    return work.UndoApproval(scene.loan_id)


async def disbursing(scene: Scene) -> ask.LendingCommand:
    await approved(scene)
    return ask.DisburseLoan(scene.loan_id, DisbursementId(uuid7()), None, None)


async def disbursing_further(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene, "500.00")
    return ask.DisburseLoan(scene.loan_id, DisbursementId(uuid7()), None, None)


async def undoing_disbursal(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene)
    return work.UndoDisbursal(scene.loan_id, None)


async def paying(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene)
    return ask.RecordPayment(
        PaymentId(uuid7()), scene.loan_id, Decimal("5.00"), None, None, None, None
    )


async def paying_off(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene)
    return work.PayOff(PaymentId(uuid7()), scene.loan_id, None, None, None, None)


async def reversing(scene: Scene) -> ask.LendingCommand:
    return ask.ReversePayment(await paid(scene), scene.loan_id)


async def applying(scene: Scene) -> ask.LendingCommand:
    """Money that came in before the loan was paid out."""
    await approved(scene)
    money = ask.RecordPayment(
        PaymentId(uuid7()),
        scene.loan_id,
        Decimal("5.00"),
        None,
        scene.office.today,
        None,
        None,
        already_received=True,
    )
    await done(scene, money)
    view_of(await scene.office.disburse(scene.loan_id))
    return ask.ApplySuspense(money.payment_id, scene.loan_id)


async def charging(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene)
    return work.AddCharge(
        ChargeId(uuid7()), scene.loan_id, ChargeKind.FEE, Decimal("7.00"), LATER.date()
    )


async def waiving_a_charge(scene: Scene) -> ask.LendingCommand:
    charge = await charging(scene)
    assert isinstance(charge, work.AddCharge)
    await done(scene, charge)
    return work.WaiveCharge(scene.loan_id, charge.charge_id)


async def waiving_interest(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene)
    return work.WaiveInterest(scene.loan_id, Decimal("1.00"))


async def charging_what_is_overdue(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene)
    return work.ChargeOverdue(scene.loan_id, Decimal(1), ChargeBase.PRINCIPAL, None)


async def changing_the_rate(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene)
    return work.ChangeRate(scene.loan_id, LATER.date(), Decimal(3))


async def rescheduling(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene)
    return work.RescheduleLoan(scene.loan_id, date(2026, 6, 2), Decimal(3))


async def reamortizing(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene)
    return work.ReamortizeLoan(scene.loan_id)


async def re_aging(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene)
    monthly = Frequency(1, FrequencyUnit.MONTHS)
    return work.ReAgeLoan(scene.loan_id, date(2026, 6, 2), monthly, 12)


async def writing_off(scene: Scene) -> ask.LendingCommand:
    await paid_out(scene)
    return work.WriteOffLoan(scene.loan_id, "gone")


async def undoing_write_off(scene: Scene) -> ask.LendingCommand:
    await done(scene, await writing_off(scene))
    return work.UndoWriteOff(scene.loan_id)


async def recovering(scene: Scene) -> ask.LendingCommand:
    await done(scene, await writing_off(scene))
    return work.RecordRecovery(PaymentId(uuid7()), scene.loan_id, Decimal("5.00"), None, None, None)


async def refunding(scene: Scene) -> ask.LendingCommand:
    await paid(scene, "9000.00")
    return work.RefundCredit(scene.loan_id, None)


async def annotating(scene: Scene) -> ask.LendingCommand:
    return ask.AnnotatePayment(await paid(scene), None, None, None, "in coins")


async def commenting(scene: Scene) -> ask.LendingCommand:
    return ask.AddComment(CommentId(uuid7()), scene.loan_id, "all is well")


async def making_a_user(scene: Scene) -> ask.LendingCommand:
    return ask.CreateUser(
        UserId(uuid7()), f"{uuid7()}@x.org", "kestrel-lantern-42", "Bea", Role.OFFICER, None
    )


async def changing_a_user(scene: Scene) -> ask.LendingCommand:
    return update(scene.customer, full_name="Cy")


async def switching_off_a_user(scene: Scene) -> ask.LendingCommand:
    return ask.DeactivateUser(scene.customer.id, 1)


async def setting_a_password(scene: Scene) -> ask.LendingCommand:
    return ask.ChangePassword(scene.customer.id, None, "kestrel-lantern-42")


ALL: tuple[Prepared, ...] = (
    submitting,
    amending,
    approving,
    rejecting,
    withdrawing,
    undoing_approval,
    disbursing,
    disbursing_further,
    undoing_disbursal,
    paying,
    paying_off,
    reversing,
    applying,
    charging,
    waiving_a_charge,
    waiving_interest,
    charging_what_is_overdue,
    changing_the_rate,
    rescheduling,
    reamortizing,
    re_aging,
    writing_off,
    undoing_write_off,
    recovering,
    refunding,
    annotating,
    commenting,
    making_a_user,
    changing_a_user,
    switching_off_a_user,
    setting_a_password,
)

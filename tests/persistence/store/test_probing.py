"""Who asks by taking names whether something is there that they may not see, asks slowly."""

from __future__ import annotations

import pytest
from uuid_utils.compat import uuid7

from actors.messages.user_session import CarriedOut, RequestContext
from actors.sign_in_throttle import WRONG_TRIES_MAX
from domain.access.account import Account
from domain.access.roles import Role
from domain.commands.loans import CreateUser, LendingCommand, SubmitLoan
from domain.identifiers import LoanId, UserId
from domain.rejections import IdempotencyRefusal, Rejected, SignInRefusal, UserRefusal
from persistence.store import Store
from tests.persistence.store.desk_scenes import desk_on
from tests.persistence.store.office import TERMS, Office
from tests.persistence.store.sign_ins import sign_in

pytestmark = pytest.mark.store


class Asking:
    """An officer of one branch at the desk."""

    def __init__(self, store: Store, who: Account, session: RequestContext) -> None:
        self.desk, self.who, self.session = desk_on(store), who, session

    async def reason(self, command: LendingCommand) -> object:
        outcome: CarriedOut = await self.desk.carry_out(self.who, self.session, command)
        return outcome.reason if isinstance(outcome, Rejected) else None

    def customer(self, email: str) -> CreateUser:
        return CreateUser(
            UserId(uuid7()), email, "kestrel-lantern-42", "Ada", Role.CUSTOMER, self.who.branch_id
        )

    def loan(self, customer: Account, loan_id: LoanId) -> SubmitLoan:
        return SubmitLoan(loan_id, customer.id, None, None, TERMS, "another cow")


async def asking(store: Store, office: Office) -> Asking:
    officer = await office.user(Role.OFFICER, await office.branch())
    ticket = await sign_in(office, officer)
    return Asking(store, officer, RequestContext(ticket.session_id, "a-request", "192.0.2.1"))


async def test_an_email_of_another_branch_is_asked_for_a_few_times(
    store: Store, office: Office
) -> None:
    """V13: 409 email_taken tells that somebody is there; it counts as a wrong try."""
    ask, far = await asking(store, office), await office.user(Role.CUSTOMER, await office.branch())
    for _ in range(WRONG_TRIES_MAX):
        assert await ask.reason(ask.customer(far.email.upper())) is UserRefusal.EMAIL_TAKEN
    for email in (far.email, "somebody.new@x.org"):
        assert await ask.reason(ask.customer(email)) is SignInRefusal.TOO_MANY_ATTEMPTS
    another = await asking(store, office)
    assert await another.reason(another.customer(far.email)) is UserRefusal.EMAIL_TAKEN


async def test_an_identifier_of_another_branch_counts_and_one_in_sight_does_not(
    store: Store, office: Office
) -> None:
    """V13: 409 id_taken likewise; a client that repeats itself with its own is told each time."""
    ask = await asking(store, office)
    near = await office.user(Role.CUSTOMER, ask.who.branch_id)
    own = LoanId(uuid7())
    assert await ask.reason(ask.loan(near, own)) is None
    far = await office.loan(await office.user(Role.CUSTOMER, await office.branch()))
    other = await office.user(Role.CUSTOMER, ask.who.branch_id)
    for _ in range(WRONG_TRIES_MAX + 1):
        assert await ask.reason(ask.loan(other, own)) is IdempotencyRefusal.ID_TAKEN
        assert await ask.reason(ask.customer(near.email)) is UserRefusal.EMAIL_TAKEN
    for _ in range(WRONG_TRIES_MAX):
        assert await ask.reason(ask.loan(near, far.id)) is IdempotencyRefusal.ID_TAKEN
    assert await ask.reason(ask.loan(near, far.id)) is SignInRefusal.TOO_MANY_ATTEMPTS

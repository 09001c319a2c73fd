"""Making a user from the command line, by the same rules as over REST but on nobody's authority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from domain.access import users
from domain.access.account import Account
from domain.access.roles import Principal, Role
from domain.commands.loans import CommandContext, CreateUser
from domain.identifiers import EventId, UserId
from domain.loan.decision import Committed
from domain.rejections import Rejected
from gateways.identity_source import TimeOrderedIdentities
from gateways.system_clock import SystemClock
from persistence.store import Store
from server.failures import StartRefused
from server.waiting import within
from web.security.passwords import ArgonPasswords

ANSWER_LIMIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class NewUser:
    """What was given at the terminal."""

    email: str
    full_name: str
    role: str
    password: str


async def create_user(store: Store, user: NewUser, zone: ZoneInfo) -> Account:
    """Make the user. Raises StartRefused with what is wrong with him."""
    identities, clock = TimeOrderedIdentities(), SystemClock(zone)
    email = users.normal_email(user.email)
    checked = {
        "e-mail": users.check_email(user.email),
        "full name": users.check_full_name(user.full_name),
        "password": users.check_password(user.password, (email, email.partition("@")[0])),
    }
    wrong = [f"the {name} {fault.detail}" for name, faults in checked.items() for fault in faults]
    if wrong:
        raise StartRefused(f"Nothing was made: {'; '.join(wrong)}.")
    user_id = UserId(identities.new_id())
    role = Role(user.role)
    context = CommandContext(
        # The terminal of the machine is the highest authority; the audit names the user himself.
        principal=Principal(user_id, Role.ADMIN, None),
        at=clock.now(),
        today=clock.today(),
        event_id=EventId(identities.new_id()),
        request_id=str(identities.new_id()),
        address="terminal",
        four_eyes=False,
        idempotency=None,
    )
    command = CreateUser(user_id, email, user.password, user.full_name, role, None)
    password_hash = await ArgonPasswords().hash(user.password)
    with within(ANSWER_LIMIT_S):
        outcome = await store.accounts.create_user(command, password_hash, context)
    match outcome:
        case Rejected():
            raise StartRefused(outcome.detail)
        case Committed(view=account):
            return account

"""The user desk: who may make, change and switch off whom, and how a password is set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from actors.messages.user_session import CarriedOut
from actors.ports.stores import Accounts, Passwords
from actors.sign_in_throttle import SignInThrottle
from domain.access import users
from domain.access.account import Account
from domain.access.roles import Action, Principal, sight
from domain.commands.loans import (
    ChangePassword,
    CommandContext,
    CreateUser,
    DeactivateUser,
    UpdateUser,
)
from domain.identifiers import SessionId
from domain.rejections import (
    AccessRefusal,
    FieldFault,
    Rejected,
    UserRefusal,
    VersionRefusal,
)

UserCommand = CreateUser | UpdateUser | DeactivateUser | ChangePassword

_SAME_PASSWORD = FieldFault(
    "/new_password", "same_password", "must be another one than the current"
)
_NO_SUCH_USER = Rejected(AccessRefusal.NOT_FOUND, "There is no such user.")


@dataclass(frozen=True, slots=True)
class UserDesk:
    """Carries out what concerns accounts."""

    accounts: Accounts
    passwords: Passwords
    throttle: SignInThrottle

    async def carry_out(
        self,
        account: Account,
        session_id: SessionId,
        command: UserCommand,
        context: CommandContext,
    ) -> CarriedOut:
        """Carry out `command` of this sign-in of `account`. May raise an Outage."""
        match command:
            case CreateUser():
                return await self._create(command, context)
            case UpdateUser():
                faults = (
                    *(users.check_email(command.email) if command.email is not None else ()),
                    *(
                        users.check_full_name(command.full_name)
                        if command.full_name is not None
                        else ()
                    ),
                )
                if faults:
                    return _wrong(faults)
                if command.email is not None:
                    command = replace(command, email=users.normal_email(command.email))
                return await self.accounts.update_user(
                    command, _update_judge(context.principal, command), context
                )
            case DeactivateUser():
                update = UpdateUser(
                    user_id=command.user_id,
                    expected_version=command.expected_version,
                    email=None,
                    full_name=None,
                    role=None,
                    branch_id=None,
                    is_active=False,
                )
                return await self.accounts.update_user(
                    update, _update_judge(context.principal, update), context
                )
            case ChangePassword():
                return await self._change_password(account, session_id, command, context)
            case _:
                assert_never(command)

    async def _create(self, command: CreateUser, context: CommandContext) -> CarriedOut:
        principal = context.principal
        if not users.may_manage(principal, command.role, command.branch_id or principal.branch_id):
            fault = FieldFault(
                "/role", "role_not_grantable", f"may not be given by {principal.role}"
            )
            return Rejected(
                UserRefusal.ROLE_NOT_GRANTABLE,
                f"The role {principal.role} may not make a {command.role} there.",
                (fault,),
            )
        faults = (
            *users.check_email(command.email),
            *users.check_full_name(command.full_name),
            *users.check_password(command.password, _context_words(command.email)),
        )
        if faults:
            return _wrong(faults)
        command = replace(command, email=users.normal_email(command.email))
        password_hash = await self.passwords.hash(command.password)
        return await self.accounts.create_user(command, password_hash, context)

    async def _change_password(
        self,
        account: Account,
        session_id: SessionId,
        command: ChangePassword,
        context: CommandContext,
    ) -> CarriedOut:
        own = command.user_id == account.id
        if own:
            refused = await self._check_current(account, command.current, context.address)
            if refused is not None:
                return refused
            if command.new == command.current:
                # Whoever set it knows it still.
                return _wrong((_SAME_PASSWORD,))
            email = account.email
        else:
            reach = sight(context.principal, Action.MANAGE_USERS)
            other = None if reach is None else await self.accounts.user(command.user_id, reach)
            if other is None:
                return _NO_SUCH_USER
            email = other.email
        faults = users.check_password(command.new, _context_words(email), pointer="/new_password")
        if faults:
            return _wrong(faults)
        password_hash = await self.passwords.hash(command.new)
        judge = _nobody_objects if own else _manage_judge(context.principal)
        return await self.accounts.change_password(
            command.user_id,
            password_hash,
            judge,
            context,
            keep_session=session_id if own else None,
        )

    async def _check_current(
        self, account: Account, current: str | None, address: str
    ) -> Rejected | None:
        """Refuse whoever does not know the password; trying one counts as trying to sign in."""
        throttled = await self.throttle.refusal(account.email, address)
        if throttled is not None:
            return throttled
        known = await self.accounts.password_hash(account.id)
        if current is not None and await self.passwords.verify(known, current):
            self.throttle.forget(account.email, address)
            return None
        if current is not None:
            await self.throttle.add(account.email, address)
        fault = FieldFault("/current", "wrong_password", "is not the current password")
        return Rejected(UserRefusal.WRONG_PASSWORD, "The current password is wrong.", (fault,))


def _context_words(email: str) -> tuple[str, ...]:
    """What anybody would try first for this user."""
    return email, email.partition("@")[0]


def _wrong(faults: tuple[FieldFault, ...]) -> Rejected:
    """Refuse with every fault at once; the code says that it is the fields."""
    return Rejected(UserRefusal.INVALID_FIELDS, "Some fields are not acceptable.", faults)


def _nobody_objects(_: Account) -> Rejected | None:
    return None


def _manage_judge(principal: Principal) -> Callable[[Account], Rejected | None]:
    """Return what refuses a change of a user whom `principal` may not manage."""

    def judge(now: Account) -> Rejected | None:
        seen = sight(principal, Action.MANAGE_USERS) or sight(principal, Action.READ)
        if seen is None or not seen.covers(branch_id=now.branch_id, customer_id=now.id):
            return _NO_SUCH_USER
        if not users.may_manage(principal, now.role, now.branch_id):
            return Rejected(
                AccessRefusal.NOT_ALLOWED,
                f"The role {principal.role} may not change a {now.role}.",
            )
        return None

    return judge


def _update_judge(
    principal: Principal, command: UpdateUser
) -> Callable[[Account], Rejected | None]:
    """Return what decides: everybody may change his own name, others only whom they manage."""

    def judge(now: Account) -> Rejected | None:
        own = now.id == principal.user_id
        only_name = (command.email, command.role, command.branch_id, command.is_active) == (
            None,
            None,
            None,
            None,
        )
        if not (own and only_name):
            refusal = _manage_judge(principal)(now)
            if refusal is not None:
                return refusal
        if command.expected_version != now.version:
            return Rejected(
                VersionRefusal.STALE,
                f"The user is at version {now.version}, not {command.expected_version}. "
                "Read it again and repeat.",
                facts={"version": now.version},
            )
        if (command.role is not None or command.branch_id is not None) and not users.may_manage(
            principal, command.role or now.role, command.branch_id or now.branch_id
        ):
            fault = FieldFault(
                "/role", "role_not_grantable", f"may not be given by {principal.role}"
            )
            return Rejected(
                UserRefusal.ROLE_NOT_GRANTABLE,
                f"The role {principal.role} may not make a {command.role or now.role} there.",
                (fault,),
            )
        return None

    return judge

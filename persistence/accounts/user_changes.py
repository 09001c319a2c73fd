"""The bodies of making and changing users. What a change takes away is taken away at once.

Sessions end in the transaction of the change, and ACCESS_CHANGED tells every worker of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from domain.access.account import Account
from domain.access.roles import Role
from domain.access.users import normal_email, would_remove_last_administrator
from domain.commands.loans import CommandContext, CreateUser, UpdateUser
from domain.identifiers import BranchId, SessionId, UserId
from domain.loan.decision import Committed
from domain.rejections import AccessRefusal, FieldFault, Rejected, UserRefusal
from persistence.accounts import sql
from persistence.accounts.rows import account_of
from persistence.accounts.sign_in_changes import access_changed
from persistence.accounts.sql import ACCOUNT_PARTS, PASSWORD_COLUMNS
from persistence.commit import side_writes
from persistence.commit.dashboard_counters import user_deltas
from persistence.commit.idempotency import claim_or_answer
from persistence.commit.side_writes import AuditEntry
from persistence.commit.write_plan import WritePlan
from persistence.postgres.transaction import Transaction
from persistence.tables import SYNCED

AccountJudge = Callable[[Account], Rejected | None]

NO_SUCH_USER: Final = Rejected(AccessRefusal.NOT_FOUND, "There is no such user.")
EMAIL_TAKEN: Final = Rejected(
    UserRefusal.EMAIL_TAKEN,
    "Another user has this e-mail.",
    (FieldFault("/email", UserRefusal.EMAIL_TAKEN, "is taken"),),
)
UNKNOWN_BRANCH: Final = Rejected(
    UserRefusal.UNKNOWN_BRANCH,
    "There is no such branch.",
    (FieldFault("/branch_id", UserRefusal.UNKNOWN_BRANCH, "names no branch"),),
)


async def create_user(
    command: CreateUser, password_hash: str, context: CommandContext, tx: Transaction
) -> Committed[Account] | Rejected:
    """Make a user; without a branch he belongs to his creator's, or the node's."""
    answered = await claim_or_answer(tx, context.idempotency)
    if answered is not None:
        return answered
    branch_id = command.branch_id or context.principal.branch_id
    if branch_id is None:
        branch_id = BranchId(await tx.fetchval(sql.SELECT_DEFAULT_BRANCH))
    # At the terminal nobody is signed in: the user himself stands there as who asked.
    maker = None if context.principal.user_id == command.user_id else context.principal.user_id
    account = Account(
        id=command.user_id,
        email=normal_email(command.email),
        full_name=command.full_name,
        role=command.role,
        branch_id=branch_id,
        is_active=True,
        version=1,
        sync_status=SYNCED,
        created_at=context.at,
        updated_at=context.at,
        made_by=maker,
        password_set_by=maker,
        password_set_at=context.at,
        must_change_password=True,
    )
    plan = _plan_new(account, password_hash)
    side_writes.authored(plan, context)
    side_writes.audit(plan, _audit("user_created", context, None, account))
    side_writes.answer(plan, context, account)
    await plan.carry_out(tx)
    return Committed(account)


async def make_first_administrator(
    user_id: UserId,
    email: str,
    password_hash: str,
    at: datetime,
    must_change_password: bool,  # noqa: FBT001  the last of a partial's arguments
    tx: Transaction,
) -> bool:
    """Make an administrator of all when there is no user at all; whether that was so."""
    await tx.fetchval(sql.LOCK_ADMINISTRATORS)
    if await tx.fetchval(sql.SELECT_ANY_USER):
        return False
    account = Account(
        id=user_id,
        email=normal_email(email),
        full_name="Administrator",
        role=Role.ADMIN,
        branch_id=None,
        is_active=True,
        version=1,
        sync_status=SYNCED,
        created_at=at,
        updated_at=at,
        must_change_password=must_change_password,
    )
    plan = _plan_new(account, password_hash)
    side_writes.audit(
        plan,
        AuditEntry(
            id=user_id,
            at=at,
            actor_id=None,
            action="user_created",
            entity_type="user",
            entity_id=user_id,
            branch_id=None,
            request_id="first start",
            address="",
            after=_summary(account),
        ),
    )
    await plan.carry_out(tx)
    return True


async def update_user(
    command: UpdateUser, judge: AccountJudge, context: CommandContext, tx: Transaction
) -> Committed[Account] | Rejected:
    """Change a user, when `judge` does not object to the one that is there now."""
    answered = await claim_or_answer(tx, context.idempotency)
    if answered is not None:
        return answered
    now = await _locked(command.user_id, tx)
    if isinstance(now, Rejected):
        return now
    refused = judge(now) or await _last_administrator(now, command, tx)
    if refused is not None:
        return refused
    after = _updated(now, command, context.at)
    if now.is_active and not after.is_active:
        await _end_sessions(now.id, context.at, "account switched off", None, tx)
    plan = WritePlan(ACCOUNT_PARTS)
    changed: dict[str, object] = {
        "email": after.email,
        "full_name": after.full_name,
        "role": after.role.value,
        "branch_id": after.branch_id,
        "is_active": after.is_active,
    }
    plan.one("user", {**changed, **_versions(now, after)})
    if now.branch_id != after.branch_id:
        side_writes.tally(plan, user_deltas(now.branch_id, after.branch_id, is_new=False))
    side_writes.authored(plan, context)
    side_writes.audit(plan, _audit("user_updated", context, now, after))
    side_writes.answer(plan, context, after)
    side_writes.stage(plan, (access_changed(now.id),))
    await plan.carry_out(tx)
    return Committed(after)


async def change_password(
    user_id: UserId,
    password_hash: str,
    judge: AccountJudge,
    context: CommandContext,
    kept: SessionId | None,
    tx: Transaction,
) -> Committed[Account] | Rejected:
    """Set a password and end the user's sessions, but for `kept`."""
    answered = await claim_or_answer(tx, context.idempotency)
    if answered is not None:
        return answered
    now = await _locked(user_id, tx)
    if isinstance(now, Rejected):
        return now
    refused = judge(now)
    if refused is not None:
        return refused
    after = _with_password(now, context)
    await _end_sessions(user_id, context.at, "password changed", kept, tx)
    plan = WritePlan(ACCOUNT_PARTS)
    columns = {name: getattr(after, name) for name in PASSWORD_COLUMNS}
    plan.one("password", {"password_hash": password_hash, **columns, **_versions(now, after)})
    side_writes.authored(plan, context)
    side_writes.audit(plan, _audit("password_changed", context, now, after))
    side_writes.answer(plan, context, after)
    side_writes.stage(plan, (access_changed(user_id),))
    await plan.carry_out(tx)
    return Committed(after)


def _with_password(now: Account, context: CommandContext) -> Account:
    """The account once `context` has set its password: its holder's own, or another's for it."""
    after = replace(
        now,
        access_number=now.access_number + 1,
        must_change_password=False,
        version=now.version + 1,
        updated_at=context.at,
    )
    by = context.principal.user_id
    if by == now.id:
        return after
    return replace(after, password_set_by=by, password_set_at=context.at, must_change_password=True)


async def _locked(user_id: UserId, tx: Transaction) -> Account | Rejected:
    row = await tx.fetchrow(sql.LOCK_USER, user_id=user_id)
    return NO_SUCH_USER if row is None else account_of(row)


async def _last_administrator(
    now: Account, command: UpdateUser, tx: Transaction
) -> Rejected | None:
    """Refuse what leaves nobody to administer; counted under a lock, by whoever takes one away."""
    if now.role is not Role.ADMIN or not now.is_active:
        return None
    if command.role in {None, Role.ADMIN} and command.is_active is not False:
        return None
    await tx.fetchval(sql.LOCK_ADMINISTRATORS)
    return would_remove_last_administrator(
        now,
        role=command.role,
        is_active=command.is_active,
        active_administrators=await tx.fetchval(sql.COUNT_ADMINISTRATORS),
    )


async def _end_sessions(
    user_id: UserId, at: datetime, because: str, kept: SessionId | None, tx: Transaction
) -> None:
    await tx.fetch(sql.END_SESSIONS, user_id=user_id, at=at, because=because, kept=kept)


def _updated(now: Account, command: UpdateUser, at: datetime) -> Account:
    after = replace(
        now,
        email=now.email if command.email is None else normal_email(command.email),
        full_name=now.full_name if command.full_name is None else command.full_name,
        role=command.role or now.role,
        branch_id=command.branch_id or now.branch_id,
        is_active=now.is_active if command.is_active is None else command.is_active,
        version=now.version + 1,
        updated_at=at,
    )
    if (after.principal, after.is_active) == (now.principal, now.is_active):
        return after
    # A trigger of the table does so too, for whatever program writes.
    return replace(after, access_number=now.access_number + 1)


def _versions(now: Account, after: Account) -> dict[str, object]:
    return {
        "version": after.version,
        "updated_at": after.updated_at,
        "key_id": now.id,
        "key_version": now.version,
    }


def _plan_new(account: Account, password_hash: str) -> WritePlan:
    plan = WritePlan(ACCOUNT_PARTS)
    values: dict[str, Any] = {name: getattr(account, name) for name in Account.__slots__}
    plan.one("user_new", {**values, "role": account.role.value, "password_hash": password_hash})
    side_writes.tally(plan, user_deltas(None, account.branch_id, is_new=True))
    return plan


def _audit(
    action: str, context: CommandContext, before: Account | None, after: Account
) -> AuditEntry:
    return AuditEntry(
        id=context.event_id,
        at=context.at,
        actor_id=context.principal.user_id,
        action=action,
        entity_type="user",
        entity_id=after.id,
        branch_id=after.branch_id,
        request_id=context.request_id,
        address=context.address,
        before=None if before is None else _summary(before),
        after=_summary(after),
    )


def _summary(account: Account) -> dict[str, object]:
    return {
        "email": account.email,
        "full_name": account.full_name,
        "role": account.role.value,
        "branch_id": None if account.branch_id is None else str(account.branch_id),
        "is_active": account.is_active,
        "version": account.version,
    }

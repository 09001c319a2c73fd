"""Users, their sessions and their refresh tokens; the truth about who may come in is here."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any, Final, final
from uuid import UUID

import asyncpg

from domain.access.account import Access, Account, SignInSession
from domain.access.roles import Scope, Sight
from domain.access.sign_in import Credentials, RefreshReused, RefreshTicket, Rotated
from domain.commands.loans import CommandContext, CreateUser, UpdateUser
from domain.identifiers import SessionId, UserId
from domain.loan.decision import Committed
from domain.queries import ListUsers
from domain.rejections import Rejected
from domain.reports.views import Page
from persistence.accounts import sign_in_changes, sql, user_changes
from persistence.accounts.rows import ACCOUNT_SQL, account_of
from persistence.accounts.user_changes import AccountJudge
from persistence.commit.idempotency import id_taken
from persistence.commit.unit_of_work import UnitsOfWork
from persistence.connections import Connections
from persistence.postgres.keyset import KeysetList
from persistence.postgres.statements import Statement

USERS: Final = KeysetList(
    ACCOUNT_SQL,
    "users AS u",
    "u.id",
    {
        "seen_branch": "u.branch_id = CAST(:seen_branch AS uuid)",
        "seen_user": "u.id = CAST(:seen_user AS uuid)",
    },
)


@final
class PostgresAccounts:
    """Satisfies the port `Accounts`. Every method may raise an Outage."""

    def __init__(self, connections: Connections, units: UnitsOfWork) -> None:
        self._connections = connections
        self._units = units

    async def access(self, user_id: UserId) -> Access | None:
        """The account and its sessions that were not ended; the reader judges their age."""
        rows = await self._fetch(sql.SELECT_ACCESS, user_id=user_id)
        if not rows:
            return None
        sessions = tuple([_session(row) for row in rows if row["session_id"] is not None])
        return Access(account_of(rows[0]), sessions)

    async def credentials(self, email: str) -> Credentials | None:
        """What a sign-in with this e-mail is checked against, in whatever case it was typed."""
        rows = await self._fetch(sql.SELECT_CREDENTIALS, email=email)
        return Credentials(account_of(rows[0]), rows[0]["password_hash"]) if rows else None

    async def password_hash(self, user_id: UserId) -> str | None:
        """The hash that a user's current password is checked against."""
        rows = await self._fetch(sql.SELECT_PASSWORD, user_id=user_id)
        return str(rows[0]["password_hash"]) if rows else None

    async def open_session(
        self, session: SignInSession, ticket: RefreshTicket, request_id: str
    ) -> None:
        """Keep a new session and its first refresh token; audited.

        Neither is kept when the account was switched off meanwhile: such a token opens nothing.
        """
        await self._units.carry_out(
            functools.partial(sign_in_changes.open_session, session, ticket, request_id)
        )

    async def refuse_sign_in(self, email: str, address: str, request_id: str, at: datetime) -> None:
        """Write a failed sign-in into the audit trail."""
        await self._units.carry_out(
            functools.partial(sign_in_changes.refuse_sign_in, email, address, request_id, at)
        )

    async def rotate(
        self, spent: UUID, successor: RefreshTicket, *, grace_s: int, idle_s: int, request_id: str
    ) -> Rotated | RefreshReused | None:
        """Exchange the refresh token `spent` in one step; None when it is unknown or over.

        `successor.issued_at` is now. One that was used before ends its session, unless it comes
        within the grace and its successor is unused: then that one is answered again.
        """
        outcome = await self._units.carry_out(
            functools.partial(sign_in_changes.rotate, spent, successor, grace_s, idle_s, request_id)
        )
        assert not isinstance(outcome, Rejected), "it refuses nothing"
        return outcome

    async def end_session(
        self, user_id: UserId, session_id: SessionId, context: CommandContext
    ) -> bool:
        """End one session of this user; False when it was not alive."""
        ended = await self._units.carry_out(
            functools.partial(sign_in_changes.end_session, user_id, session_id, context)
        )
        return ended is True

    async def touch_sessions(self, seen: Sequence[tuple[SessionId, datetime]]) -> None:
        """Remember when sessions were used last; never earlier than is known already."""
        ordered = sorted(seen)  # everybody locks in the same order
        await self._fetch(
            sql.UPDATE_SEEN,
            ids=[session_id for session_id, _ in ordered],
            instants=[at for _, at in ordered],
        )

    async def keep_password(self, user_id: UserId, password_hash: str) -> None:
        """Replace a hash made with older parameters; not a change of the password."""
        await self._fetch(sql.UPDATE_PASSWORD, user_id=user_id, password_hash=password_hash)

    async def user(self, user_id: UserId, sight: Sight) -> Account | None:
        """One user in sight."""
        rows = await self._fetch(sql.SELECT_USER, user_id=user_id)
        account = account_of(rows[0]) if rows else None
        if account is None:
            return None
        seen = sight.covers(branch_id=account.branch_id, customer_id=account.id)
        return account if seen else None

    async def users(self, query: ListUsers, sight: Sight) -> Page[Account]:
        """A page of users in sight."""
        narrowed: dict[str, object] = {}
        if sight.scope is Scope.BRANCH:
            narrowed["seen_branch"] = sight.branch_id
        elif sight.scope is Scope.OWN:
            narrowed["seen_user"] = sight.user_id
        return await self._connections.run(
            USERS.page, self._connections.pool, query.page, narrowed, account_of
        )

    async def create_user(
        self, command: CreateUser, password_hash: str, context: CommandContext
    ) -> Committed[Account] | Rejected:
        """Make a user; without `branch_id` he belongs to his creator's branch, or the node's."""
        return await _told(
            self._units.carry_out(
                functools.partial(user_changes.create_user, command, password_hash, context)
            )
        )

    async def update_user(
        self, command: UpdateUser, judge: AccountJudge, context: CommandContext
    ) -> Committed[Account] | Rejected:
        """Change a user, when `judge` does not object to the one that is there now."""
        return await _told(
            self._units.carry_out(
                functools.partial(user_changes.update_user, command, judge, context)
            )
        )

    async def change_password(
        self,
        user_id: UserId,
        password_hash: str,
        judge: AccountJudge,
        context: CommandContext,
        *,
        keep_session: SessionId | None = None,
    ) -> Committed[Account] | Rejected:
        """Set a password and end the user's sessions, all but `keep_session`."""
        return await self._units.carry_out(
            functools.partial(
                user_changes.change_password,
                user_id,
                password_hash,
                judge,
                context,
                keep_session,
            )
        )

    async def has_users(self) -> bool:
        """Whether anybody could sign in at all."""
        rows = await self._fetch(sql.SELECT_ANY_USER)
        return bool(rows[0][0])

    async def make_first_administrator(
        self,
        user_id: UserId,
        email: str,
        password_hash: str,
        at: datetime,
        *,
        must_change_password: bool = False,
    ) -> bool:
        """Make the first user, an administrator without a branch; False when there is one.

        However many nodes try at once, one of them is answered with True.
        """
        made = await self._units.carry_out(
            functools.partial(
                user_changes.make_first_administrator,
                user_id,
                email,
                password_hash,
                at,
                must_change_password,
            )
        )
        return made is True

    async def _fetch(self, statement: Statement, **values: object) -> list[Any]:
        return await self._connections.run(self._connections.pool.fetch, statement, **values)


async def _told(work: Awaitable[Committed[Account] | Rejected]) -> Committed[Account] | Rejected:
    """What the tables' own constraints refuse, as refusals."""
    try:
        return await work
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == "uq_users_email":
            return user_changes.EMAIL_TAKEN
        if error.constraint_name == "pk_users":
            return id_taken("user")
        raise
    except asyncpg.ForeignKeyViolationError as error:
        if error.constraint_name == "fk_users_branch_id":
            return user_changes.UNKNOWN_BRANCH
        raise


def _session(row: Any) -> SignInSession:
    return SignInSession(
        id=SessionId(row["session_id"]),
        user_id=UserId(row["id"]),
        created_at=row["session_created_at"],
        last_seen_at=row["last_seen_at"],
        expires_at=row["expires_at"],
        address=row["address"],
        user_agent=row["user_agent"],
    )

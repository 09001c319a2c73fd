"""Stand-ins for the world: stores in memory, a clock that is set, lanes that listen."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import trio

from domain.access.account import Access, Account, SignInSession
from domain.access.roles import Role
from domain.access.sign_in import Credentials, RefreshReused, RefreshTicket, Rotated, TicketHolder
from domain.identifiers import BranchId, SessionId, UserId
from domain.loan.decision import Committed
from domain.notifications.notification import Audience, FeedBatch, FeedEntry, Notice, NoticeType
from domain.operations.operating import WatchAct
from domain.outages import StoreUnavailable
from domain.reports.views import FeedPosition
from supervisors.runtime.child_spec import ChildSpec
from supervisors.runtime.supervisor import Supervisor

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
EPOCH = UUID(int=1)
BRANCH = BranchId(UUID(int=2))
OTHER_BRANCH = BranchId(UUID(int=3))


def account(number: int = 10, role: Role = Role.OFFICER, **changes) -> Account:
    plain = Account(
        UserId(UUID(int=number)),
        f"user{number}@example.com",
        "A User",
        role,
        BRANCH,
        is_active=True,
        version=1,
        sync_status="synced",
        created_at=NOON,
        updated_at=NOON,
    )
    return replace(plain, **changes)


def session_of(user: Account, number: int = 100, **changes) -> SignInSession:
    plain = SignInSession(
        SessionId(UUID(int=number)),
        user.id,
        NOON,
        NOON,
        NOON + timedelta(days=7),
        "127.0.0.1",
        None,
    )
    return replace(plain, **changes)


@dataclass
class SetClock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def today(self) -> date:
        return self.at.date()


@dataclass
class Counter:
    last: int = 1000

    def new_id(self) -> UUID:
        self.last += 1
        return UUID(int=self.last)


@dataclass
class AccountsInMemory:
    """One user at a time, with others beside him; `away` makes every call an outage."""

    known: Access | None = None
    password_hash_kept: str = "hash of right"
    away: bool = False
    reads: int = 0
    opened: list[SignInSession] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    touched: list[SessionId] = field(default_factory=list)
    rotation: Rotated | RefreshReused | None = None
    others: dict[UserId, Access] = field(default_factory=dict)

    def _weather(self) -> None:
        if self.away:
            raise StoreUnavailable("the database is away")

    async def access(self, user_id: UserId) -> Access | None:
        self.reads += 1
        self._weather()
        if self.known is None or self.known.account.id != user_id:
            return self.others.get(user_id)
        return self.known

    async def credentials(self, email: str) -> Credentials | None:
        self._weather()
        if self.known is None or self.known.account.email != email:
            return None
        return Credentials(self.known.account, self.password_hash_kept)

    async def open_session(self, session: SignInSession, ticket: RefreshTicket, _: str) -> None:
        self.opened.append(session)

    async def refuse_sign_in(self, email: str, address: str, request_id: str, at: datetime) -> None:
        self.refused.append(email)

    async def rotate(self, *_: object, **__: object) -> Rotated | RefreshReused | None:
        return self.rotation

    async def touch_sessions(self, seen) -> None:
        self._weather()
        self.touched += [session_id for session_id, _ in seen]

    async def end_session(self, user_id, session_id, context) -> bool:
        assert self.known is not None
        left = tuple(one for one in self.known.sessions if one.id != session_id)
        ended = len(left) < len(self.known.sessions)
        self.known = Access(self.known.account, left)
        return ended


@dataclass
class TriesInMemory:
    """The wrong tries of all workers, at instants of the loop's clock."""

    tried: dict[str, list[float]] = field(default_factory=dict)
    known_places: frozenset[str] = frozenset()

    async def wait_s(self, email: str, tries_max: int, window_s: float) -> float | None:
        since = trio.current_time() - window_s
        recent = [at for at in self.tried.get(email, ()) if at > since]
        return recent[-tries_max] - since if len(recent) >= tries_max else None

    async def add(self, email: str) -> None:
        self.tried.setdefault(email, []).append(trio.current_time())

    async def places(self, email: str) -> frozenset[str]:
        return self.known_places


@dataclass
class RecordsInMemory:
    """Tickets, and what was written down; in the same weather as the accounts."""

    accounts: AccountsInMemory
    tickets: dict[str, TicketHolder] = field(default_factory=dict)
    lives: list[timedelta] = field(default_factory=list)
    watches: list[WatchAct] = field(default_factory=list)
    replaced: list[tuple[UserId, UUID]] = field(default_factory=list)

    def _weather(self) -> None:
        if self.accounts.away:
            raise StoreUnavailable("the database is away")

    async def issue_ticket(self, holder: TicketHolder, life: timedelta) -> str:
        self._weather()
        self.lives.append(life)
        ticket = f"ticket {len(self.lives)}"
        self.tickets[ticket] = holder
        return ticket

    async def take_ticket(self, ticket: str) -> TicketHolder | None:
        self._weather()
        return self.tickets.pop(ticket, None)

    async def record_watch(self, act: WatchAct) -> None:
        self._weather()
        self.watches.append(act)

    async def replace_connection(self, user_id: UserId, connection_id: UUID) -> None:
        self._weather()
        self.replaced.append((user_id, connection_id))


@dataclass
class AnnouncementsInMemory:
    made: list[object] = field(default_factory=list)

    async def announce(self, command, context):
        self.made.append(command)
        return Committed(None)


class PlainPasswords:
    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def verify(self, password_hash: str | None, password: str) -> bool:
        return password_hash == f"hash of {password}"

    def is_outdated(self, password_hash: str) -> bool:
        return False


class PlainTokens:
    def access_token(self, user: Account, session_id: SessionId, now: datetime) -> tuple[str, int]:
        return f"access {session_id}", 1800

    def refresh_token(self, ticket: RefreshTicket) -> str:
        return f"refresh {ticket.id}"

    def read_refresh_token(self, token: str, now: datetime) -> RefreshTicket | None:
        if not token.startswith("refresh "):
            return None
        ticket_id = UUID(token.removeprefix("refresh "))
        return RefreshTicket(ticket_id, SessionId(UUID(int=100)), UserId(UUID(int=10)), NOON, NOON)


@dataclass
class ListeningLane:
    """Keeps what it was given; `alive` False makes it a dead lane."""

    alive: bool = True
    heard: list[bytes] = field(default_factory=list)
    closed: tuple[int, str] | None = None

    @property
    def is_open(self) -> bool:
        return self.alive and self.closed is None

    def push(self, frame: bytes, kind: NoticeType) -> bool:
        if self.alive:
            self.heard.append(frame)
        return self.alive

    def push_all(self, entries) -> bool:
        return all(self.push(entry.frame, entry.type) for entry in entries)

    def say(self, frame: bytes) -> bool:
        return self.push(frame, NoticeType.LOAN_STATUS_CHANGE)

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


def notice(
    kind: NoticeType = NoticeType.PAYMENT_RECORDED,
    branch: BranchId | None = BRANCH,
    customer: UserId | None = None,
    **data: object,
) -> Notice:
    return Notice(kind, Audience(branch, customer), None, data)


@dataclass
class FeedInMemory:
    """A feed that is written by the test."""

    entries: list[FeedEntry] = field(default_factory=list)
    epoch: UUID = EPOCH
    away: bool = False
    wake: object = None
    lose: object = None
    listens: int = 0
    histories: int = 0
    forgotten: int = 0
    heard_further: bool = False  # the head is below what readers have heard, once
    stuck: bool = False  # nothing is answered, and nothing fails
    deaf: bool = False  # nobody can be woken

    def add(self, what: Notice) -> FeedEntry:
        entry = FeedEntry(len(self.entries) + 1, NOON, what)
        self.entries.append(entry)
        return entry

    async def position(self) -> FeedPosition:
        if self.away:
            raise StoreUnavailable("the database is away")
        return FeedPosition(self.epoch, len(self.entries))

    async def advance(self, after: FeedPosition, limit: int) -> FeedBatch:
        if self.away:
            raise StoreUnavailable("the database is away")
        if self.stuck:
            await trio.sleep_forever()
        if self.heard_further:
            self.heard_further = False
            return FeedBatch(FeedPosition(self.epoch, after.seq - 1), (), more=False)
        new = tuple(self.entries[after.seq : after.seq + limit])
        head = FeedPosition(self.epoch, after.seq + len(new))
        return FeedBatch(head, new, head.seq < len(self.entries))

    async def history(self, after: FeedPosition, limit: int) -> FeedBatch:
        self.histories += 1
        batch = await self.advance(after, limit)
        kept = tuple([entry for entry in batch.entries if entry.seq > self.forgotten])
        return FeedBatch(batch.head, kept, batch.more)

    def forget(self, seq: int) -> None:
        """Let history begin after `seq`."""
        self.forgotten = seq

    async def listen(self, on_wake, on_lost) -> None:
        if self.deaf:
            await trio.sleep_forever()
        if self.away:
            raise StoreUnavailable("the database is away")
        self.listens += 1
        self.wake, self.lose = on_wake, on_lost

    async def stop_listening(self) -> None:
        self.wake = self.lose = None


@asynccontextmanager
async def running(*children: ChildSpec):
    """A supervisor that runs while the block lasts."""
    supervisor = Supervisor("test", list(children))
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        yield supervisor
        nursery.cancel_scope.cancel()

"""The composition root: the one file that knows both sides of every port.

It makes values and hands them down; what they do is elsewhere. The type checker proves here that
the stores, the gateways and the web fit what the actors ask of them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hypercorn.typing import ASGIFramework

from actors.gatekeeper import Gatekeeper, GateOffices
from actors.messages.change_feed import Poke
from actors.node.elector import Elector
from actors.node.housekeeping import Housekeeping
from actors.node.presence_reporter import PresenceReporter
from actors.notifications.broadcast_hub import BroadcastHub
from actors.notifications.change_feed import ChangeFeed
from actors.ports.node import Departure as NodeDeparture
from actors.ports.node import SupervisionTree
from actors.ports.tree_views import Sample
from actors.session.calculator import ThreadReckoner
from actors.session.commands import CommandDesk
from actors.session.ledger import BooksDesk
from actors.session.loan_queries import LoanDesk
from actors.session.operations import OperationsDesk
from actors.session.presence import PresenceDesk
from actors.session.probing import Probing
from actors.session.products import ProductsDesk
from actors.session.queries import QueryDesk
from actors.session.sockets import SocketOffices
from actors.session.user_session import SessionOffices, UserSession
from actors.session.users import UserDesk
from actors.sign_in_throttle import WRONG_TRIES_MAX, SignInThrottle, WrongTries
from actors.sync.coordinator import SyncCoordinator
from actors.sync.prober import ConnectivityProber
from gateways.identity_source import TimeOrderedIdentities
from gateways.system_clock import SharedClock, SystemClock
from persistence.postgres.dial import PoolLimits
from persistence.store import Store, StoreOptions
from server.configuration.policy import policy_components
from server.configuration.settings import Settings
from server.configuration.settings_slices import edge_limits, web_options
from server.configuration.worker_limits import WRONG_TRIES_FLOOR, pool_connections, share
from server.drain import Departure
from server.monitoring.gauges import Gauges
from server.monitoring.home_disk import HomeDisk
from server.monitoring.loop_watchdog import LoopWatchdog
from server.monitoring.metrics import tree_samples
from server.monitoring.node_health import Look, NodeHealth
from server.services import Services
from server.store_service import StoreService
from server.workers.process import Terminal
from server.workers.worker_node import Seat
from supervisors.inspection.local_tree import LocalTree
from supervisors.tree import Cast, Tree, plant
from supervisors.user_sessions import SessionSupervisor
from web.app import create_app
from web.dependencies import Doors
from web.edge.listener import Listener
from web.security.client_address import ClientAddresses
from web.security.passwords import ArgonPasswords
from web.security.tokens import JwtTokens
from web.sockets.encoding import encode_notification

SESSIONS_MAX = 20_000
SESSION_LINGER_S = 600.0
ONLY_WORKER = "worker-1"  # what the one worker of a node without others is called


@dataclass(frozen=True, slots=True)
class Ground:
    """What a node stands on before anything of it runs."""

    services: Services
    signing_key: bytes
    sockets: Sequence[socket.socket]
    loop: LoopWatchdog | None = None
    disk: HomeDisk | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """Everything that one node is made of, not yet running."""

    tree: Tree
    store: Store
    departure: Departure


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """What is outside the actors, as they will meet it."""

    settings: Settings
    machine_clock: SystemClock
    clock: SharedClock
    identities: TimeOrderedIdentities
    passwords: ArgonPasswords
    tokens: JwtTokens
    store: Store
    throttle: SignInThrottle


@dataclass(frozen=True, slots=True)
class _OfNode:
    """What concerns the whole node: answered here, or by all of its workers."""

    tree: SupervisionTree
    departure: NodeDeparture


def wire(settings: Settings, ground: Ground, terminal: Terminal, seat: Seat | None = None) -> Node:
    """Make a node, or the worker that sits at `seat`. Nothing runs before its tree does."""
    world = _world(settings, ground, seat)
    store = world.store
    gauges = Gauges(store.connections, ground.loop, ground.disk)
    # The factories run when the tree does: what they name below is made by then.
    cast = Cast(
        services=ground.services.children,
        store=lambda: StoreService(
            store,
            settings,
            world.passwords,
            world.clock,
            announce=terminal.announce,
            refuse=terminal.refuse,
        ),
        feed=lambda: gauges.of_feed(ChangeFeed(store.feed, hub)),
        hub=lambda: gauges.of_hub(BroadcastHub(store.feed, encode_notification, directory)),
        gatekeeper=lambda: Gatekeeper(gate),
        elector=lambda: Elector(store.leadership),
        prober=ConnectivityProber,
        coordinator=SyncCoordinator,
        housekeeping=lambda: Housekeeping(
            store.upkeep, world.machine_clock, tree.core.address("elector")
        ),
        presence=lambda: PresenceReporter(store.presence, hub),
        listener=lambda: departure.of_listener(
            gauges.of_listener(_listener(app, ground, settings))
        ),
        link=() if seat is None else (("writer", seat.writer), ("reader", seat.reader)),
    )
    tree = plant(cast, _root_name(seat))
    departure = Departure(world.clock, settings.drain_notice_seconds, tree.sessions.count)
    hub = tree.core.address("hub")
    feed = tree.core.address("feed")
    store.on_commit(lambda: feed.tell_nowait(Poke()))
    local = _local(tree, world, gauges, departure)
    of_node = _of_node(local, departure, tree, seat)
    offices = _session_offices(world, tree, of_node, seat)
    directory = SessionSupervisor(
        tree.sessions, lambda user_id: UserSession(user_id, offices), SESSIONS_MAX
    )
    gate = _gate_offices(world, directory)
    app = create_app(
        Doors(
            sessions=directory,
            gatekeeper=tree.core.address("gatekeeper"),
            hub=hub,
            health=NodeHealth(store.health, _looks(ground, world, gauges)),
            tree=of_node.tree,
            departure=of_node.departure,
            tokens=world.tokens,
            clock=world.clock,
            identities=world.identities,
            options=web_options(settings, ground.signing_key),
        )
    )
    return Node(tree, store, departure)


def _looks(ground: Ground, world: _World, gauges: Gauges) -> Sequence[Look]:
    """What this process sees of the node's health beside the store."""
    looks = [lambda: policy_components(world.settings), world.clock.look, gauges.feed_health]
    if ground.disk is not None:
        looks.append(ground.disk.components)
    return looks


def _listener(app: ASGIFramework, ground: Ground, settings: Settings) -> Listener:
    is_proxy = ClientAddresses(settings.trusted_proxies).is_proxy
    return Listener(app, ground.sockets, limits=edge_limits(settings), is_proxy=is_proxy)


def _local(tree: Tree, world: _World, gauges: Gauges, departure: Departure) -> LocalTree:
    return LocalTree(
        tree.root,
        world.clock,
        tree.core_is_running,
        lambda: (
            *tree_samples(tree.root),
            *gauges.samples(),
            *departure.samples(),
            Sample("clock_ahead_seconds", "gauge", world.clock.ahead().total_seconds()),
        ),
        departure.note,
    )


def _of_node(local: LocalTree, departure: Departure, tree: Tree, seat: Seat | None) -> _OfNode:
    if seat is None or tree.link is None:
        return _OfNode(local, departure)
    writer, hub = tree.link.address("writer"), tree.core.address("hub")
    return _OfNode(*seat.take(local, departure, writer, hub))


def _worker_name(seat: Seat | None) -> str:
    return ONLY_WORKER if seat is None else seat.name


def _root_name(seat: Seat | None) -> str:
    return "root" if seat is None else seat.name


def _world(settings: Settings, ground: Ground, seat: Seat | None) -> _World:
    machine = socket.gethostname()
    machine_clock = SystemClock(settings.zone)
    life = timedelta(minutes=settings.jwt_access_token_expire_minutes)
    options = StoreOptions(
        limits=PoolLimits(size_max=pool_connections(settings.workers)),
        holder=f"{machine} {_root_name(seat)} {os.getpid()}",
        node=f"{machine}-{os.getpid() if seat is None else os.getppid()}",
        worker=_worker_name(seat),
    )
    store = Store(ground.services.database_url, ground.services.redis_url, options)
    return _World(
        settings=settings,
        machine_clock=machine_clock,
        clock=SharedClock(machine_clock),
        identities=TimeOrderedIdentities(),
        passwords=ArgonPasswords(),
        tokens=JwtTokens(ground.signing_key, life),
        store=store,
        throttle=SignInThrottle(
            store.wrong_tries, share(WRONG_TRIES_MAX, settings.workers, WRONG_TRIES_FLOOR)
        ),
    )


def _session_offices(
    world: _World, tree: Tree, of_node: _OfNode, seat: Seat | None
) -> SessionOffices:
    """What every session actor works with."""
    store, settings = world.store, world.settings
    hub = tree.core.address("hub")
    return SessionOffices(
        accounts=store.accounts,
        clock=world.clock,
        commands=CommandDesk(
            loan_book=store.loan_book,
            accounts=store.accounts,
            announcements=store.announcements,
            users=UserDesk(store.accounts, world.passwords, world.throttle),
            products=ProductsDesk(store.products),
            probing=Probing(store.accounts, store.readings, WrongTries(WRONG_TRIES_MAX)),
            clock=world.clock,
            identities=world.identities,
            four_eyes=settings.four_eyes,
            four_eyes_reversals=settings.four_eyes_reversals,
        ),
        queries=QueryDesk(
            readings=store.readings,
            loans=LoanDesk(store.readings, ThreadReckoner(), world.clock),
            books=BooksDesk(store.books, world.clock),
            products=ProductsDesk(store.products),
            accounts=store.accounts,
            clock=world.clock,
            presence=PresenceDesk(
                hub=hub,
                board=store.presence,
                worker=_worker_name(seat),
                elsewhere=seat,
            ),
            coordinator=tree.sync.address("coordinator"),
            prober=tree.sync.address("prober"),
        ),
        operations=OperationsDesk(
            tree=of_node.tree,
            departure=of_node.departure,
            log=store.operations,
            coordinator=tree.sync.address("coordinator"),
            clock=world.clock,
            identities=world.identities,
        ),
        sockets=SocketOffices(
            accounts=store.accounts,
            clock=world.clock,
            records=store.sockets,
            hub=hub,
            sockets_max=settings.ws_max_per_user,
        ),
        idle_limit=timedelta(seconds=settings.session_timeout),
        linger_s=SESSION_LINGER_S,
        must_change_password=settings.asks_own_password,
    )


def _gate_offices(world: _World, directory: SessionSupervisor) -> GateOffices:
    """What the gatekeeper works with."""
    return GateOffices(
        accounts=world.store.accounts,
        passwords=world.passwords,
        tokens=world.tokens,
        clock=world.clock,
        identities=world.identities,
        sessions=directory,
        records=world.store.sockets,
        refresh_life=timedelta(days=world.settings.jwt_refresh_token_expire_days),
        idle_limit=timedelta(seconds=world.settings.session_timeout),
        throttle=world.throttle,
    )

"""Our tree, as a literal: who is started after whom, who restarts whom, and how long each may take.

root (one_for_one)        of a worker: its name, worker-1 and so on
├─ link (one_for_one)      only in a worker: writer, reader
├─ services (one_for_one, never escalating)   only without DATABASE_URL / REDIS_URL
├─ core (rest_for_one)   store → feed → hub → sessions → gatekeeper → elector
│                        → sync (prober → coordinator) → housekeeping → presence
└─ listener              answers 503 while the core is not running

Started from top to bottom, stopped from bottom to top. What the children do is not said here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from actors.messages.change_feed import Poke
from actors.runtime.actor import Actor, Routine
from supervisors.runtime.child_spec import ChildSpec, Overflow, Strategy
from supervisors.runtime.dynamic_supervisor import DynamicSupervisor
from supervisors.runtime.restart_intensity import Intensity
from supervisors.runtime.supervisor import Supervisor

# The store itself limits how long its database may be silent; a migration that is at work may take
# hours. This is the last resort.
STORE_START_S = 5 * 3600.0
SERVICE_START_S = 210.0  # the last resort: PostgreSQL has 120 s to be made and 60 s to be ready
LISTENER_SHUTDOWN_S = 8.0
SERVICE_SHUTDOWN_S = 8.0
LINK_MAILBOX = 1024

NEEDED_FOR_REQUESTS = ("store", "feed", "hub", "gatekeeper")

Make = Callable[[], "Actor[Any] | Routine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays which part; each is made anew for every incarnation."""

    services: Sequence[tuple[str, Make]]
    store: Make
    feed: Make
    hub: Make
    gatekeeper: Make
    elector: Make
    prober: Make
    coordinator: Make
    housekeeping: Make
    presence: Make
    listener: Make
    link: Sequence[tuple[str, Make]] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """The root, and the branches that others need by name."""

    root: Supervisor
    core: Supervisor
    sessions: DynamicSupervisor
    sync: Supervisor
    link: Supervisor | None = None

    def core_is_running(self) -> bool:
        """Say whether requests can be answered."""
        return all(self.core.address(name).is_running for name in NEEDED_FOR_REQUESTS)


def plant(cast: Cast, root_id: str = "root") -> Tree:
    """Build the tree; nothing runs yet, but every address may be taken."""
    sessions = DynamicSupervisor("sessions", intensity=None)
    sync = Supervisor(
        "sync",
        [ChildSpec("prober", cast.prober), ChildSpec("coordinator", cast.coordinator)],
        strategy=Strategy.REST_FOR_ONE,
    )
    core = Supervisor(
        "core",
        [
            ChildSpec("store", cast.store, start_timeout_s=STORE_START_S),
            ChildSpec(
                "feed",
                cast.feed,
                mailbox=8,
                overflow=Overflow.COALESCE,
                coalesce_key=_poke_or_deaf,
            ),
            ChildSpec("hub", cast.hub, mailbox=256),
            sessions,
            # After the sessions: when signing in fails, whoever has signed in notices nothing.
            ChildSpec("gatekeeper", cast.gatekeeper, overflow=Overflow.REJECT),
            ChildSpec("elector", cast.elector),
            sync,
            ChildSpec("housekeeping", cast.housekeeping),
            ChildSpec("presence", cast.presence),
        ],
        strategy=Strategy.REST_FOR_ONE,
    )
    # An upper level gets a smaller intensity than a lower one, or retries would multiply.
    parts: list[ChildSpec | Supervisor] = []
    link: Supervisor | None = None
    if cast.link:
        specs = [
            ChildSpec(
                name,
                make,
                mailbox=LINK_MAILBOX,
                overflow=Overflow.REJECT,
                suspendable=False,
            )
            for name, make in cast.link
        ]
        link = Supervisor("link", specs)
        parts.append(link)
    if cast.services:
        parts.append(plant_services(cast.services))
    parts.append(core)
    parts.append(ChildSpec("listener", cast.listener, shutdown_s=LISTENER_SHUTDOWN_S))
    root = Supervisor(root_id, parts, intensity=Intensity(max_restarts=1, window_s=5.0))
    return Tree(root, core, sessions, sync, link)


def plant_services(services: Sequence[tuple[str, Make]]) -> Supervisor:
    """The embedded services: always restarted, whatever they do."""
    specs = [
        ChildSpec(name, make, start_timeout_s=SERVICE_START_S, shutdown_s=SERVICE_SHUTDOWN_S)
        for name, make in services
    ]
    return Supervisor("services", specs, intensity=None)


def _poke_or_deaf(message: object) -> bool:
    return isinstance(message, Poke)

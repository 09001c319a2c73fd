"""The parent of a node with several workers: its own small tree, of services, exchange and workers.

It binds the port, owns the home and what is embedded, serves no request and touches no store.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence

from actors.ports.tree_views import Sample
from gateways.system_clock import SystemClock
from server.configuration.settings import Settings
from server.configuration.worker_limits import worker_settings
from server.drain import Departure
from server.monitoring.metrics import tree_samples
from server.workers.frames import ROOT, Orders
from server.workers.process import DRAINS_WITHIN_S, Terminal, WorkerProcess
from server.workers.router import Exchange, Switchboard
from server.workers.worker_node import worker_names
from supervisors.inspection.local_tree import LocalTree
from supervisors.runtime.child_spec import ChildSpec, Overflow
from supervisors.runtime.supervisor import Supervisor
from supervisors.runtime.workers_root import WorkerSupervisor
from supervisors.tree import STORE_START_S, Make, plant_services

WORKER_START_S = STORE_START_S + 120.0  # a worker ends by itself when its store does not start
EXCHANGE_MAILBOX = 4096


class Head:
    """Makes the tree; nothing runs yet."""

    def __init__(
        self,
        settings: Settings,
        services: Sequence[tuple[str, Make]],
        orders: Sequence[Orders],
        environment: Mapping[str, str],
        listeners: Sequence[socket.socket],
        terminal: Terminal,
    ) -> None:
        self._environment = environment
        self._listeners = listeners
        self._terminal = terminal
        exchange = ChildSpec(
            "exchange",
            lambda: Exchange(self.switchboard.pair_of),
            mailbox=EXCHANGE_MAILBOX,
            overflow=Overflow.REJECT,
            suspendable=False,
        )
        parts: list[ChildSpec | Supervisor] = [plant_services(services)] if services else []
        self.root = WorkerSupervisor(ROOT, [*parts, exchange], [self._spec(one) for one in orders])
        clock = SystemClock(settings.zone)
        self.departure = Departure(clock, settings.drain_notice_seconds)
        local = LocalTree(
            self.root,
            clock,
            lambda: True,
            lambda: (*tree_samples(self.root), *self.departure.samples(), self._parked()),
            self.departure.note,
        )
        self.switchboard = Switchboard(
            local, self.departure, self.root.address("exchange").tell_nowait
        )

    def _parked(self) -> Sample:
        return Sample("workers_parked", "gauge", float(self.root.parked()))

    def _spec(self, orders: Orders) -> ChildSpec:
        return ChildSpec(
            orders.name,
            lambda: WorkerProcess(
                orders, self._environment, self._listeners, self.switchboard, self._terminal
            ),
            start_timeout_s=WORKER_START_S,
            shutdown_s=DRAINS_WITHIN_S,
        )


def orders_for(
    settings: Settings,
    database_url: str,
    redis_url: str,
    signing_key: bytes,
    listeners: Sequence[socket.socket],
) -> list[Orders]:
    """What each worker is told."""
    own = worker_settings(settings, settings.workers).model_dump(mode="json")
    return [
        Orders(
            name=name,
            count=settings.workers,
            parent_pid=os.getpid(),
            settings=own,
            database_url=database_url,
            redis_url=redis_url,
            signing_key=signing_key,
            listeners=[bound.fileno() for bound in listeners],
        )
        for name in worker_names(settings.workers)
    ]

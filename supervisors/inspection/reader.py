"""How the tree is read: from children and supervisors to snapshots; it changes nothing."""

from __future__ import annotations

import dataclasses
import traceback
from typing import TYPE_CHECKING

import trio

from actors.runtime.slot_state import State
from supervisors.inspection.snapshot import (
    ActorDetail,
    ActorSnapshot,
    ErrorFigure,
    FaultFigure,
    LatencyFigure,
    MailboxFigures,
    NodeSnapshot,
    SupervisorSnapshot,
)
from supervisors.runtime.supervisor import Supervisor, supervisor_in

if TYPE_CHECKING:
    from actors.runtime.counters import Fault
    from actors.runtime.slot import Slot
    from supervisors.runtime.child import Child


def supervisor_snapshot(supervisor: Supervisor) -> SupervisorSnapshot:
    """The supervisor and everything below it, as it stands now."""
    now = trio.current_time()
    intensity, last = supervisor.intensity, _error_figure(supervisor.last_failure)
    reason = supervisor.state.value
    if last is not None:
        reason += f", last error {last.type}: {last.message}"
    return SupervisorSnapshot(
        path=supervisor.path,
        kind="supervisor",
        state=supervisor.state.value,
        reason=reason,
        strategy=supervisor.strategy.value,
        restart=None,
        incarnation=supervisor.incarnation,
        started_at=supervisor.started_at,
        restarts_in_window=supervisor.window.count(now),
        restart_limit=intensity.max_restarts if intensity else None,
        window_s=intensity.window_s if intensity else None,
        next_restart_at=None,
        mailbox=None,
        processed=0,
        busy_since=None,
        current_message=None,
        last_error=last,
        quarantined=0,
        taken_at=now,
        children=tuple(
            _child_snapshot(supervisor, child, now) for child in supervisor.children.values()
        ),
    )


def _child_snapshot(supervisor: Supervisor, child: Child, now: float) -> NodeSnapshot:
    slot, below = child.slot, supervisor_in(child)
    if below is not None:
        return dataclasses.replace(
            supervisor_snapshot(below),
            state=slot.state.value,
            reason=reason(supervisor, child, now),
            restart=child.spec.restart.value,
            incarnation=slot.incarnation,
            next_restart_at=child.next_restart_at,
            last_error=last_error(slot),
        )
    intensity = supervisor.intensity
    return ActorSnapshot(
        path=slot.path,
        kind="actor",
        state=slot.state.value,
        reason=reason(supervisor, child, now),
        strategy=None,
        restart=child.spec.restart.value,
        incarnation=slot.incarnation,
        started_at=slot.started_at,
        restarts_in_window=supervisor.window_of(child).count(now, slot.path),
        restart_limit=intensity.max_restarts if intensity else None,
        window_s=intensity.window_s if intensity else None,
        next_restart_at=child.next_restart_at,
        mailbox=_mailbox_figures(slot, now),
        processed=slot.accounts.processed,
        busy_since=slot.busy_since,
        current_message=slot.current_message,
        last_error=last_error(slot),
        quarantined=slot.accounts.quarantined,
        taken_at=now,
    )


def _mailbox_figures(slot: Slot, now: float) -> MailboxFigures:
    mailbox = slot.mailbox
    return MailboxFigures(
        depth=mailbox.depth,
        capacity=mailbox.capacity,
        high_water=mailbox.high_water,
        overflow=mailbox.overflow.value,
        dropped=slot.accounts.dropped,
        oldest_age_s=mailbox.oldest_age_s(now),
    )


def _error_figure(fault: Fault | None) -> ErrorFigure | None:
    """An error as operators see it; None for none."""
    if fault is None:
        return None
    return ErrorFigure(fault.at, type(fault.error).__name__, str(fault.error))


def last_error(slot: Slot) -> ErrorFigure | None:
    """The slot's last error, or None."""
    return _error_figure(slot.faults[-1] if slot.faults else None)


def actor_detail(supervisor: Supervisor, child: Child) -> ActorDetail:
    """One child more closely, with the texts of its last errors."""
    slot, accounts = child.slot, child.slot.accounts
    return ActorDetail(
        node=_child_snapshot(supervisor, child, trio.current_time()),
        errors=tuple(_fault_figure(fault) for fault in slot.faults),
        quarantine=tuple(_fault_figure(fault) for fault in slot.quarantine),
        latencies=_latency_figures(slot),
        received=accounts.received,
        failed=accounts.failed,
        rejected=accounts.rejected,
        shed=accounts.shed,
    )


def _latency_figures(slot: Slot) -> tuple[LatencyFigure, ...]:
    return tuple(
        LatencyFigure(kind.__name__, took.count, took.total_s / took.count, took.max_s)
        for kind, took in slot.latencies.items()
    )


def _fault_figure(fault: Fault) -> FaultFigure:
    return FaultFigure(
        at=fault.at,
        type=type(fault.error).__name__,
        message=str(fault.error),
        while_handling=fault.message,
        traceback="".join(traceback.format_exception(fault.error)),
    )


def reason(supervisor: Supervisor, child: Child, now: float) -> str:
    """The child's state in words, with what an operator asks next."""
    slot, words = child.slot, [child.slot.state.value]
    if slot.actor is not None and slot.actor.note is not None:
        words.append(slot.actor.note)
    if slot.state in (State.BACKOFF, State.FAILED):
        if supervisor.intensity is not None:
            count, budget = supervisor.window_of(child).count(now, slot.path), supervisor.intensity
            words.append(f"{count} of {budget.max_restarts} restarts in {budget.window_s:g} s")
        if child.is_parked:
            words.append(f"parked after {child.failures_in_a_row} failures in a row")
        if child.next_restart_at is not None:
            words.append(f"next attempt in {max(0.0, child.next_restart_at - now):.1f} s")
        if (last := last_error(slot)) is not None:
            words.append(f"last error {last.type}: {last.message}")
    elif slot.busy_since is not None:
        words.append(f"busy with {slot.current_message} for {now - slot.busy_since:.1f} s")
    return ", ".join(words)

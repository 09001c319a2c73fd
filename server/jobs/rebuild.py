"""Proving from the command line that what is kept follows from the events, or repairing it.

It says what differs, a line a field, and how many loans it went through. It works beside a running
node: a loan is read in one snapshot, or locked while it is repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from domain.identifiers import LoanId
from gateways.identity_source import TimeOrderedIdentities
from gateways.system_clock import SystemClock
from persistence.consistency.counter_check import Figure
from persistence.consistency.loan_check import Difference
from persistence.consistency.rebuild import Proof, Repairer
from persistence.store import Store
from server.waiting import within

Say = Callable[[str], None]
# What takes longer waits for a silent database: one loan is a few hundred rows, the figures are
# sums over all of them.
STEP_LIMIT_S: Final = 60.0
FIGURES_LIMIT_S: Final = 3600.0


async def rebuild(store: Store, zone: ZoneInfo, say: Say, *, only_check: bool) -> int:
    """Go through all loans; the exit code is 0 when in the end everything agrees."""
    identities, clock = TimeOrderedIdentities(), SystemClock(zone)
    repairer = Repairer(identities.new_id, clock.now, clock.today, str(identities.new_id()))
    loans = differing = beyond = 0
    after: LoanId | None = None
    while page := await _page(store, after):
        for loan_id in page:
            with within(STEP_LIMIT_S):
                proof = await store.rebuild.prove(loan_id)
            if proof.differences and not only_check:
                with within(STEP_LIMIT_S):
                    proof = await store.rebuild.repair(loan_id, repairer)
            loans += 1
            differing += bool(proof.differences)
            beyond += any(one.is_fact for one in proof.differences)
            _tell(proof, say)
        after = page[-1]
    with within(FIGURES_LIMIT_S):
        figures = await (store.rebuild.figures() if only_check else store.rebuild.repair_figures())
    for figure in figures:
        say(_of_figure(figure))
    return _conclude(say, loans, (differing, beyond), len(figures), only_check=only_check)


async def _page(store: Store, after: LoanId | None) -> Sequence[LoanId]:
    with within(STEP_LIMIT_S):
        return await store.rebuild.loan_ids(after)


def _conclude(
    say: Say, loans: int, counts: tuple[int, int], figures: int, *, only_check: bool
) -> int:
    differing, beyond = counts
    if not (differing or figures):
        say(f"{loans} loans: all that is kept follows from their events.")
        return 0
    found = f"{loans} loans: {differing} of them and {figures} figures of the dashboard differed"
    if only_check:
        say(f"{found}; nothing was changed. Run `lendwire rebuild` to repair what is no fact.")
        return 1
    if beyond:
        say(f"{found} and were repaired, but for the facts of {beyond} loans, which never change.")
        return 1
    say(f"{found}, and were repaired.")
    return 0


def _tell(proof: Proof, say: Say) -> None:
    for one in proof.differences:
        say(f"{proof.number} {_of_field(one)}")


def _of_field(one: Difference) -> str:
    fact = " (a fact)" if one.is_fact else ""
    return f"{one.place}: {one.field}{fact}: kept {one.kept}, by the events {one.rebuilt}"


def _of_figure(one: Figure) -> str:
    where = " ".join(
        str(part) for part in (one.branch_id, one.currency, one.status, one.day) if part
    )
    return (
        f"dashboard {one.kind} {where}: lacks {one.rows} rows, {one.total_minor} in all,"
        f" {one.principal_minor} of principal"
    )

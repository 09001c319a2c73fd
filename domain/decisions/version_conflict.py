"""Whether a loan is still as its caller has seen it, and what has changed since."""

from __future__ import annotations

from dataclasses import fields

from domain.events.events import LoanEvent
from domain.loan.decision import HistoryNeeded
from domain.loan.loan import Loan
from domain.loan.replay import replay
from domain.rejections import Rejected, VersionRefusal
from domain.terms.product import name_of
from domain.terms.terms import Terms


def stale(
    loan: Loan, expected_version: int | None, history: tuple[LoanEvent, ...] | None
) -> Rejected | HistoryNeeded | None:
    """Refuse what was asked of another version of `loan`; it says the version and what changed.

    `history` holds the events in the order in which they were kept: the versions are their places.
    """
    if expected_version is None or expected_version == loan.version:
        return None
    if history is None:
        return HistoryNeeded()
    facts: dict[str, object] = {"version": loan.version}
    if 1 <= expected_version < loan.version:
        facts["changed"] = list(_changed(replay(history[:expected_version])[0], loan))
    return Rejected(VersionRefusal.STALE, "The loan has changed since you read it.", facts=facts)


def _changed(before: Loan, after: Loan) -> tuple[str, ...]:
    terms = tuple(
        name_of(field.name)
        for field in fields(Terms)
        if getattr(before.terms, field.name) != getattr(after.terms, field.name)
    )
    beside = tuple(
        name
        for name in ("purpose", "status", "outstanding")
        if getattr(before, name) != getattr(after, name)
    )
    return terms + beside

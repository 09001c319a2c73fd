"""Two pairs of eyes: what one person may not do alone, and who is another person than whom.

An account is no second pair of eyes to whoever made it or last set its password: they may know that
password, and be both. So it stays until its holder has chosen one of their own *and* a while has
passed, because whoever made a puppet can choose a password for it too. Only this direct tie counts:
two accounts made by one person are two persons.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from domain.access.account import Account
from domain.commands.loans import CommandContext
from domain.identifiers import UserId
from domain.loan.decision import Decision, SecondEyes
from domain.loan.lifecycle import LoanMove
from domain.rejections import LoanRefusal, Rejected

TIED_FOR: Final = timedelta(days=30)
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Tie:
    """`maker` made `held`, or set its password last; it lasts until `until` at least."""

    maker: Account
    held: Account
    until: datetime


def same_person(
    context: CommandContext, other: UserId | None, detail: str, move: LoanMove
) -> Rejected | None:
    """Refuse `move` to the person who did what must be another's; only while `four_eyes`."""
    if not context.four_eyes or context.principal.user_id != other:
        return None
    return Rejected(LoanRefusal.SAME_PERSON, detail, facts={"event": str(move)})


def seconded(
    outcome: Outcome, context: CommandContext, move: LoanMove, others: Iterable[UserId | None]
) -> Outcome | Decision:
    """Let a decision hold only when its author is another person than each of `others`.

    That they are other accounts was found already; whose accounts they are is looked up by whoever
    keeps the decision. Only while `four_eyes`.
    """
    people = tuple(dict.fromkeys(other for other in others if other is not None))
    if not context.four_eyes or not people or not isinstance(outcome, Decision):
        return outcome
    return replace(outcome, second_eyes=SecondEyes(move, people))


def tie(one: Account, other: Account, at: datetime) -> Tie | None:
    """What ties two accounts to one person at `at`, whichever of them made the other."""
    return _made(one, other, at) or _made(other, one, at)


def tied(
    author: Account, others: Iterable[Account], at: datetime, move: LoanMove
) -> Rejected | None:
    """Refuse `move` to `author` when one of `others` may be the same person behind it."""
    for other in others:
        found = tie(author, other, at)
        if found is not None:
            return _refusal(found, other, move)
    return None


def _made(maker: Account, held: Account, at: datetime) -> Tie | None:
    since = []
    if held.made_by == maker.id:
        since.append(held.created_at)
    if held.password_set_by == maker.id and held.password_set_at is not None:
        since.append(held.password_set_at)
    if not since or maker.id == held.id:
        return None
    until = max(since) + TIED_FOR
    if at >= until and not held.must_change_password:
        return None
    return Tie(maker, held, until)


def _refusal(found: Tie, other: Account, move: LoanMove) -> Rejected:
    held, until = found.held, f"{found.until:%Y-%m-%dT%H:%M:%SZ}"
    also = " and a password that its holder chooses" if held.must_change_password else ""
    return Rejected(
        LoanRefusal.SAME_PERSON,
        f"{found.maker.full_name} made the account of {held.full_name} or set its password last: "
        f"it is no second pair of eyes before {until}{also}.",
        facts={
            "event": str(move),
            "user_id": str(other.id),
            "until": until,
            "own_password": not held.must_change_password,
        },
    )

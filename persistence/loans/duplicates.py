"""Whether what a command is to make was made before, under the id that the caller gave it.

Whoever asks again is judged on the loan as it was before the thing was made: only somebody who
might have made it then is told what became of it.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from domain.commands.loans import CommandContext
from domain.events.events import (
    ChargeAdded,
    LoanDisbursed,
    LoanEvent,
    PaymentRecorded,
    RecoveryReceived,
)
from domain.loan.decision import Committed, Decision, Judge
from domain.loan.loan import Loan
from domain.loan.replay import replay
from domain.rejections import Rejected
from domain.reports.views import LoanView
from persistence.commit.idempotency import id_taken
from persistence.loans import sql
from persistence.loans.loading import history_of
from persistence.loans.rows import loan_view
from persistence.postgres.transaction import Transaction


async def made_before(
    tx: Transaction, loan: Loan, judge: Judge, context: CommandContext, made_id: UUID
) -> Committed[LoanView] | Rejected | None:
    """A replay when `loan` has what `made_id` names; a refusal when that was another; else None."""
    version = await tx.fetchval(sql.SELECT_MADE, loan_id=loan.id, made_id=str(made_id))
    if version is None:
        return None
    history = await history_of(tx, loan.id)
    made, earlier = history[version - 1], history[: version - 1]
    if isinstance(made, PaymentRecorded):  # which no command that comes here makes
        now = judge(loan, history)
        return now if isinstance(now, Rejected) else id_taken("payment")
    then = judge(replay(earlier)[0], earlier)
    if not isinstance(then, Decision):
        return None
    (asked,) = then.events
    if not _is_same(asked, made, context):
        return id_taken(_WHAT[type(made)])
    return Committed(loan_view(loan), replayed=True)


def other_day(asked: LoanEvent, stood: date, context: CommandContext) -> bool:
    """Whether another day is meant: whoever named none first may ask again after midnight."""
    return asked.value_date not in {stood, context.today}


def _is_same(asked: LoanEvent, made: LoanEvent, context: CommandContext) -> bool:
    match asked, made:
        case ChargeAdded(), ChargeAdded():
            return (asked.kind, asked.amount_minor) == (made.kind, made.amount_minor) and (
                asked.due_date in {made.due_date, context.today}
            )
        case LoanDisbursed(), LoanDisbursed():
            is_same = asked.amount_minor == made.amount_minor
        case RecoveryReceived(), RecoveryReceived():
            is_same = asked.amount_minor == made.amount_minor
        case _:
            return False
    return is_same and not other_day(asked, made.value_date, context)


_WHAT: Final[dict[type[LoanEvent], str]] = {
    LoanDisbursed: "disbursement",
    ChargeAdded: "charge",
    RecoveryReceived: "recovery",
}

"""Money that comes in after a write-off: a payment of a type of its own, which can be undone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from domain.accounting.journal import JournalMemo, Side, post
from domain.allocation.allocation import Allocation
from domain.commands.workouts import RecordRecovery, WriteOffLoan
from domain.decisions.closing import recover, undo_write_off, write_off
from domain.decisions.servicing import reverse
from domain.events.events import LoanEvent
from domain.identifiers import PaymentId
from domain.loan.decision import Decision, HistoryNeeded
from domain.loan.ledger_amounts import LedgerAccount
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.payment import PaymentStatus, PaymentType
from domain.loan.replay import replay
from domain.notifications.notification import NoticeType
from domain.notifications.rules import notices
from domain.rejections import AccessRefusal, LoanRefusal, PaymentRefusal, WorkoutRefusal
from domain.reports.statement import StatementEntry, statement
from tests.domain.lending_scenes import (
    LOAN,
    MANAGER,
    TELLER,
    TODAY,
    active_history,
    context,
    decided,
    rejected,
    reversal,
)

LATER = TODAY + timedelta(days=40)
RECOVERED = PaymentId(UUID(int=90))

History = tuple[LoanEvent, ...]


def moment(event: int, days: int = 0) -> object:
    return context(TELLER, event=event, today=LATER + timedelta(days=days))


@pytest.fixture
def written_off() -> tuple[History, Loan]:
    history, loan = active_history()
    command = WriteOffLoan(LOAN, "gone")
    done = decided(write_off(loan, command, context(MANAGER, event=200, today=LATER), history))
    return (*history, *done.events), done.loan


def recovered(scene: tuple[History, Loan]) -> tuple[History, Loan, Decision]:
    history, loan = scene
    command = RecordRecovery(RECOVERED, LOAN, Decimal(55), None, "cash", "bailiff")
    done = decided(recover(loan, command, moment(210, 1), None))
    return (*history, *done.events), done.loan, done


def undone(scene: tuple[History, Loan]) -> tuple[History, Loan, Decision]:
    history, loan, _ = recovered(scene)
    done = decided(reverse(loan, reversal(90), moment(220, 2), history))
    return (*history, *done.events), done.loan, done


def lines(decision: Decision, before: Loan) -> dict[tuple[LedgerAccount, Side], int]:
    (event,) = decision.events
    return {(one.account, one.side): one.amount_minor for one in post(event, before, decision)}


def test_a_recovery_is_a_payment_of_which_nothing_is_allocated(
    written_off: tuple[History, Loan],
) -> None:
    _, loan, done = recovered(written_off)
    (payment,) = done.payments
    assert (payment.type, payment.status) == (PaymentType.RECOVERY, PaymentStatus.POSTED)
    assert (payment.amount_minor, payment.allocation) == (5_500, Allocation())
    assert payment.outstanding_after_minor == loan.outstanding.total_minor > 0
    (notice,) = notices(done.events[0], written_off[1], done)
    assert notice.type is NoticeType.PAYMENT_RECORDED
    assert (notice.data["type"], notice.data["reversed"]) == ("recovery", False)


def test_a_recovery_is_not_of_a_day_before_the_write_off(
    written_off: tuple[History, Loan],
) -> None:
    """A statement of a loan that was recovered before it was given up could not be drawn."""
    history, loan = written_off
    early = RecordRecovery(
        RECOVERED, LOAN, Decimal(55), LATER - timedelta(days=1), "cash", "bailiff"
    )
    assert recover(loan, early, moment(210, 1), None) == HistoryNeeded()
    refused = rejected(recover(loan, early, moment(210, 1), history))
    assert [fault.pointer for fault in refused.faults] == ["/value_date"]
    assert str(LATER) in refused.detail


def test_undoing_it_posts_the_mirror_and_takes_it_out_of_what_was_recovered(
    written_off: tuple[History, Loan],
) -> None:
    history, before, came = recovered(written_off)
    assert reverse(before, reversal(90), moment(220), None) == HistoryNeeded()
    _, loan, done = undone(written_off)
    (payment,) = done.payments
    assert (payment.type, payment.status) == (PaymentType.RECOVERY, PaymentStatus.REVERSED)
    assert loan.book is not None
    assert (loan.status, loan.book.recovered_minor) == (LoanStatus.WRITTEN_OFF, 0)
    assert lines(came, written_off[1]) == {
        (LedgerAccount.CASH, Side.DEBIT): 5_500,
        (LedgerAccount.RECOVERY_INCOME, Side.CREDIT): 5_500,
    }
    assert lines(done, before) == {
        (LedgerAccount.CASH, Side.CREDIT): 5_500,
        (LedgerAccount.RECOVERY_INCOME, Side.DEBIT): 5_500,
    }
    assert {one.memo for one in post(done.events[0], before, done)} == {JournalMemo.REVERSAL}
    assert replay(reversed((*history, *done.events))) == (loan, done.payments)
    (notice,) = notices(done.events[0], before, done)
    assert (notice.data["type"], notice.data["reversed"]) == ("recovery", True)


def test_it_is_undone_once_and_only_if_it_is_there(written_off: tuple[History, Loan]) -> None:
    history, loan, _ = undone(written_off)
    again = rejected(reverse(loan, reversal(90), moment(230, 3), history))
    assert again.reason is PaymentRefusal.ALREADY_REVERSED
    other = rejected(reverse(loan, reversal(91), moment(230, 3), history))
    assert other.reason is AccessRefusal.NOT_FOUND


def test_a_loan_whose_recovery_was_undone_may_go_back_on_the_books(
    written_off: tuple[History, Loan],
) -> None:
    history, loan, _ = recovered(written_off)
    kept = rejected(undo_write_off(loan, moment(215, 2), history))
    assert kept.reason is WorkoutRefusal.ALREADY_PAID
    history, loan, _ = undone(written_off)
    back = decided(undo_write_off(loan, moment(230, 3), history))
    assert back.loan.status is LoanStatus.ACTIVE
    # It was reversed before; a loan on the books has no recovery to undo either way.
    refused = rejected(reverse(back.loan, reversal(90), moment(240, 4), (*history, *back.events)))
    assert refused.reason is PaymentRefusal.ALREADY_REVERSED


def test_only_a_written_off_loan_gives_a_recovery_back(written_off: tuple[History, Loan]) -> None:
    history, loan, _ = recovered(written_off)
    back = decided(undo_write_off(written_off[1], moment(250, 5), written_off[0]))
    facts = (*history, *back.events)
    active = replay(facts)[0]
    assert active.status is LoanStatus.ACTIVE, "as facts from elsewhere may make it"
    refused = rejected(reverse(active, reversal(90), moment(260, 6), facts))
    assert refused.reason is LoanRefusal.WRONG_STATE
    assert refused.facts == {"event": "reverse recovery", "state": "active"}
    assert loan.status is LoanStatus.WRITTEN_OFF


def test_a_statement_tells_of_it_and_of_its_undoing(written_off: tuple[History, Loan]) -> None:
    history, _, _ = undone(written_off)
    told = statement(history, TODAY, LATER + timedelta(days=9))
    moved = [line for line in told.lines if line.reference == RECOVERED]
    assert [(line.entry, line.debit_minor, line.credit_minor) for line in moved] == [
        (StatementEntry.RECOVERY, 0, 5_500),
        (StatementEntry.RECOVERY_REVERSED, 5_500, 0),
    ]
    untouched = statement(written_off[0], TODAY, LATER + timedelta(days=9))
    assert told.closing_minor == untouched.closing_minor

"""Fees on money that goes out: withheld of it, or due that day as a charge."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from pyxirr import xirr

from domain.accounting.journal import JournalMemo, Side, post
from domain.commands.loans import CommandContext
from domain.commands.workouts import UndoDisbursal, WaiveCharge
from domain.decisions.closing import undo_disbursal
from domain.decisions.origination import disburse
from domain.decisions.servicing import pay
from domain.decisions.tranches import disburse_further
from domain.decisions.workout import waive_charge
from domain.events.events import LoanDisbursed, LoanEvent
from domain.identifiers import DisbursementId
from domain.loan.decision import Decision
from domain.loan.ledger_amounts import LedgerAccount
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.replay import replay
from domain.loan.working_loan import resumed
from domain.rejections import DisburseRefusal
from domain.reports.loan_reports import schedule_view
from domain.reports.statement import StatementEntry, statement
from domain.schedule.charges import waive_charge as waive_of
from domain.simulation.quote import QuoteView, quote
from domain.terms.choices import ChargeKind, FeeCollection
from domain.terms.terms import DisbursementFee, Terms
from domain.terms.validation import check_terms
from tests.domain.lending_scenes import (
    LOAN,
    TELLER,
    TODAY,
    TWELVE_MONTHS,
    approved,
    context,
    decided,
    disbursement,
    payment,
    rejected,
    submitted,
)

NET_OFF = DisbursementFee(percent=Decimal("1.5"))
FLAT = DisbursementFee(amount_minor=2_000)
DUE = DisbursementFee(amount_minor=2_500, collection=FeeCollection.DUE)


def with_fees(*fees: DisbursementFee, tranches: int = 1) -> Terms:
    return replace(TWELVE_MONTHS, disbursement_fees=fees, tranches_max=tranches)


def moment(event: int, days: int = 0) -> CommandContext:
    return context(TELLER, event=event, today=TODAY + timedelta(days=days))


def paid_out(terms: Terms, amount: str | None = None) -> tuple[tuple[LoanEvent, ...], Decision]:
    loan = approved(terms).loan
    wanted = disbursement(None if amount is None else Decimal(amount))
    done = decided(disburse(loan, wanted, moment(102)))
    return (*submitted(terms).events, *approved(terms).events, *done.events), done


def posted(decision: Decision, before: Loan) -> dict[JournalMemo, dict[LedgerAccount, int]]:
    (event,) = decision.events
    books: dict[JournalMemo, dict[LedgerAccount, int]] = {}
    for line in post(event, before, decision):
        sign = 1 if line.side is Side.DEBIT else -1
        books.setdefault(line.memo, {})[line.account] = sign * line.amount_minor
    return books


def test_what_is_withheld_is_income_at_once_and_the_whole_principal_is_owed() -> None:
    terms = with_fees(NET_OFF, FLAT)
    _, done = paid_out(terms)
    (event,) = done.events
    assert isinstance(event, LoanDisbursed)
    assert event.withheld_minor == 1_800 + 2_000
    assert done.loan.outstanding.principal_minor == 120_000
    assert done.loan.outstanding.fees_minor == 0
    assert posted(done, approved(terms).loan) == {
        JournalMemo.DISBURSEMENT: {
            LedgerAccount.LOANS_RECEIVABLE: 120_000,
            LedgerAccount.CASH: -120_000,
        },
        JournalMemo.DISBURSEMENT_FEE: {
            LedgerAccount.CASH: 3_800,
            LedgerAccount.FEE_INCOME: -3_800,
        },
    }
    (out,) = schedule_view(done.loan, TODAY, TODAY).disbursements
    assert (out.on, out.amount_minor, out.withheld_minor) == (TODAY, 120_000, 3_800)


def test_what_is_due_is_a_charge_of_that_day_which_is_paid_or_waived() -> None:
    terms = with_fees(DUE)
    history, done = paid_out(terms)
    assert JournalMemo.DISBURSEMENT_FEE not in posted(done, approved(terms).loan)
    book = done.loan.book
    assert book is not None
    (charge,) = book.charges
    assert (charge.due_date, charge.kind, charge.amount_minor) == (TODAY, ChargeKind.FEE, 2_500)
    assert done.loan.instalments[0].fees_minor == 2_500
    paid = decided(pay(done.loan, payment("25.00"), moment(200), history))
    assert paid.payments[0].allocation.fees_minor == 2_500
    assert charge.charge_id is not None
    waiver = WaiveCharge(LOAN, charge.charge_id)
    waived = decided(waive_charge(done.loan, waiver, moment(200, 1), history))
    assert waived.loan.outstanding.fees_minor == 0
    position = resumed(done.loan).position
    assert position is not None
    assert waive_of(position, charge.charge_id) == 2_500


def test_a_flat_fee_is_asked_once_and_one_in_per_cent_of_each_sum() -> None:
    terms = with_fees(NET_OFF, FLAT, DUE, tranches=3)
    history, first = paid_out(terms, "400.00")
    more = replace(disbursement(Decimal(800)), disbursement_id=DisbursementId(UUID(int=31)))
    second = decided(disburse_further(first.loan, more, moment(300, 3), history))
    kept = [(one.amount_minor, one.withheld_minor) for one in second.loan.disbursements]
    assert kept == [(40_000, 600 + 2_000), (80_000, 1_200)]
    assert second.loan.book is not None
    assert [charge.amount_minor for charge in second.loan.book.charges] == [2_500]
    assert replay(reversed((*history, *second.events)))[0] == second.loan


def test_what_went_out_is_taken_back_with_its_fees() -> None:
    terms = with_fees(NET_OFF, DUE)
    history, done = paid_out(terms)
    command = UndoDisbursal(LOAN, None)
    back = decided(undo_disbursal(done.loan, command, moment(200, 1), history))
    assert (back.loan.status, back.loan.outstanding.total_minor) == (LoanStatus.APPROVED, 0)
    assert posted(back, done.loan) == {
        JournalMemo.DISBURSAL_UNDONE: {
            LedgerAccount.LOANS_RECEIVABLE: -120_000,
            LedgerAccount.CASH: 120_000 - 1_800,
            LedgerAccount.FEE_INCOME: 1_800,
        }
    }
    told = statement((*history, *back.events), TODAY, TODAY + timedelta(days=5))
    assert told.closing_minor == 0
    assert StatementEntry.FEES_WITHHELD not in {line.entry for line in told.lines}


def test_a_statement_tells_of_the_fee_and_that_it_was_withheld() -> None:
    history, _ = paid_out(with_fees(NET_OFF))
    told = statement(history, TODAY, TODAY)
    assert [(one.entry, one.debit_minor, one.credit_minor) for one in told.lines] == [
        (StatementEntry.DISBURSEMENT, 120_000, 0),
        (StatementEntry.FEES, 1_800, 0),
        (StatementEntry.FEES_WITHHELD, 0, 1_800),
    ]
    assert told.closing_minor == 120_000


@pytest.mark.parametrize("fee", [FLAT, replace(FLAT, collection=FeeCollection.DUE)])
def test_a_fee_makes_a_loan_dearer_whichever_way_it_is_collected(fee: DisbursementFee) -> None:
    """Paid on the day that the money goes out, both ways cost the same a year."""
    plain, dear = quote(TWELVE_MONTHS, (), TODAY), quote(with_fees(fee), (), TODAY)
    assert isinstance(plain, QuoteView)
    assert isinstance(dear, QuoteView)
    now = dear.answer.now
    days: list[date] = [TODAY, *(row.due_date for row in plain.answer.now.instalments)]
    sums = [-118_000, *(row.due_minor for row in plain.answer.now.instalments)]
    independent = xirr(days, sums)
    assert independent is not None
    assert now.effective_rate_percent is not None
    assert plain.answer.now.effective_rate_percent is not None
    assert abs(float(now.effective_rate_percent) / 100 - independent) < 1e-7
    assert now.effective_rate_percent > plain.answer.now.effective_rate_percent
    (out,) = now.disbursements
    assert out.amount_minor == 120_000
    assert out.withheld_minor == (2_000 if fee is FLAT else 0)


def test_the_plan_of_an_application_shows_the_fees_to_come() -> None:
    plan = schedule_view(submitted(with_fees(NET_OFF, DUE)).loan, TODAY, TODAY)
    assert plan.planned
    (out,) = plan.disbursements
    assert (out.amount_minor, out.withheld_minor) == (120_000, 1_800)
    assert plan.instalments[0].fees_minor == 2_500


def test_something_must_be_left_to_pay_out() -> None:
    wanted = approved(with_fees(FLAT, tranches=3)).loan
    refused = rejected(disburse(wanted, disbursement(Decimal(20)), moment(102)))
    assert (refused.reason, refused.faults[0].pointer) == (DisburseRefusal.BAD_AMOUNT, "/amount")
    decided(disburse(wanted, disbursement(Decimal("20.01")), moment(102)))


@pytest.mark.parametrize(
    ("fees", "pointer"),
    [
        ([DisbursementFee(percent=Decimal(100))], "/disbursement_fees/0/percent"),
        ([FLAT, DisbursementFee(amount_minor=-1)], "/disbursement_fees/1/amount"),
        ([DisbursementFee(amount_minor=120_000)], "/disbursement_fees"),
        ([DisbursementFee(Decimal(60)), DisbursementFee(Decimal(40))], "/disbursement_fees"),
    ],
)
def test_impossible_fees_are_told(fees: list[DisbursementFee], pointer: str) -> None:
    (fault,) = check_terms(with_fees(*fees))
    assert fault.pointer == pointer


def test_what_is_due_may_be_more_than_goes_out() -> None:
    assert (
        check_terms(with_fees(replace(FLAT, amount_minor=200_000, collection=DUE.collection))) == ()
    )

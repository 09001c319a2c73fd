"""A body for each command on a running loan, and the command that it must become."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.commands.workouts import (
    AddCharge,
    ChangeRate,
    ChargeOverdue,
    PayOff,
    ReAgeLoan,
    ReamortizeLoan,
    RecordRecovery,
    RefundCredit,
    RescheduleLoan,
    UndoApproval,
    UndoDisbursal,
    UndoWriteOff,
    WaiveCharge,
    WaiveInterest,
    WriteOffLoan,
)
from domain.identifiers import ChargeId, DisbursementId, LoanId, PaymentId
from domain.terms.choices import ChargeBase, ChargeKind
from domain.terms.terms import Frequency, FrequencyUnit

MADE = UUID(int=0x1234)
DAY = date(2026, 2, 3)
RECEIPT = {
    "amount": "12.50",
    "value_date": "2026-02-03",
    "method": "cash",
    "reference": "r-1",
    "id": str(MADE),
}
BODIES: dict[str, dict[str, Any]] = {
    "undo_approval": {},
    "undo_disbursal": {"disbursement_id": str(MADE)},
    "charge_loan": {
        "kind": "penalty",
        "amount": "12.50",
        "due_date": "2026-02-03",
        "id": str(MADE),
    },
    "charge_overdue": {"percent": "2.5", "base": "principal"},
    "waive": {"charge_id": str(MADE)},
    "change_rate": {"effective": "2026-02-03", "annual_rate_percent": "7.25"},
    "reschedule_loan": {"from_date": "2026-02-03", "annual_rate_percent": "7.25"},
    "reamortize_loan": {},
    "re_age_loan": {
        "start_date": "2026-02-03",
        "frequency": {"every": 2, "unit": "WEEKS"},
        "instalments": 6,
    },
    "write_off_loan": {"reason": "gone"},
    "undo_write_off": {},
    "recover": RECEIPT,
    "refund_credit": {"amount": "12.50"},
    "pay_off": RECEIPT,
}


def orders(loan_id: LoanId) -> dict[str, object]:
    """The command that each of the bodies is."""
    amount, rate = Decimal("12.50"), Decimal("7.25")
    receipt = (PaymentId(MADE), loan_id, amount, DAY, "cash", "r-1")
    return {
        "undo_approval": UndoApproval(loan_id),
        "undo_disbursal": UndoDisbursal(loan_id, DisbursementId(MADE)),
        "charge_loan": AddCharge(ChargeId(MADE), loan_id, ChargeKind.PENALTY, amount, DAY),
        "charge_overdue": ChargeOverdue(loan_id, Decimal("2.5"), ChargeBase.PRINCIPAL, None),
        "waive": WaiveCharge(loan_id, ChargeId(MADE)),
        "change_rate": ChangeRate(loan_id, DAY, rate),
        "reschedule_loan": RescheduleLoan(loan_id, DAY, rate),
        "reamortize_loan": ReamortizeLoan(loan_id),
        "re_age_loan": ReAgeLoan(loan_id, DAY, Frequency(2, FrequencyUnit.WEEKS), 6),
        "write_off_loan": WriteOffLoan(loan_id, "gone"),
        "undo_write_off": UndoWriteOff(loan_id),
        "recover": RecordRecovery(*receipt),
        "refund_credit": RefundCredit(loan_id, amount),
        "pay_off": PayOff(*receipt),
    }


LOAN_ORDERS = (
    UndoApproval,
    UndoDisbursal,
    AddCharge,
    ChargeOverdue,
    WaiveCharge,
    WaiveInterest,
    ChangeRate,
    RescheduleLoan,
    ReamortizeLoan,
    ReAgeLoan,
    WriteOffLoan,
    UndoWriteOff,
    RecordRecovery,
    RefundCredit,
)

"""Domain events and the rows that keep them: what is in the columns, and what is in `data`.

The header of an event has columns of its own; its other fields are JSON in `data`, amounts as
integers, decimals, dates and identifiers as text. Names and meanings never change once released:
an old row must read back as the event that was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, cast

import msgspec

from domain.events.events import (
    ApplicationAmended,
    ApprovalUndone,
    ChargeAdded,
    ChargeWaived,
    CreditRefunded,
    DisbursalUndone,
    InterestWaived,
    LoanApproved,
    LoanDisbursed,
    LoanEvent,
    LoanEventHeader,
    LoanReAged,
    LoanReamortized,
    LoanRejected,
    LoanRescheduled,
    LoanSubmitted,
    LoanWithdrawn,
    LoanWrittenOff,
    OverdueCharged,
    PaymentRecorded,
    PaymentReversed,
    RateChanged,
    RecoveryReceived,
    SuspenseApplied,
    WriteOffUndone,
)

TYPES: Final[Mapping[str, type[LoanEvent]]] = {
    "loan_submitted": LoanSubmitted,
    "application_amended": ApplicationAmended,
    "loan_approved": LoanApproved,
    "loan_rejected": LoanRejected,
    "loan_withdrawn": LoanWithdrawn,
    "loan_disbursed": LoanDisbursed,
    "payment_recorded": PaymentRecorded,
    "payment_reversed": PaymentReversed,
    "suspense_applied": SuspenseApplied,
    "approval_undone": ApprovalUndone,
    "disbursal_undone": DisbursalUndone,
    "charge_added": ChargeAdded,
    "charge_waived": ChargeWaived,
    "interest_waived": InterestWaived,
    "overdue_charged": OverdueCharged,
    "rate_changed": RateChanged,
    "loan_rescheduled": LoanRescheduled,
    "loan_reamortized": LoanReamortized,
    "loan_re_aged": LoanReAged,
    "loan_written_off": LoanWrittenOff,
    "write_off_undone": WriteOffUndone,
    "recovery_received": RecoveryReceived,
    "credit_refunded": CreditRefunded,
}
_NAMES: Final = {kind: name for name, kind in TYPES.items()}
_HEADER: Final = frozenset(field.name for field in fields(LoanEventHeader))
_OWN: Final = {
    kind: tuple(field.name for field in fields(kind) if field.name not in _HEADER)
    for kind in TYPES.values()
}


class UnknownEvent(LookupError):
    """A row holds a type of event that this program does not know: a newer one wrote it."""


def type_of(event: LoanEvent) -> str:
    """The name under which events of this type are kept."""
    return _NAMES[type(event)]


def data_of(event: LoanEvent) -> dict[str, object]:
    """The event's own fields as JSON values."""
    own = {name: getattr(event, name) for name in _OWN[type(event)]}
    return cast("dict[str, object]", msgspec.to_builtins(own))


def event_of(row: Mapping[str, Any]) -> LoanEvent:
    """The event of a row of loan_events; UnknownEvent, or msgspec.ValidationError for bad data."""
    kind = TYPES.get(row["type"])
    if kind is None:
        raise UnknownEvent(f"there is no event of the type {row['type']}")
    whole = {
        **row["data"],
        "event_id": row["id"],
        "loan_id": row["loan_id"],
        "at": row["at"],
        "by": row["by"],
        "value_date": row["value_date"],
    }
    return msgspec.convert(whole, kind)

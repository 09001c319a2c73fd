"""The life cycle of a loan as one table; the diagram in docs/lifecycle.md is drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class LoanStatus(StrEnum):
    """Where a loan stands. In arrears, restructured and the like are flags, not states."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    ACTIVE = "active"
    OVERPAID = "overpaid"
    CLOSED = "closed"
    WRITTEN_OFF = "written_off"


class LoanMove(StrEnum):
    """What can be tried on a loan; named in the refusal when its state does not allow it."""

    AMEND = "amend"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    DISBURSE = "disburse"
    DISBURSE_FURTHER = "disburse further"
    PAY = "pay"
    REVERSE = "reverse"
    UNDO_APPROVAL = "undo approval"
    UNDO_DISBURSAL = "undo disbursal"
    CHARGE = "charge"
    WAIVE = "waive"
    CHANGE_RATE = "change rate"
    RESTRUCTURE = "restructure"
    REFUND = "refund"
    WRITE_OFF = "write off"
    UNDO_WRITE_OFF = "undo write-off"
    RECOVER = "recover"
    REVERSE_RECOVERY = "reverse recovery"


_REPAID: Final = (LoanStatus.ACTIVE, LoanStatus.CLOSED, LoanStatus.OVERPAID)

# move -> state before -> states after; more than one where what is left to pay decides.
TRANSITIONS: Final[Mapping[LoanMove, Mapping[LoanStatus, tuple[LoanStatus, ...]]]] = (
    MappingProxyType(
        {
            LoanMove.AMEND: {LoanStatus.SUBMITTED: (LoanStatus.SUBMITTED,)},
            LoanMove.APPROVE: {LoanStatus.SUBMITTED: (LoanStatus.APPROVED,)},
            LoanMove.REJECT: {LoanStatus.SUBMITTED: (LoanStatus.REJECTED,)},
            LoanMove.WITHDRAW: {
                LoanStatus.SUBMITTED: (LoanStatus.WITHDRAWN,),
                LoanStatus.APPROVED: (LoanStatus.WITHDRAWN,),
            },
            LoanMove.DISBURSE: {LoanStatus.APPROVED: (LoanStatus.ACTIVE,)},
            # It may come before payments of its day, and leave fewer instalments with fees to pay.
            LoanMove.DISBURSE_FURTHER: {LoanStatus.ACTIVE: _REPAID},
            LoanMove.PAY: {LoanStatus.ACTIVE: _REPAID},
            LoanMove.REVERSE: dict.fromkeys(_REPAID, _REPAID),
            LoanMove.UNDO_APPROVAL: {LoanStatus.APPROVED: (LoanStatus.SUBMITTED,)},
            LoanMove.UNDO_DISBURSAL: {LoanStatus.ACTIVE: (LoanStatus.APPROVED, LoanStatus.ACTIVE)},
            LoanMove.CHARGE: dict.fromkeys(_REPAID, _REPAID),
            LoanMove.WAIVE: {LoanStatus.ACTIVE: _REPAID},
            LoanMove.CHANGE_RATE: {LoanStatus.ACTIVE: _REPAID},
            LoanMove.RESTRUCTURE: {LoanStatus.ACTIVE: (LoanStatus.ACTIVE,)},
            LoanMove.REFUND: {LoanStatus.OVERPAID: (LoanStatus.CLOSED, LoanStatus.OVERPAID)},
            LoanMove.WRITE_OFF: {LoanStatus.ACTIVE: (LoanStatus.WRITTEN_OFF,)},
            LoanMove.UNDO_WRITE_OFF: {LoanStatus.WRITTEN_OFF: (LoanStatus.ACTIVE,)},
            LoanMove.RECOVER: {LoanStatus.WRITTEN_OFF: (LoanStatus.WRITTEN_OFF,)},
            LoanMove.REVERSE_RECOVERY: {LoanStatus.WRITTEN_OFF: (LoanStatus.WRITTEN_OFF,)},
        }
    )
)

TERMINAL: Final = frozenset({LoanStatus.REJECTED, LoanStatus.WITHDRAWN})


def allows(status: LoanStatus, move: LoanMove) -> bool:
    """Say whether `move` may be tried on a loan in `status`."""
    return status in TRANSITIONS[move]


def diagram() -> str:
    """Draw the table as a Mermaid state diagram: what docs/lifecycle.md shows."""
    lines = ["stateDiagram-v2", f"    [*] --> {LoanStatus.SUBMITTED}: submit"]
    lines.extend(
        f"    {before} --> {after}: {move}"
        for move, edges in TRANSITIONS.items()
        for before, afters in edges.items()
        for after in afters
    )
    lines.extend(f"    {status} --> [*]" for status in LoanStatus if status in TERMINAL)
    return "\n".join(lines) + "\n"

"""What the audit trail speaks of: the names of all that is done, and of what it is done to.

A name never changes once released. It holds no line and knows no store.
"""

from __future__ import annotations

from typing import Final

from domain.operations.operating import NodeOrder, TreeOrder

AUDIT_ACTIONS: Final = frozenset(
    {
        # Loans and payments: the types of the events that are kept.
        "application_amended",
        "approval_undone",
        "charge_added",
        "charge_waived",
        "credit_refunded",
        "disbursal_undone",
        "interest_waived",
        "loan_approved",
        "loan_disbursed",
        "loan_re_aged",
        "loan_reamortized",
        "loan_rejected",
        "loan_rescheduled",
        "loan_submitted",
        "loan_withdrawn",
        "loan_written_off",
        "overdue_charged",
        "payment_recorded",
        "payment_reversed",
        "rate_changed",
        "recovery_received",
        "suspense_applied",
        "write_off_undone",
        # What is written beside them.
        "comment_added",
        "loan_rebuilt",
        "payment_annotated",
        "product_changed",
        "product_created",
        # People and their sign-ins.
        "password_changed",
        "refresh_token_reused",
        "session_ended",
        "sign_in_refused",
        "signed_in",
        "socket.watched",
        "user_created",
        "user_updated",
        # The node.
        "maintenance_announced",
        "node.four_eyes_off",
        "node.four_eyes_on",
        *(f"supervision.{order}" for order in (*TreeOrder, *NodeOrder)),
    }
)
AUDIT_ENTITIES: Final = frozenset(
    {"actor", "announcement", "loan", "node", "payment", "product", "session", "user"}
)

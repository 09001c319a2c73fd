"""Recoveries are payments of a type of their own: listed, annotated and reversed as all are.

Those that were recorded before get their rows here, from their events. An older program beside this
one goes on recording payments, whose type is the usual one.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEPT = """
    INSERT INTO payments (id, loan_id, amount_minor, currency, value_date, method, reference,
                          recorded_by, created_at, type)
    SELECT CAST(e.data ->> 'payment_id' AS uuid), e.loan_id,
           CAST(e.data ->> 'amount_minor' AS bigint), l.currency, e.value_date,
           e.data ->> 'method', e.data ->> 'reference', e.by, e.at, 'recovery'
      FROM loan_events AS e JOIN loans AS l ON l.id = e.loan_id
     WHERE e.type = 'recovery_received'
"""
STANDING = """
    INSERT INTO payment_projections (payment_id, branch_id, customer_id, status,
        allocated_principal_minor, allocated_interest_minor, allocated_fees_minor,
        allocated_penalties_minor, allocated_excess_minor, outstanding_after_minor,
        method, reference)
    SELECT p.id, l.branch_id, l.customer_id, 'posted', 0, 0, 0, 0, 0,
           l.outstanding_principal_minor + l.outstanding_interest_minor
             + l.outstanding_fees_minor + l.outstanding_penalties_minor,
           p.method, p.reference
      FROM payments AS p JOIN loans AS l ON l.id = p.loan_id
     WHERE p.type = 'recovery'
"""
# They count among the payments of their day.
COUNTED = """
    INSERT INTO tally_deltas (kind, branch_id, currency, status, day, rows, total_minor,
                              principal_minor)
    SELECT 'payments', coalesce(l.branch_id, '00000000-0000-0000-0000-000000000000'), p.currency,
           '', p.value_date, count(*), sum(p.amount_minor), 0
      FROM payments AS p JOIN loans AS l ON l.id = p.loan_id
     WHERE p.type = 'recovery' GROUP BY 2, 3, 5
"""


def upgrade() -> None:
    op.execute(
        "ALTER TABLE payments ADD COLUMN type TEXT DEFAULT 'payment' NOT NULL,"
        " ADD CONSTRAINT ck_payments_type CHECK (type IN ('payment', 'recovery'))"
    )
    for statement in (KEPT, STANDING, COUNTED):
        op.execute(statement)

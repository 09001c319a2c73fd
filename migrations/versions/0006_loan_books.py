"""Loan books, kept; a journal of many entries an event; and what a payment is not behind.

A loan on unusual terms needed all its events for each command: its book is now one document beside
it. An event that allocates thousands of payments anew posts more entries than a SMALLINT counts.
Refunds, write-offs and what else moves money without a payment belong to none.

The columns of the journal are rewritten, once. An older program goes on reading and writing beside
this one, but leaves no book: whoever finds none where one is needed asks the events.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BALANCES = """
    CREATE FUNCTION journal_must_balance(of_event uuid, of_entry integer) RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE
        difference numeric;
        lines integer;
    BEGIN
        SELECT count(*),
               coalesce(sum(CASE side WHEN 'debit' THEN amount_minor ELSE -amount_minor END), 0)
          INTO lines, difference
          FROM journal_lines WHERE event_id = of_event AND entry = of_entry;
        IF lines < 2 OR difference <> 0 THEN
            RAISE EXCEPTION 'journal entry % of event % does not balance: % lines, difference %',
                of_entry, of_event, lines, difference USING ERRCODE = 'check_violation';
        END IF;
    END $$
"""


def upgrade() -> None:
    op.execute("ALTER TABLE loans ADD COLUMN book JSONB")
    op.execute(
        "ALTER TABLE journal_transactions DROP CONSTRAINT ck_journal_transactions_payment,"
        " ALTER COLUMN entry TYPE INTEGER"
    )
    op.execute(
        "ALTER TABLE journal_lines ALTER COLUMN entry TYPE INTEGER,"
        " ALTER COLUMN number TYPE INTEGER"
    )
    op.execute(
        "ALTER TABLE journal_transactions ADD CONSTRAINT ck_journal_transactions_payment"
        " CHECK ((memo IN ('payment', 'reversal', 'reallocation', 'recovery'))"
        " = (payment_id IS NOT NULL))"
    )
    op.execute("DROP FUNCTION journal_must_balance(uuid, smallint)")
    op.execute(BALANCES)

"""The first schema: accounts, loans with their facts and projections, the journal, the change feed.

Only expands. The statements are written out, and stay as they are once released, whatever becomes
of persistence/tables.py; a test compares that file with the sum of all migrations.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text
from uuid_utils.compat import uuid7

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "CREATE SEQUENCE loan_numbers",
    """
    CREATE TABLE branches (
        id UUID NOT NULL,
        name TEXT NOT NULL,
        version INTEGER DEFAULT 1 NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_branches PRIMARY KEY (id),
        CONSTRAINT ck_branches_version CHECK (version > 0),
        CONSTRAINT uq_branches_name UNIQUE (name)
    )
    """,
    """
    CREATE TABLE node (
        id UUID NOT NULL,
        singleton BOOLEAN DEFAULT true NOT NULL,
        default_branch_id UUID NOT NULL,
        loan_number_prefix TEXT NOT NULL,
        CONSTRAINT pk_node PRIMARY KEY (id),
        CONSTRAINT ck_node_singleton CHECK (singleton),
        CONSTRAINT uq_node_singleton UNIQUE (singleton),
        CONSTRAINT fk_node_default_branch_id FOREIGN KEY(default_branch_id)
            REFERENCES branches (id) ON DELETE RESTRICT
    )
    """,
    """
    CREATE TABLE users (
        id UUID NOT NULL,
        email TEXT NOT NULL,
        full_name TEXT NOT NULL,
        role TEXT NOT NULL,
        branch_id UUID,
        is_active BOOLEAN DEFAULT true NOT NULL,
        version INTEGER DEFAULT 1 NOT NULL,
        sync_status TEXT DEFAULT 'synced' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        password_hash TEXT NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT ck_users_version CHECK (version > 0),
        CONSTRAINT ck_users_role CHECK (role IN ('customer', 'officer', 'manager',
            'operator', 'admin', 'node')),
        CONSTRAINT fk_users_branch_id FOREIGN KEY(branch_id)
            REFERENCES branches (id) ON DELETE RESTRICT
    )
    """,
    "CREATE INDEX ix_users_branch_id_id ON users (branch_id, id)",
    "CREATE UNIQUE INDEX uq_users_email ON users (lower(email))",
    """
    CREATE TABLE sign_in_sessions (
        id UUID NOT NULL,
        user_id UUID NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        address TEXT NOT NULL,
        user_agent TEXT,
        ended_at TIMESTAMP WITH TIME ZONE,
        ended_because TEXT,
        CONSTRAINT pk_sign_in_sessions PRIMARY KEY (id),
        CONSTRAINT ck_sign_in_sessions_end CHECK ((ended_at IS NULL) = (ended_because IS NULL)),
        CONSTRAINT fk_sign_in_sessions_user_id FOREIGN KEY(user_id)
            REFERENCES users (id) ON DELETE RESTRICT
    )
    """,
    "CREATE INDEX ix_sign_in_sessions_alive ON sign_in_sessions (user_id) WHERE ended_at IS NULL",
    "CREATE INDEX ix_sign_in_sessions_expires_at ON sign_in_sessions (expires_at)",
    """
    CREATE TABLE refresh_tickets (
        id UUID NOT NULL,
        session_id UUID NOT NULL,
        user_id UUID NOT NULL,
        issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        used_at TIMESTAMP WITH TIME ZONE,
        successor_id UUID,
        CONSTRAINT pk_refresh_tickets PRIMARY KEY (id),
        CONSTRAINT ck_refresh_tickets_use CHECK ((used_at IS NULL) = (successor_id IS NULL)),
        CONSTRAINT fk_refresh_tickets_session_id FOREIGN KEY(session_id)
            REFERENCES sign_in_sessions (id) ON DELETE RESTRICT,
        CONSTRAINT fk_refresh_tickets_user_id FOREIGN KEY(user_id)
            REFERENCES users (id) ON DELETE RESTRICT,
        CONSTRAINT uq_refresh_tickets_successor_id UNIQUE (successor_id)
    )
    """,
    "CREATE INDEX ix_refresh_tickets_expires_at ON refresh_tickets (expires_at)",
    "CREATE INDEX ix_refresh_tickets_session_id ON refresh_tickets (session_id)",
    """
    CREATE TABLE loans (
        id UUID NOT NULL,
        number TEXT NOT NULL,
        customer_id UUID NOT NULL,
        branch_id UUID,
        product_id UUID,
        principal_minor BIGINT NOT NULL,
        currency TEXT NOT NULL,
        annual_rate_percent NUMERIC NOT NULL,
        instalments INTEGER NOT NULL,
        frequency_every INTEGER NOT NULL,
        frequency_unit TEXT NOT NULL,
        interest_method TEXT NOT NULL,
        amortization TEXT NOT NULL,
        interest_calc_period TEXT NOT NULL,
        days_in_month TEXT NOT NULL,
        days_in_year TEXT NOT NULL,
        start_date DATE,
        first_due_date DATE,
        purpose TEXT,
        status TEXT NOT NULL,
        outstanding_principal_minor BIGINT NOT NULL,
        outstanding_interest_minor BIGINT NOT NULL,
        outstanding_fees_minor BIGINT NOT NULL,
        outstanding_penalties_minor BIGINT NOT NULL,
        credit_minor BIGINT NOT NULL,
        next_due_date DATE,
        next_due_minor BIGINT,
        disbursed_on DATE,
        version INTEGER NOT NULL,
        sync_status TEXT DEFAULT 'synced' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        created_by UUID NOT NULL,
        approved_by UUID,
        disbursed_minor BIGINT NOT NULL,
        last_value_date DATE,
        last_payment_event_id UUID,
        CONSTRAINT pk_loans PRIMARY KEY (id),
        CONSTRAINT ck_loans_principal CHECK (principal_minor > 0),
        CONSTRAINT ck_loans_currency CHECK (currency ~ '^[A-Z]{3}$'),
        CONSTRAINT ck_loans_annual_rate CHECK (annual_rate_percent >= 0 AND
            annual_rate_percent < 'Infinity'),
        CONSTRAINT ck_loans_counts CHECK (instalments > 0 AND frequency_every > 0),
        CONSTRAINT ck_loans_status CHECK (status IN ('submitted', 'approved', 'rejected',
            'withdrawn', 'active', 'overpaid', 'closed', 'written_off')),
        CONSTRAINT ck_loans_outstanding CHECK (outstanding_principal_minor >= 0 AND
            outstanding_interest_minor >= 0 AND outstanding_fees_minor >= 0 AND
            outstanding_penalties_minor >= 0 AND credit_minor >= 0),
        CONSTRAINT ck_loans_next_due CHECK ((next_due_date IS NULL) = (next_due_minor IS NULL)),
        CONSTRAINT ck_loans_disbursed CHECK (disbursed_minor BETWEEN 0 AND principal_minor),
        CONSTRAINT ck_loans_owed CHECK (outstanding_principal_minor <= disbursed_minor),
        CONSTRAINT ck_loans_version CHECK (version > 0),
        CONSTRAINT uq_loans_number UNIQUE (number),
        CONSTRAINT fk_loans_customer_id FOREIGN KEY(customer_id)
            REFERENCES users (id) ON DELETE RESTRICT,
        CONSTRAINT fk_loans_branch_id FOREIGN KEY(branch_id)
            REFERENCES branches (id) ON DELETE RESTRICT
    )
     WITH (fillfactor = 80)
    """,
    "CREATE INDEX ix_loans_branch_id_id ON loans (branch_id, id)",
    "CREATE INDEX ix_loans_branch_id_status_id ON loans (branch_id, status, id)",
    "CREATE INDEX ix_loans_customer_id_id ON loans (customer_id, id)",
    "CREATE INDEX ix_loans_status_id ON loans (status, id)",
    """
    CREATE TABLE instalments (
        loan_id UUID NOT NULL,
        number INTEGER NOT NULL,
        from_date DATE NOT NULL,
        due_date DATE NOT NULL,
        days INTEGER NOT NULL,
        principal_minor BIGINT NOT NULL,
        interest_minor BIGINT NOT NULL,
        fees_minor BIGINT NOT NULL,
        penalties_minor BIGINT NOT NULL,
        balance_minor BIGINT NOT NULL,
        interest_base_minor BIGINT NOT NULL,
        rate_factor NUMERIC NOT NULL,
        interest_unrounded NUMERIC NOT NULL,
        paid_principal_minor BIGINT NOT NULL,
        paid_interest_minor BIGINT NOT NULL,
        paid_fees_minor BIGINT NOT NULL,
        paid_penalties_minor BIGINT NOT NULL,
        CONSTRAINT pk_instalments PRIMARY KEY (loan_id, number),
        CONSTRAINT ck_instalments_shape CHECK (number > 0 AND days >= 0 AND balance_minor >= 0),
        CONSTRAINT ck_instalments_explanation CHECK (rate_factor < 'Infinity' AND
            interest_unrounded < 'Infinity'),
        CONSTRAINT ck_instalments_paid CHECK (paid_principal_minor BETWEEN 0 AND
            principal_minor AND paid_interest_minor BETWEEN 0 AND interest_minor AND
            paid_fees_minor BETWEEN 0 AND fees_minor AND paid_penalties_minor BETWEEN 0 AND
            penalties_minor),
        CONSTRAINT fk_instalments_loan_id FOREIGN KEY(loan_id)
            REFERENCES loans (id) ON DELETE RESTRICT
    )
     WITH (fillfactor = 80)
    """,
    """
    CREATE TABLE loan_events (
        id UUID NOT NULL,
        loan_id UUID NOT NULL,
        version INTEGER NOT NULL,
        type TEXT NOT NULL,
        data JSONB NOT NULL,
        value_date DATE NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        by UUID NOT NULL,
        CONSTRAINT pk_loan_events PRIMARY KEY (id),
        CONSTRAINT uq_loan_events_loan_id_version UNIQUE (loan_id, version),
        CONSTRAINT ck_loan_events_version CHECK (version > 0),
        CONSTRAINT fk_loan_events_loan_id FOREIGN KEY(loan_id)
            REFERENCES loans (id) ON DELETE RESTRICT
    )
    """,
    """
    CREATE TABLE disbursements (
        id UUID NOT NULL,
        loan_id UUID NOT NULL,
        tranche SMALLINT NOT NULL,
        amount_minor BIGINT NOT NULL,
        currency TEXT NOT NULL,
        value_date DATE NOT NULL,
        event_id UUID NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_disbursements PRIMARY KEY (id),
        CONSTRAINT uq_disbursements_loan_id_tranche UNIQUE (loan_id, tranche),
        CONSTRAINT ck_disbursements_amount CHECK (amount_minor > 0),
        CONSTRAINT ck_disbursements_tranche CHECK (tranche > 0),
        CONSTRAINT fk_disbursements_loan_id FOREIGN KEY(loan_id)
            REFERENCES loans (id) ON DELETE RESTRICT,
        CONSTRAINT uq_disbursements_event_id UNIQUE (event_id),
        CONSTRAINT fk_disbursements_event_id FOREIGN KEY(event_id)
            REFERENCES loan_events (id) ON DELETE RESTRICT
    )
    """,
    """
    CREATE TABLE payments (
        id UUID NOT NULL,
        loan_id UUID NOT NULL,
        amount_minor BIGINT NOT NULL,
        currency TEXT NOT NULL,
        value_date DATE NOT NULL,
        method TEXT,
        reference TEXT,
        recorded_by UUID NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_payments PRIMARY KEY (id),
        CONSTRAINT ck_payments_amount CHECK (amount_minor > 0),
        CONSTRAINT fk_payments_loan_id FOREIGN KEY(loan_id)
            REFERENCES loans (id) ON DELETE RESTRICT
    )
    """,
    "CREATE INDEX ix_payments_loan_id_id ON payments (loan_id, id)",
    """
    CREATE TABLE payment_projections (
        payment_id UUID NOT NULL,
        branch_id UUID,
        customer_id UUID NOT NULL,
        status TEXT NOT NULL,
        allocated_principal_minor BIGINT NOT NULL,
        allocated_interest_minor BIGINT NOT NULL,
        allocated_fees_minor BIGINT NOT NULL,
        allocated_penalties_minor BIGINT NOT NULL,
        allocated_excess_minor BIGINT NOT NULL,
        outstanding_after_minor BIGINT NOT NULL,
        method TEXT,
        reference TEXT,
        note TEXT,
        reversed_at TIMESTAMP WITH TIME ZONE,
        sync_status TEXT DEFAULT 'synced' NOT NULL,
        version INTEGER DEFAULT 1 NOT NULL,
        CONSTRAINT pk_payment_projections PRIMARY KEY (payment_id),
        CONSTRAINT ck_payment_projections_status CHECK (status IN ('posted', 'reversed',
            'suspense')),
        CONSTRAINT ck_payment_projections_reversed
            CHECK ((status = 'reversed') = (reversed_at IS NOT NULL)),
        CONSTRAINT ck_payment_projections_allocation CHECK (allocated_principal_minor >= 0 AND
            allocated_interest_minor >= 0 AND allocated_fees_minor >= 0 AND
            allocated_penalties_minor >= 0 AND allocated_excess_minor >= 0 AND
            outstanding_after_minor >= 0),
        CONSTRAINT ck_payment_projections_version CHECK (version > 0),
        CONSTRAINT fk_payment_projections_payment_id FOREIGN KEY(payment_id)
            REFERENCES payments (id) ON DELETE RESTRICT
    )
     WITH (fillfactor = 80)
    """,
    """
    CREATE INDEX ix_payment_projections_branch_id_payment_id
        ON payment_projections (branch_id, payment_id)
    """,
    """
    CREATE INDEX ix_payment_projections_customer_id_payment_id
        ON payment_projections (customer_id, payment_id)
    """,
    """
    CREATE TABLE payment_reversals (
        payment_id UUID NOT NULL,
        event_id UUID NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        by UUID NOT NULL,
        CONSTRAINT pk_payment_reversals PRIMARY KEY (payment_id),
        CONSTRAINT fk_payment_reversals_payment_id FOREIGN KEY(payment_id)
            REFERENCES payments (id) ON DELETE RESTRICT,
        CONSTRAINT uq_payment_reversals_event_id UNIQUE (event_id),
        CONSTRAINT fk_payment_reversals_event_id FOREIGN KEY(event_id)
            REFERENCES loan_events (id) ON DELETE RESTRICT
    )
    """,
    """
    CREATE TABLE payment_annotations (
        payment_id UUID NOT NULL,
        version INTEGER NOT NULL,
        method TEXT,
        reference TEXT,
        note TEXT,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        by UUID NOT NULL,
        CONSTRAINT pk_payment_annotations PRIMARY KEY (payment_id, version),
        CONSTRAINT fk_payment_annotations_payment_id FOREIGN KEY(payment_id)
            REFERENCES payments (id) ON DELETE RESTRICT
    )
    """,
    """
    CREATE TABLE journal_transactions (
        event_id UUID NOT NULL,
        entry SMALLINT NOT NULL,
        loan_id UUID NOT NULL,
        branch_id UUID,
        payment_id UUID,
        memo TEXT NOT NULL,
        currency TEXT NOT NULL,
        value_date DATE NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_journal_transactions PRIMARY KEY (event_id, entry),
        CONSTRAINT ck_journal_transactions_entry CHECK (entry >= 0),
        CONSTRAINT ck_journal_transactions_payment
            CHECK ((memo = 'disbursement') = (payment_id IS NULL)),
        CONSTRAINT fk_journal_transactions_event_id FOREIGN KEY(event_id)
            REFERENCES loan_events (id) ON DELETE RESTRICT,
        CONSTRAINT fk_journal_transactions_loan_id FOREIGN KEY(loan_id)
            REFERENCES loans (id) ON DELETE RESTRICT
    )
    """,
    """
    CREATE INDEX ix_journal_transactions_loan_id_event_id
        ON journal_transactions (loan_id, event_id)
    """,
    """
    CREATE UNIQUE INDEX uq_journal_transactions_reversal
        ON journal_transactions (payment_id) WHERE memo = 'reversal'
    """,
    """
    CREATE TABLE journal_lines (
        event_id UUID NOT NULL,
        entry SMALLINT NOT NULL,
        number SMALLINT NOT NULL,
        account TEXT NOT NULL,
        side TEXT NOT NULL,
        amount_minor BIGINT NOT NULL,
        CONSTRAINT pk_journal_lines PRIMARY KEY (event_id, entry, number),
        CONSTRAINT ck_journal_lines_amount CHECK (amount_minor > 0),
        CONSTRAINT ck_journal_lines_side CHECK (side IN ('debit', 'credit')),
        CONSTRAINT fk_journal_lines_event_id FOREIGN KEY(event_id, entry)
            REFERENCES journal_transactions (event_id, entry) ON DELETE RESTRICT
    )
    """,
    """
    CREATE TABLE comments (
        id UUID NOT NULL,
        loan_id UUID NOT NULL,
        author_id UUID NOT NULL,
        body TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_comments PRIMARY KEY (id),
        CONSTRAINT ck_comments_body CHECK (body <> ''),
        CONSTRAINT fk_comments_loan_id FOREIGN KEY(loan_id)
            REFERENCES loans (id) ON DELETE RESTRICT
    )
    """,
    "CREATE INDEX ix_comments_loan_id_id ON comments (loan_id, id)",
    """
    CREATE TABLE audit (
        id UUID NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        actor_id UUID,
        action TEXT NOT NULL,
        entity_type TEXT NOT NULL,
        entity_id UUID,
        branch_id UUID,
        request_id TEXT NOT NULL,
        address TEXT NOT NULL,
        before JSONB,
        after JSONB,
        CONSTRAINT pk_audit PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_audit_branch_id_id ON audit (branch_id, id)",
    """
    CREATE TABLE idempotency_keys (
        user_id UUID NOT NULL,
        method TEXT NOT NULL,
        path TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint BYTEA NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        view_type TEXT,
        view JSONB,
        CONSTRAINT pk_idempotency_keys PRIMARY KEY (user_id, method, path, key),
        CONSTRAINT ck_idempotency_keys_key CHECK (length(key) BETWEEN 1 AND 255),
        CONSTRAINT ck_idempotency_keys_fingerprint CHECK (octet_length(fingerprint) = 32)
    )
     WITH (fillfactor = 80)
    """,
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
    """
    CREATE TABLE feed_staging (
        seq BIGINT GENERATED ALWAYS AS IDENTITY (CACHE 1),
        xid TEXT DEFAULT (pg_current_xact_id())::text NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        type TEXT NOT NULL,
        branch_id UUID,
        customer_id UUID,
        topic UUID,
        data JSONB NOT NULL,
        CONSTRAINT pk_feed_staging PRIMARY KEY (seq)
    )
     WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)
    """,
    """
    CREATE TABLE feed (
        seq BIGINT NOT NULL,
        xid TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        type TEXT NOT NULL,
        branch_id UUID,
        customer_id UUID,
        topic UUID,
        data JSONB NOT NULL,
        CONSTRAINT pk_feed PRIMARY KEY (seq),
        CONSTRAINT ck_feed_seq CHECK (seq > 0)
    )
    """,
    """
    CREATE TABLE feed_head (
        singleton BOOLEAN DEFAULT true NOT NULL,
        epoch UUID NOT NULL,
        seq BIGINT NOT NULL,
        CONSTRAINT pk_feed_head PRIMARY KEY (singleton),
        CONSTRAINT ck_feed_head_singleton CHECK (singleton),
        CONSTRAINT ck_feed_head_seq CHECK (seq >= 0)
    )
    """,
    """
    CREATE TABLE tallies (
        kind TEXT NOT NULL,
        branch_id UUID NOT NULL,
        currency TEXT NOT NULL,
        status TEXT NOT NULL,
        day DATE NOT NULL,
        rows BIGINT NOT NULL,
        total_minor BIGINT NOT NULL,
        principal_minor BIGINT NOT NULL,
        CONSTRAINT pk_tallies PRIMARY KEY (kind, branch_id, currency, status, day)
    )
    """,
    """
    CREATE TABLE tally_deltas (
        kind TEXT NOT NULL,
        branch_id UUID NOT NULL,
        currency TEXT NOT NULL,
        status TEXT NOT NULL,
        day DATE NOT NULL,
        rows BIGINT NOT NULL,
        total_minor BIGINT NOT NULL,
        principal_minor BIGINT NOT NULL
    )
     WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)
    """,
)

# A fact is never updated nor deleted, whoever tries.
FACTS = (
    "loan_events",
    "disbursements",
    "payments",
    "payment_reversals",
    "payment_annotations",
    "journal_transactions",
    "journal_lines",
    "comments",
    "audit",
)
REFUSE_CHANGE = """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are facts: they are never updated nor deleted', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END $$
"""

# The books balance. Deferred to the commit for each transaction of the journal, so that one without
# lines is found; and for the lines at the end of each statement that adds some, so that a line that
# is added later to a balanced transaction is found as well. One look each, not one a line.
BALANCE = (
    """
    CREATE FUNCTION journal_must_balance(of_event uuid, of_entry smallint) RETURNS void
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
    """,
    """
    CREATE FUNCTION journal_transaction_balances() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM journal_must_balance(NEW.event_id, NEW.entry);
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION journal_lines_balance() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM journal_must_balance(event_id, entry)
           FROM (SELECT DISTINCT event_id, entry FROM added) AS touched;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER journal_transactions_balance
        AFTER INSERT ON journal_transactions DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION journal_transaction_balances()
    """,
    """
    CREATE TRIGGER journal_lines_balance AFTER INSERT ON journal_lines
        REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION journal_lines_balance()
    """,
)

# The stamper (persistence/feed.py says why it is right). As a function it is one message instead of
# four. It is two statements all the same: in READ COMMITTED each statement of a volatile function
# sees what was committed before it, so the move sees what the last holder of the lock left.
STAMPER = """
    CREATE FUNCTION stamp_feed() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        stamped bigint;
    BEGIN
        IF NOT EXISTS (SELECT FROM feed_staging) THEN
            RETURN 0;
        END IF;
        PERFORM pg_advisory_xact_lock(hashtext('stamper'));
        WITH moved AS (DELETE FROM feed_staging RETURNING *),
        grouped AS (
            SELECT *, max(seq) OVER (PARTITION BY xid) AS group_seq,
                   max(at) OVER (PARTITION BY xid) AS group_at
              FROM moved),
        placed AS (SELECT *, row_number() OVER (ORDER BY group_seq, seq) AS place FROM grouped),
        head AS (
            UPDATE feed_head SET seq = seq + (SELECT count(*) FROM moved)
             WHERE EXISTS (SELECT FROM moved)
            RETURNING seq - (SELECT count(*) FROM moved) AS seq)
        INSERT INTO feed (seq, xid, at, type, branch_id, customer_id, topic, data)
        SELECT head.seq + place, xid, group_at, type, branch_id, customer_id, topic, data
          FROM placed, head;
        GET DIAGNOSTICS stamped = ROW_COUNT;
        RETURN stamped;
    END $$
"""


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    op.execute(REFUSE_CHANGE)
    for table in FACTS:
        op.execute(
            f"CREATE TRIGGER {table}_are_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for statement in BALANCE:
        op.execute(statement)
    op.execute(STAMPER)
    _first_rows()


def _first_rows() -> None:
    """The node, the branch of whoever names none, and the empty feed."""
    connection = op.get_bind()
    branch = uuid7()
    connection.execute(
        text("INSERT INTO branches (id, name, created_at) VALUES (:id, 'Main branch', now())"),
        {"id": branch},
    )
    connection.execute(
        text(
            "INSERT INTO node (id, default_branch_id, loan_number_prefix)"
            " VALUES (:id, :branch, 'L')"
        ),
        {"id": uuid7(), "branch": branch},
    )
    connection.execute(
        text("INSERT INTO feed_head (epoch, seq) VALUES (:epoch, 0)"), {"epoch": uuid7()}
    )

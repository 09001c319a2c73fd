"""The tables, as SQLAlchemy Core describes them: what the statements are built from.

Not the schema's history: that is in `migrations/`, and a test holds that the sum of the migrations
is this. Money is BIGINT in minor units. Facts (events, payments, journal, audit and their like) are
never updated or deleted: triggers refuse it; what may change lies beside them as projections.

`by`, `created_by`, `author_id` and their like carry no foreign key: they may name a user of another
node, whose row never comes here. Nor do the copies of a loan's branch and customer beside payments
and journal, nor the user of an idempotency key: each insert would share-lock one and the same row.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

INSTANT: Final = DateTime(timezone=True)
# An update that changes no indexed column stays on its page while there is room (HOT).
ROOMY: Final = {"fillfactor": 80}
# Queues are emptied all the time: let what is dead be cleared early.
QUEUE: Final = {"autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 2000}
COUNTERS: Final = ("rows", "total_minor", "principal_minor")


def _to(column: str) -> ForeignKey:
    return ForeignKey(column, ondelete="RESTRICT")


BRANCHES: Final = Table(
    "branches",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("created_at", INSTANT, nullable=False),
    CheckConstraint("version > 0", name="version"),
)

# One row: who this node is, and what it gives to those who say nothing themselves.
NODE: Final = Table(
    "node",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("singleton", Boolean, nullable=False, server_default=text("true"), unique=True),
    Column("default_branch_id", Uuid, _to("branches.id"), nullable=False),
    Column("loan_number_prefix", Text, nullable=False),
    CheckConstraint("singleton", name="singleton"),
)
LOAN_NUMBERS: Final = Sequence("loan_numbers", metadata=METADATA)

USERS: Final = Table(
    "users",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("email", Text, nullable=False),
    Column("full_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("branch_id", Uuid, _to("branches.id"), nullable=True),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("sync_status", Text, nullable=False, server_default=text("'synced'")),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("access_number", BigInteger, nullable=False, server_default=text("1")),
    Column("made_by", Uuid, nullable=True),
    Column("password_set_by", Uuid, nullable=True),
    Column("password_set_at", INSTANT, nullable=True),
    Column("must_change_password", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("version > 0", name="version"),
    CheckConstraint(
        "role IN ('customer', 'officer', 'manager', 'operator', 'admin', 'node')", name="role"
    ),
    Index("ix_users_branch_id_id", "branch_id", "id"),
)
Index("uq_users_email", text("lower(email)"), unique=True, _table=USERS)

SIGN_IN_SESSIONS: Final = Table(
    "sign_in_sessions",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, _to("users.id"), nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("last_seen_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=True),
    Column("ended_at", INSTANT, nullable=True),
    Column("ended_because", Text, nullable=True),
    CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="end"),
    Index("ix_sign_in_sessions_alive", "user_id", postgresql_where=text("ended_at IS NULL")),
    Index("ix_sign_in_sessions_expires_at", "expires_at"),
)

REFRESH_TICKETS: Final = Table(
    "refresh_tickets",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("session_id", Uuid, _to("sign_in_sessions.id"), nullable=False),
    Column("user_id", Uuid, _to("users.id"), nullable=False),
    Column("issued_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("used_at", INSTANT, nullable=True),
    Column("successor_id", Uuid, nullable=True, unique=True),
    CheckConstraint("(used_at IS NULL) = (successor_id IS NULL)", name="use"),
    Index("ix_refresh_tickets_session_id", "session_id"),
    Index("ix_refresh_tickets_expires_at", "expires_at"),
)

PRODUCTS: Final = Table(
    "products",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    CheckConstraint("version > 0", name="version"),
)

# Each version of a product, whole, as JSON; a fact, because loans were made on it.
PRODUCT_VERSIONS: Final = Table(
    "product_versions",
    METADATA,
    Column("product_id", Uuid, _to("products.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("by", Uuid, nullable=False),
    PrimaryKeyConstraint("product_id", "version"),
    CheckConstraint("version > 0", name="version"),
)

_STATUSES = (
    "'submitted', 'approved', 'rejected', 'withdrawn', 'active', 'overpaid', 'closed', "
    "'written_off'"
)

# The first 32 columns are those of `LoanView`, in its order.
LOANS: Final = Table(
    "loans",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("customer_id", Uuid, _to("users.id"), nullable=False),
    Column("branch_id", Uuid, _to("branches.id"), nullable=True),
    Column("product_id", Uuid, nullable=True),
    Column("principal_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("annual_rate_percent", Numeric, nullable=False),
    Column("instalments", Integer, nullable=False),
    Column("frequency_every", Integer, nullable=False),
    Column("frequency_unit", Text, nullable=False),
    Column("interest_method", Text, nullable=False),
    Column("amortization", Text, nullable=False),
    Column("interest_calc_period", Text, nullable=False),
    Column("days_in_month", Text, nullable=False),
    Column("days_in_year", Text, nullable=False),
    Column("start_date", Date, nullable=True),
    Column("first_due_date", Date, nullable=True),
    Column("purpose", Text, nullable=True),
    Column("status", Text, nullable=False),
    Column("outstanding_principal_minor", BigInteger, nullable=False),
    Column("outstanding_interest_minor", BigInteger, nullable=False),
    Column("outstanding_fees_minor", BigInteger, nullable=False),
    Column("outstanding_penalties_minor", BigInteger, nullable=False),
    Column("credit_minor", BigInteger, nullable=False),
    Column("next_due_date", Date, nullable=True),
    Column("next_due_minor", BigInteger, nullable=True),
    Column("disbursed_on", Date, nullable=True),
    Column("version", Integer, nullable=False),
    Column("sync_status", Text, nullable=False, server_default=text("'synced'")),
    Column("created_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("created_by", Uuid, nullable=False),
    Column("approved_by", Uuid, nullable=True),
    Column("disbursed_minor", BigInteger, nullable=False),
    Column("last_value_date", Date, nullable=True),
    Column("last_payment_event_id", Uuid, nullable=True),
    # What of the terms has no column of its own, as JSON; NULL where all of it is as usual.
    Column("further_terms", JSONB, nullable=True),
    Column("suspense_minor", BigInteger, nullable=False, server_default=text("0")),
    # What the loan needs beside its instalments (persistence/loans/state_codec.py); NULL: nothing.
    Column("book", JSONB, nullable=True),
    Column("product_version", Integer, nullable=True),
    # What will be overdue of it, as [day, minor units], where its instalments do not tell.
    Column("dues_to_come", JSONB, nullable=True),
    # A loan of the time before there were products may name one that never was.
    ForeignKeyConstraint(
        ["product_id", "product_version"],
        ["product_versions.product_id", "product_versions.version"],
        ondelete="RESTRICT",
    ),
    CheckConstraint("principal_minor > 0", name="principal"),
    CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
    CheckConstraint(
        "annual_rate_percent >= 0 AND annual_rate_percent < 'Infinity'", name="annual_rate"
    ),
    CheckConstraint("instalments > 0 AND frequency_every > 0", name="counts"),
    CheckConstraint(f"status IN ({_STATUSES})", name="status"),
    CheckConstraint(
        "outstanding_principal_minor >= 0 AND outstanding_interest_minor >= 0 "
        "AND outstanding_fees_minor >= 0 AND outstanding_penalties_minor >= 0 "
        "AND credit_minor >= 0",
        name="outstanding",
    ),
    CheckConstraint("(next_due_date IS NULL) = (next_due_minor IS NULL)", name="next_due"),
    CheckConstraint("disbursed_minor BETWEEN 0 AND principal_minor", name="disbursed"),
    CheckConstraint("outstanding_principal_minor <= disbursed_minor", name="owed"),
    CheckConstraint("version > 0", name="version"),
    CheckConstraint("suspense_minor >= 0", name="suspense"),
    Index("ix_loans_customer_id_id", "customer_id", "id"),
    Index("ix_loans_branch_id_id", "branch_id", "id"),
    Index("ix_loans_branch_id_status_id", "branch_id", "status", "id"),
    Index("ix_loans_status_id", "status", "id"),
    postgresql_with=ROOMY,
)

# The columns are the fields of `Instalment`, in its order, after the loan.
INSTALMENTS: Final = Table(
    "instalments",
    METADATA,
    Column("loan_id", Uuid, _to("loans.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("from_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("days", Integer, nullable=False),
    Column("principal_minor", BigInteger, nullable=False),
    Column("interest_minor", BigInteger, nullable=False),
    Column("fees_minor", BigInteger, nullable=False),
    Column("penalties_minor", BigInteger, nullable=False),
    Column("balance_minor", BigInteger, nullable=False),
    Column("interest_base_minor", BigInteger, nullable=False),
    Column("rate_factor", Numeric, nullable=False),
    Column("interest_unrounded", Numeric, nullable=False),
    Column("paid_principal_minor", BigInteger, nullable=False),
    Column("paid_interest_minor", BigInteger, nullable=False),
    Column("paid_fees_minor", BigInteger, nullable=False),
    Column("paid_penalties_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("loan_id", "number"),
    CheckConstraint("number > 0 AND days >= 0 AND balance_minor >= 0", name="shape"),
    CheckConstraint(
        "rate_factor < 'Infinity' AND interest_unrounded < 'Infinity'", name="explanation"
    ),
    CheckConstraint(
        "paid_principal_minor BETWEEN 0 AND principal_minor "
        "AND paid_interest_minor BETWEEN 0 AND interest_minor "
        "AND paid_fees_minor BETWEEN 0 AND fees_minor "
        "AND paid_penalties_minor BETWEEN 0 AND penalties_minor",
        name="paid",
    ),
    postgresql_with=ROOMY,
)

LOAN_EVENTS: Final = Table(
    "loan_events",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("loan_id", Uuid, _to("loans.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("value_date", Date, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("by", Uuid, nullable=False),
    UniqueConstraint("loan_id", "version"),
    CheckConstraint("version > 0", name="version"),
)

DISBURSEMENTS: Final = Table(
    "disbursements",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("loan_id", Uuid, _to("loans.id"), nullable=False),
    Column("tranche", SmallInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("value_date", Date, nullable=False),
    Column("event_id", Uuid, _to("loan_events.id"), nullable=False, unique=True),
    Column("at", INSTANT, nullable=False),
    UniqueConstraint("loan_id", "tranche"),
    CheckConstraint("amount_minor > 0", name="amount"),
    CheckConstraint("tranche > 0", name="tranche"),
)

PAYMENTS: Final = Table(
    "payments",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("loan_id", Uuid, _to("loans.id"), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("value_date", Date, nullable=False),
    Column("method", Text, nullable=True),
    Column("reference", Text, nullable=True),
    Column("recorded_by", Uuid, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("type", Text, nullable=False, server_default=text("'payment'")),
    CheckConstraint("amount_minor > 0", name="amount"),
    CheckConstraint("type IN ('payment', 'recovery')", name="type"),
    Index("ix_payments_loan_id_id", "loan_id", "id"),
)

# What has become of a payment, and what is written beside it now.
PAYMENT_PROJECTIONS: Final = Table(
    "payment_projections",
    METADATA,
    Column("payment_id", Uuid, _to("payments.id"), primary_key=True),
    Column("branch_id", Uuid, nullable=True),
    Column("customer_id", Uuid, nullable=False),
    Column("status", Text, nullable=False),
    Column("allocated_principal_minor", BigInteger, nullable=False),
    Column("allocated_interest_minor", BigInteger, nullable=False),
    Column("allocated_fees_minor", BigInteger, nullable=False),
    Column("allocated_penalties_minor", BigInteger, nullable=False),
    Column("allocated_excess_minor", BigInteger, nullable=False),
    Column("outstanding_after_minor", BigInteger, nullable=False),
    Column("method", Text, nullable=True),
    Column("reference", Text, nullable=True),
    Column("note", Text, nullable=True),
    Column("reversed_at", INSTANT, nullable=True),
    Column("sync_status", Text, nullable=False, server_default=text("'synced'")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("reversal_reason", Text, nullable=True),
    CheckConstraint("status IN ('posted', 'reversed', 'suspense')", name="status"),
    CheckConstraint("(status = 'reversed') = (reversed_at IS NOT NULL)", name="reversed"),
    CheckConstraint(
        "allocated_principal_minor >= 0 AND allocated_interest_minor >= 0 "
        "AND allocated_fees_minor >= 0 AND allocated_penalties_minor >= 0 "
        "AND allocated_excess_minor >= 0 AND outstanding_after_minor >= 0",
        name="allocation",
    ),
    CheckConstraint("version > 0", name="version"),
    Index("ix_payment_projections_branch_id_payment_id", "branch_id", "payment_id"),
    Index("ix_payment_projections_customer_id_payment_id", "customer_id", "payment_id"),
    postgresql_with=ROOMY,
)

# A reversal is a fact, and there is one at most.
PAYMENT_REVERSALS: Final = Table(
    "payment_reversals",
    METADATA,
    Column("payment_id", Uuid, _to("payments.id"), primary_key=True),
    Column("event_id", Uuid, _to("loan_events.id"), nullable=False, unique=True),
    Column("at", INSTANT, nullable=False),
    Column("by", Uuid, nullable=False),
)

PAYMENT_ANNOTATIONS: Final = Table(
    "payment_annotations",
    METADATA,
    Column("payment_id", Uuid, _to("payments.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("method", Text, nullable=True),
    Column("reference", Text, nullable=True),
    Column("note", Text, nullable=True),
    Column("at", INSTANT, nullable=False),
    Column("by", Uuid, nullable=False),
    PrimaryKeyConstraint("payment_id", "version"),
)

# An entry of the books: what one event posts under one number, `entry`. It counts on `value_date`.
JOURNAL_TRANSACTIONS: Final = Table(
    "journal_transactions",
    METADATA,
    Column("event_id", Uuid, _to("loan_events.id"), nullable=False),
    Column("entry", Integer, nullable=False),
    Column("loan_id", Uuid, _to("loans.id"), nullable=False),
    Column("branch_id", Uuid, nullable=True),
    Column("payment_id", Uuid, nullable=True),
    Column("memo", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("value_date", Date, nullable=False),
    Column("at", INSTANT, nullable=False),
    # The business day of `at`. A release that does not know it posts on the day of the database.
    Column("posted_on", Date, nullable=False, server_default=text("CURRENT_DATE")),
    PrimaryKeyConstraint("event_id", "entry"),
    CheckConstraint("entry >= 0", name="entry"),
    CheckConstraint(
        "(memo IN ('payment', 'reversal', 'reallocation', 'recovery')) = (payment_id IS NOT NULL)",
        name="payment",
    ),
    Index("ix_journal_transactions_loan_id_event_id", "loan_id", "event_id"),
    Index("ix_journal_transactions_branch_id_event_id_entry", "branch_id", "event_id", "entry"),
    Index(
        "uq_journal_transactions_reversal",
        "payment_id",
        unique=True,
        postgresql_where=text("memo = 'reversal'"),
    ),
)

JOURNAL_LINES: Final = Table(
    "journal_lines",
    METADATA,
    Column("event_id", Uuid, nullable=False),
    Column("entry", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("event_id", "entry", "number"),
    ForeignKeyConstraint(
        ["event_id", "entry"],
        ["journal_transactions.event_id", "journal_transactions.entry"],
        ondelete="RESTRICT",
    ),
    CheckConstraint("amount_minor > 0", name="amount"),
    CheckConstraint("side IN ('debit', 'credit')", name="side"),
)

COMMENTS: Final = Table(
    "comments",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("loan_id", Uuid, _to("loans.id"), nullable=False),
    Column("author_id", Uuid, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    CheckConstraint("body <> ''", name="body"),
    Index("ix_comments_loan_id_id", "loan_id", "id"),
)

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("actor_id", Uuid, nullable=True),
    Column("action", Text, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("entity_id", Uuid, nullable=True),
    Column("branch_id", Uuid, nullable=True),
    Column("request_id", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("before", JSONB, nullable=True),
    Column("after", JSONB, nullable=True),
    Index("ix_audit_branch_id_id", "branch_id", "id"),
    Index("ix_audit_actor_id_id", "actor_id", "id"),
    Index("ix_audit_entity_id_id", "entity_id", "id"),
)

# `view` is what was answered; NULL only within the transaction that claims the key.
IDEMPOTENCY_KEYS: Final = Table(
    "idempotency_keys",
    METADATA,
    Column("user_id", Uuid, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=True),
    Column("created_at", INSTANT, nullable=False),
    Column("view_type", Text, nullable=True),
    Column("view", JSONB, nullable=True),
    PrimaryKeyConstraint("user_id", "method", "path", "key"),
    CheckConstraint("length(key) BETWEEN 1 AND 255", name="key"),
    CheckConstraint("octet_length(fingerprint) = 32", name="fingerprint"),
    Index("ix_idempotency_keys_created_at", "created_at"),
    postgresql_with=ROOMY,
)

# Notices of transactions that are under way or were not stamped yet (persistence/feed_stamper.py).
FEED_STAGING: Final = Table(
    "feed_staging",
    METADATA,
    Column("seq", BigInteger, Identity(always=True, cache=1), primary_key=True),
    Column("xid", Text, nullable=False, server_default=text("(pg_current_xact_id())::text")),
    Column("at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    Column("type", Text, nullable=False),
    Column("branch_id", Uuid, nullable=True),
    Column("customer_id", Uuid, nullable=True),
    Column("topic", Uuid, nullable=True),
    Column("data", JSONB, nullable=False),
    postgresql_with=QUEUE,
)

FEED: Final = Table(
    "feed",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("xid", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("type", Text, nullable=False),
    Column("branch_id", Uuid, nullable=True),
    Column("customer_id", Uuid, nullable=True),
    Column("topic", Uuid, nullable=True),
    Column("data", JSONB, nullable=False),
    CheckConstraint("seq > 0", name="seq"),
)

FEED_HEAD: Final = Table(
    "feed_head",
    METADATA,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("epoch", Uuid, nullable=False),
    Column("seq", BigInteger, nullable=False),
    # The life of the database in which the epoch began (persistence/feed/life.py).
    Column("system_identifier", BigInteger),
    Column("timeline", Integer),
    Column("database_oid", BigInteger),
    Column("table_oid", BigInteger),
    CheckConstraint("singleton", name="singleton"),
    CheckConstraint("seq >= 0", name="seq"),
)

# The dashboard's figures, kept by adding: `tally_deltas` takes one row a change (no hot row to wait
# for), `tallies` holds what was folded; the truth is the sum of both. What `kind`, `status` and
# `day` mean, and the stand-ins for NULL, is in persistence/commit/dashboard_counters.py.
TALLIES: Final = Table(
    "tallies",
    METADATA,
    Column("kind", Text, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("currency", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("rows", BigInteger, nullable=False),
    # One change fits into 64 bits; what many changes add up to need not.
    Column("total_minor", Numeric, nullable=False),
    Column("principal_minor", Numeric, nullable=False),
    PrimaryKeyConstraint("kind", "branch_id", "currency", "status", "day"),
)

TALLY_DELTAS: Final = Table(
    "tally_deltas",
    METADATA,
    Column("kind", Text, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("currency", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("day", Date, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in COUNTERS),
    postgresql_with=QUEUE,
)

# Which term has begun last. A singleton's write holds this row for share, so that a leader who was
# replaced changes nothing; who leads now is the advisory lock's business.
LEADERSHIP: Final = Table(
    "leadership",
    METADATA,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("term", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("since", INSTANT, nullable=False),
    CheckConstraint("singleton", name="singleton"),
    CheckConstraint("term >= 0", name="term"),
)

# How far time has gone for what ages out (persistence/node/cleanup.py).
UPKEEP: Final = Table(
    "upkeep",
    METADATA,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("aged_to", INSTANT, nullable=False),
    CheckConstraint("singleton", name="singleton"),
)

# Wrong passwords of the last hour. No foreign key: an account may be one that does not exist.
WRONG_TRIES: Final = Table(
    "wrong_tries",
    METADATA,
    Column("account", LargeBinary, nullable=False),
    Column("at", INSTANT, nullable=False),
    CheckConstraint("octet_length(account) = 32", name="account"),
    Index("ix_wrong_tries_account_at", "account", "at"),
    Index("ix_wrong_tries_at", "at"),
)

# No foreign keys: these rows are of use for seconds, and must hold up nobody.
CONNECT_TICKETS: Final = Table(
    "connect_tickets",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("session_id", Uuid, nullable=False),
    Column("access_until", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
)

PRESENCE_WORKERS: Final = Table(
    "presence_workers",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("node", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
)

PRESENCE: Final = Table(
    "presence",
    METADATA,
    Column("user_id", Uuid, primary_key=True),
    Column("worker_id", Uuid, primary_key=True),
    Column("sockets", Integer, nullable=False),
    Column("since", INSTANT, nullable=False),
    Column("left_at", INSTANT, nullable=True),
    CheckConstraint("sockets >= 0", name="sockets"),
    CheckConstraint("(sockets = 0) = (left_at IS NOT NULL)", name="left"),
)

FACTS: Final = (
    LOAN_EVENTS,
    DISBURSEMENTS,
    PAYMENTS,
    PAYMENT_REVERSALS,
    PAYMENT_ANNOTATIONS,
    JOURNAL_TRANSACTIONS,
    JOURNAL_LINES,
    COMMENTS,
    AUDIT,
    PRODUCT_VERSIONS,
)

SYNCED: Final = "synced"  # nothing is on its way to another node

# ruff: noqa: S608  the texts are put together from constants of this program alone
"""The SQL of accounts, sessions and refresh tokens, and the parts of what they write."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from persistence.accounts.rows import ACCOUNT_SQL
from persistence.commit.side_writes import BESIDE, all_columns
from persistence.commit.write_plan import Parts, insert_one, update_one
from persistence.postgres.statements import compiled
from persistence.tables import REFRESH_TICKETS, SIGN_IN_SESSIONS, USERS

_GUARD: Final = ("id", "version")
PASSWORD_COLUMNS: Final = (
    "access_number",
    "password_set_by",
    "password_set_at",
    "must_change_password",
)
ACCOUNT_PARTS: Final = Parts(
    {
        "user_new": lambda: insert_one("user_new", USERS, all_columns(USERS)),
        "user": lambda: update_one(
            "user",
            USERS,
            _GUARD,
            ("email", "full_name", "role", "branch_id", "is_active", "version", "updated_at"),
        ),
        "password": lambda: update_one(
            "password", USERS, _GUARD, ("password_hash", *PASSWORD_COLUMNS, "version", "updated_at")
        ),
        "session_new": lambda: insert_one(
            "session_new", SIGN_IN_SESSIONS, all_columns(SIGN_IN_SESSIONS)
        ),
        "ticket_new": lambda: insert_one(
            "ticket_new", REFRESH_TICKETS, all_columns(REFRESH_TICKETS)
        ),
        **BESIDE,
    }
)

# Held to the end of the transaction by whoever counts administrators or makes the first user.
LOCK_ADMINISTRATORS: Final = compiled(text("SELECT pg_advisory_xact_lock(hashtext('admins'))"))
COUNT_ADMINISTRATORS: Final = compiled(
    text("SELECT count(*) FROM users WHERE role = 'admin' AND is_active")
)
SELECT_ANY_USER: Final = compiled(text("SELECT EXISTS (SELECT FROM users)"))
SELECT_DEFAULT_BRANCH: Final = compiled(text("SELECT default_branch_id FROM node"))

SELECT_CREDENTIALS: Final = compiled(
    text(
        f"SELECT {ACCOUNT_SQL}, u.password_hash FROM users AS u"
        " WHERE lower(u.email) = lower(CAST(:email AS text))"
    )
)
SELECT_PASSWORD: Final = compiled(
    text("SELECT password_hash FROM users WHERE id = CAST(:user_id AS uuid)")
)
UPDATE_PASSWORD: Final = compiled(
    text(
        "UPDATE users SET password_hash = CAST(:password_hash AS text)"
        " WHERE id = CAST(:user_id AS uuid)"
    )
)
SELECT_USER: Final = compiled(
    text(f"SELECT {ACCOUNT_SQL} FROM users AS u WHERE u.id = CAST(:user_id AS uuid)")
)
LOCK_USER: Final = compiled(
    text(
        f"SELECT {ACCOUNT_SQL} FROM users AS u WHERE u.id = CAST(:user_id AS uuid)"
        " FOR NO KEY UPDATE"
    )
)
# A sign-in waits for a change of the account that is under way, and then sees it.
SHARE_USER: Final = compiled(
    text("SELECT branch_id, is_active FROM users WHERE id = CAST(:user_id AS uuid) FOR SHARE")
)
SELECT_ACCESS: Final = compiled(
    text(
        f"SELECT {ACCOUNT_SQL}, s.id AS session_id, s.created_at AS session_created_at,"
        " s.last_seen_at, s.expires_at, s.address, s.user_agent"
        " FROM users AS u LEFT JOIN sign_in_sessions AS s"
        " ON s.user_id = u.id AND s.ended_at IS NULL"
        " WHERE u.id = CAST(:user_id AS uuid) ORDER BY s.id"
    )
)

# What a clock wrote that was ahead does not keep a session awake.
UPDATE_SEEN: Final = compiled(
    text(
        """UPDATE sign_in_sessions AS s
        SET last_seen_at = greatest(least(s.last_seen_at, clock_timestamp()), given.at)
        FROM unnest(CAST(:ids AS uuid[]), CAST(:instants AS timestamptz[])) AS given (id, at)
        WHERE s.id = given.id AND s.ended_at IS NULL"""
    )
)
END_SESSION: Final = compiled(
    text(
        """UPDATE sign_in_sessions SET ended_at = CAST(:at AS timestamptz),
            ended_because = CAST(:because AS text)
        WHERE id = CAST(:session_id AS uuid) AND user_id = CAST(:user_id AS uuid)
          AND ended_at IS NULL RETURNING id"""
    )
)
END_SESSIONS: Final = compiled(
    text(
        """UPDATE sign_in_sessions SET ended_at = CAST(:at AS timestamptz),
            ended_because = CAST(:because AS text)
        WHERE user_id = CAST(:user_id AS uuid) AND ended_at IS NULL
          AND id IS DISTINCT FROM CAST(:kept AS uuid) RETURNING id"""
    )
)

# The one atomic step of a rotation: whoever comes second finds used_at set and gets no row. The
# successor gets the session's user and the session's absolute end, not what the caller thought.
SPEND_TICKET: Final = compiled(
    text(
        f"""WITH spent AS (
        UPDATE refresh_tickets AS t
           SET used_at = CAST(:at AS timestamptz), successor_id = CAST(:successor_id AS uuid)
          FROM sign_in_sessions AS s JOIN users AS u ON u.id = s.user_id
         WHERE t.id = CAST(:spent AS uuid) AND t.used_at IS NULL
           AND t.expires_at > CAST(:at AS timestamptz)
           AND s.id = t.session_id AND s.ended_at IS NULL
           AND s.expires_at > CAST(:at AS timestamptz)
           AND s.last_seen_at > CAST(:idle_before AS timestamptz) AND u.is_active
        RETURNING t.session_id, s.expires_at AS session_end, {ACCOUNT_SQL}),
    issued AS (
        INSERT INTO refresh_tickets (id, session_id, user_id, issued_at, expires_at)
        SELECT CAST(:successor_id AS uuid), session_id, id, CAST(:at AS timestamptz), session_end
          FROM spent RETURNING id),
    seen AS (
        UPDATE sign_in_sessions AS s
           SET last_seen_at = greatest(least(s.last_seen_at, clock_timestamp()),
                                       CAST(:at AS timestamptz))
          FROM spent WHERE s.id = spent.session_id RETURNING s.id)
    SELECT spent.* FROM spent, issued, seen"""
    )
)
SELECT_SPENT: Final = compiled(
    text(
        f"""SELECT {ACCOUNT_SQL}, t.session_id, t.used_at, n.id AS next_id,
               n.issued_at AS next_issued_at, n.expires_at AS next_expires_at,
               n.used_at AS next_used_at,
               (s.ended_at IS NULL AND s.expires_at > CAST(:at AS timestamptz)
                AND s.last_seen_at > CAST(:idle_before AS timestamptz) AND u.is_active)
               AS is_alive
          FROM refresh_tickets AS t
          JOIN sign_in_sessions AS s ON s.id = t.session_id
          JOIN users AS u ON u.id = t.user_id
          LEFT JOIN refresh_tickets AS n ON n.id = t.successor_id
         WHERE t.id = CAST(:spent AS uuid)"""
    )
)

"""Fill a running Lendwire with copies of one loan, paid once, for measuring on a book of real size.

The loan and its payment are made over REST; the copies are made in SQL, row by row the same, and
the dashboard's tallies grow by as much. The journal and the audit trail are not copied: nothing
that is measured reads them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

PASSWORD = "kestrel-lantern-42"
USERS = 16

COPIES = """
CREATE TEMP TABLE copies AS SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS payment_id
FROM generate_series(1, $1::integer) AS n
"""
LOANS = """
INSERT INTO loans SELECT (l).* FROM (
  SELECT jsonb_populate_record(
    loans, jsonb_build_object('id', c.id, 'number', 'BENCH-' || c.n)) AS l
  FROM loans, copies c WHERE loans.id = $1) AS copied
"""
INSTALMENTS = """
INSERT INTO instalments SELECT (i).* FROM (
  SELECT jsonb_populate_record(instalments, jsonb_build_object('loan_id', c.id)) AS i
  FROM instalments, copies c WHERE instalments.loan_id = $1) AS copied
"""
PAYMENTS = """
INSERT INTO payments SELECT (p).* FROM (
  SELECT jsonb_populate_record(
    payments, jsonb_build_object('id', c.payment_id, 'loan_id', c.id)) AS p
  FROM payments, copies c WHERE payments.loan_id = $1) AS copied
"""
PROJECTIONS = """
INSERT INTO payment_projections SELECT (p).* FROM (
  SELECT jsonb_populate_record(
    payment_projections, jsonb_build_object('payment_id', c.payment_id)) AS p
  FROM payment_projections JOIN payments ON payments.id = payment_id, copies c
  WHERE payments.loan_id = $1) AS copied
"""
TALLIES = """
INSERT INTO tally_deltas
SELECT kind, branch_id, currency, status, day, sum(rows) * $1::integer,
       sum(total_minor) * $1::integer, sum(principal_minor) * $1::integer
FROM (SELECT * FROM tallies UNION ALL SELECT * FROM tally_deltas) AS all_tallies
WHERE kind <> 'users' GROUP BY kind, branch_id, currency, status, day
"""


@dataclass(frozen=True)
class Book:
    """What the load needs to know."""

    tokens: list[str]
    loan_ids: list[str]
    user_ids: list[str]


def make_people_and_template(url: str, admin_email: str) -> tuple[list[str], list[str], str]:
    """Hire sixteen officers, lend once, take one payment; return tokens and ids, and the loan's."""
    with httpx.Client(base_url=url, timeout=60) as client:

        def sign_in(email: str) -> dict[str, str]:
            answer = client.post("/auth/login", json={"email": email, "password": PASSWORD})
            answer.raise_for_status()
            return {"Authorization": f"Bearer {answer.json()['access_token']}"}

        def post(headers: dict[str, str], path: str, body: object) -> Any:
            answer = client.post(path, json=body, headers=headers)
            assert answer.is_success, answer.text
            return answer.json()

        admin = sign_in(admin_email)
        people = {}
        for name, role in (
            ("customer", "customer"),
            ("manager", "manager"),
            *((f"officer{number}", "officer") for number in range(USERS)),
        ):
            person = {
                "email": f"{name}@example.com",
                "password": PASSWORD,
                "full_name": f"The {name}",
                "role": role,
            }
            people[name] = post(admin, "/users/", person)["id"]
        officers = [sign_in(f"officer{number}@example.com") for number in range(USERS)]
        manager = sign_in("manager@example.com")
        loan = post(
            officers[0],
            "/loans/",
            {
                "customer_id": people["customer"],
                "principal": "5000.00",
                "currency": "EUR",
                "annual_rate_percent": "12.5",
                "instalments": 12,
                "frequency": {"every": 1, "unit": "MONTHS"},
            },
        )
        post(manager, f"/loans/{loan['id']}/approve", {})
        post(officers[0], f"/loans/{loan['id']}/disburse", {})
        post(officers[0], "/payments/", {"loan_id": loan["id"], "amount": "10.00"})
        tokens = [headers["Authorization"].removeprefix("Bearer ") for headers in officers]
        return tokens, [people[f"officer{number}"] for number in range(USERS)], loan["id"]


async def _copy(dsn: str, loan_id: str, count: int) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(COPIES.replace("$1::integer", str(count)))
        for statement in (LOANS, INSTALMENTS, PAYMENTS, PROJECTIONS):
            await connection.execute(statement, loan_id)
        await connection.execute(TALLIES, count)
        await connection.execute("ANALYZE")
        return [str(row["id"]) for row in await connection.fetch("SELECT id FROM copies")]
    finally:
        await connection.close()


def seed(url: str, dsn: str, admin_email: str, count: int) -> Book:
    """Fill the server at `url`, whose database is at `dsn`, with `count` copies."""
    tokens, user_ids, loan_id = make_people_and_template(url, admin_email)
    return Book(tokens, asyncio.run(_copy(dsn, loan_id, count)), user_ids)

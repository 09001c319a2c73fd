"""The dashboard's figures: for a branch or all from the tallies, for a customer from his own rows.

The tallies and what was not folded into them yet are summed in one statement, so that the answer is
of one moment, and current to the last commit.

Out is principal; what was written off is off the books. Overdue is all that was to be paid before
today, as the arrears of the book have it (`domain/reports/upcoming_dues.py`). At risk is the
principal that is out on loans whose oldest unpaid instalment is more than thirty days late. A
payment counts on its value date, unless it was reversed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import text

from domain.access.roles import Scope, Sight
from domain.loan.lifecycle import LoanStatus
from domain.reports.views import PaymentTotals, PortfolioLine, StatisticsView
from persistence.commit.dashboard_counters import DUES, LOANS, PAYMENTS, USERS
from persistence.postgres.pool import PostgresPool
from persistence.postgres.statements import Statement, compiled

LATE_DAYS: Final = 30

# Sums are numeric: together, loans may owe more minor units than 64 bits hold.
_FIGURES: Final = """
    SELECT kind, currency, status,
           CAST(sum(rows) AS bigint) AS rows,
           sum(principal_minor) AS principal_minor,
           coalesce(sum(total_minor) FILTER (WHERE day < today), 0) AS overdue_minor,
           coalesce(sum(principal_minor) FILTER (WHERE day < late), 0) AS at_risk_minor,
           CAST(coalesce(sum(rows) FILTER (WHERE day = today), 0) AS bigint) AS rows_today,
           coalesce(sum(total_minor) FILTER (WHERE day = today), 0) AS total_today_minor,
           CAST(coalesce(sum(rows) FILTER (WHERE day BETWEEN late + 1 AND today), 0) AS bigint)
               AS rows_month,
           coalesce(sum(total_minor) FILTER (WHERE day BETWEEN late + 1 AND today), 0)
               AS total_month_minor
    FROM entries CROSS JOIN days
    GROUP BY kind, currency, status"""
_DAYS: Final = "days AS (SELECT CAST(:today AS date) AS today, CAST(:late AS date) AS late)"


def _of_tallies(condition: str) -> Statement:
    """Of older payments nothing is shown, so they need not be added up."""
    wanted = f"(t.kind <> '{PAYMENTS}' OR t.day > days.late){condition}"
    return compiled(
        text(
            f"WITH {_DAYS}, entries AS ("  # noqa: S608  constants
            f"SELECT t.* FROM tallies AS t, days WHERE {wanted}"
            f" UNION ALL SELECT t.* FROM tally_deltas AS t, days WHERE {wanted}){_FIGURES}"
        )
    )


SELECT_ALL: Final = _of_tallies("")
SELECT_BRANCH: Final = _of_tallies(" AND t.branch_id = CAST(:branch_id AS uuid)")
SELECT_CUSTOMER: Final = compiled(
    text(
        f"""WITH {_DAYS}, mine AS (
        SELECT * FROM loans WHERE customer_id = CAST(:customer_id AS uuid)),
    entries AS (
        SELECT '{LOANS}' AS kind, currency, status, next_due_date AS day, 1 AS rows,
               0 AS total_minor, outstanding_principal_minor AS principal_minor
          FROM mine
        UNION ALL
        SELECT '{DUES}', m.currency, '', i.due_date, 0,
               i.principal_minor + i.interest_minor + i.fees_minor + i.penalties_minor
               - i.paid_principal_minor - i.paid_interest_minor - i.paid_fees_minor
               - i.paid_penalties_minor, 0
          FROM mine AS m JOIN instalments AS i ON i.loan_id = m.id
         WHERE m.status <> 'written_off' AND m.dues_to_come IS NULL
        UNION ALL
        SELECT '{DUES}', m.currency, '', CAST(d.due ->> 0 AS date), 0,
               CAST(d.due ->> 1 AS bigint), 0
          FROM mine AS m CROSS JOIN LATERAL jsonb_array_elements(m.dues_to_come) AS d (due)
        UNION ALL
        SELECT '{PAYMENTS}', p.currency, '', p.value_date, 1, p.amount_minor, 0
          FROM payment_projections AS x JOIN payments AS p ON p.id = x.payment_id
         WHERE x.customer_id = CAST(:customer_id AS uuid) AND x.status <> 'reversed'
        UNION ALL
        SELECT '{USERS}', '', '', NULL, 1, 0, 0
    ){_FIGURES}"""  # noqa: S608  constants
    )
)


async def statistics(pool: PostgresPool, sight: Sight, today: date) -> StatisticsView:
    """On the loop's side: the figures over what is in sight; those of actors are left at 0."""
    days: dict[str, object] = {"today": today, "late": today - timedelta(days=LATE_DAYS)}
    match sight.scope:
        case Scope.ALL:
            return _view(await pool.fetch(SELECT_ALL, **days), today)
        case Scope.BRANCH:
            rows = await pool.fetch(SELECT_BRANCH, branch_id=sight.branch_id, **days)
            return _view(rows, today)
        case Scope.OWN:
            rows = await pool.fetch(SELECT_CUSTOMER, customer_id=sight.user_id, **days)
            return _view(rows, today)


def _view(rows: Iterable[Mapping[str, Any]], today: date) -> StatisticsView:
    by_kind: dict[str, list[Mapping[str, Any]]] = {LOANS: [], DUES: [], PAYMENTS: [], USERS: []}
    for row in rows:
        by_kind[row["kind"]].append(row)
    by_status: dict[str, int] = {}
    for row in by_kind[LOANS]:
        by_status[row["status"]] = by_status.get(row["status"], 0) + row["rows"]
    return StatisticsView(
        as_of=today,
        loans_by_status={status: count for status, count in by_status.items() if count},
        portfolio=_portfolio(by_kind[LOANS], by_kind[DUES]),
        payments_today=_totals(by_kind[PAYMENTS], "today"),
        payments_last_30_days=_totals(by_kind[PAYMENTS], "month"),
        users_total=sum(row["rows"] for row in by_kind[USERS]),
    )


def _portfolio(
    loans: Iterable[Mapping[str, Any]], dues: Iterable[Mapping[str, Any]]
) -> tuple[PortfolioLine, ...]:
    """A line for each currency in which something is owed."""
    sums: dict[str, list[int]] = {}
    for row in loans:
        if row["status"] == LoanStatus.WRITTEN_OFF:
            continue
        line = sums.setdefault(row["currency"], [0, 0, 0])
        line[0] += int(row["principal_minor"])
        line[2] += int(row["at_risk_minor"])
    for row in dues:
        sums.setdefault(row["currency"], [0, 0, 0])[1] += int(row["overdue_minor"])
    return tuple(
        PortfolioLine(currency, *line) for currency, line in sorted(sums.items()) if any(line)
    )


def _totals(rows: Iterable[Mapping[str, Any]], span: str) -> tuple[PaymentTotals, ...]:
    """A line for each currency in which something came in."""
    return tuple(
        PaymentTotals(row["currency"], row[f"rows_{span}"], int(row[f"total_{span}_minor"]))
        for row in sorted(rows, key=lambda row: str(row["currency"]))
        if row[f"rows_{span}"]
    )

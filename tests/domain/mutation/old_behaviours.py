"""What the engine did before it was mended, each with the property that finds it when put back.

A piece of source as it stands, what stood in its place, and the test that fails then. It runs
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

INTEREST = "test_interest_asked.py::test_interest_asked_is_what_the_balances_bear"
PROBES = "test_new_plans.py::test_rows_with_charges_ask_for_the_interest_that_filled_rows_left"
PAID_AHEAD = "test_new_plans.py::test_interest_that_was_paid_ahead_is_not_asked_for_again"
EARLY_MONEY = (
    "test_interest_asked.py::test_money_of_several_instalments_loses_no_interest_but_what_it_saves"
)
ROWS = "test_plan_of_rows.py::test_a_plan_has_the_rows_that_terms_and_events_say"


@dataclass(frozen=True)
class OldBehaviour:
    """`text` stands once in `file`; with `before` in its place, the property `test` fails."""

    name: str
    file: str
    text: str
    before: str
    test: str


OLD_BEHAVIOURS = (
    OldBehaviour(
        "C3: interest of rows that early money has filled is put off again and again",
        "domain/schedule/recalculation.py",
        """    if is_past or (most is not None and row.paid_principal > max(0, most - calculated)):
        row.interest = row.paid_interest
    else:
        asked = calculated if most is None else min(calculated, most)
""",
        """    if is_past or (most is not None and row.paid_principal > most - calculated):
        row.interest = row.paid_interest
    else:
        asked = calculated
""",
        PROBES,
    ),
    OldBehaviour(
        "C3: the same, in the rows that are laid out quickly",
        "domain/schedule/fast_path.py",
        """            row.carried = carried = -principal
            interest, principal = row.emi, 0
""",
        """            row.carried = carried = interest
            interest, principal = 0, row.emi
""",
        EARLY_MONEY,
    ),
    OldBehaviour(
        "C2: PROGRESSIVE counts days where periods were agreed",
        "domain/schedule/interest_days.py",
        "    return position.terms.recalculation_rest is",
        "    return not position.terms.is_progressive and position.terms.recalculation_rest is",
        INTEREST,
    ),
    OldBehaviour(
        "G5: rows that nothing was left for do not come back with a tranche",
        "domain/schedule/restructuring.py",
        "    inserted = _whole_again(position)\n",
        "    inserted: list[int] = []\n",
        ROWS,
    ),
    OldBehaviour(
        "C3: interest that a new plan moved is lost when rows are laid out again",
        "domain/schedule/amounts.py",
        "    own += row.moved\n",
        "",
        INTEREST,
    ),
    OldBehaviour(
        "C3: a re-age asks again for what was paid of days to come",
        "domain/schedule/restructuring.py",
        "            moved += row.moved - row.paid_interest\n",
        "            moved += row.moved\n",
        PAID_AHEAD,
    ),
    OldBehaviour(
        "E2: a re-age asks for every charge with its first row",
        "domain/schedule/charges.py",
        "            number = max(first_new, _row_for(position, charge.due_date)) + 1\n",
        "            number = first_new + 1\n",
        ROWS,
    ),
)

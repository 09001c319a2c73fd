"""The life cycle: one table, drawn as it is."""

from __future__ import annotations

from domain.loan.lifecycle import TERMINAL, TRANSITIONS, LoanMove, LoanStatus, allows, diagram


def test_every_move_has_a_line_in_the_table() -> None:
    assert set(TRANSITIONS) == set(LoanMove)


def test_nothing_leads_out_of_a_terminal_state() -> None:
    assert not [move for move in LoanMove for status in TERMINAL if allows(status, move)]


def test_the_diagram_draws_every_edge_once() -> None:
    edges = [
        f"    {before} --> {after}: {move}"
        for move, sources in TRANSITIONS.items()
        for before, targets in sources.items()
        for after in targets
    ]
    drawn = diagram().splitlines()
    assert drawn[:2] == ["stateDiagram-v2", "    [*] --> submitted: submit"]
    assert sorted(drawn[2:]) == sorted([*edges, *(f"    {status} --> [*]" for status in TERMINAL)])
    assert len(edges) == len(set(edges))


def test_a_payment_may_only_be_tried_on_an_active_loan() -> None:
    assert [status for status in LoanStatus if allows(status, LoanMove.PAY)] == [LoanStatus.ACTIVE]

"""In which order money pays rows and components, by each strategy, and how much each may take.

It answers steps; taking them is `domain/allocation/payment_application.py`'s. Charges are due on
their own date, principal and interest on the instalment's. Where a loan recalculates by the
CUMULATIVE formula, money beyond what is due is principal of the instalment that its day lies in,
however much it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from domain.schedule.working import Position, Row
from domain.terms.choices import (
    AllocationStrategy,
    ChargeKind,
    Component,
    DueBucket,
    FutureInstalmentRule,
    RecalculationRest,
)

PENALTY, FEE, INTEREST, PRINCIPAL = (
    Component.PENALTY,
    Component.FEE,
    Component.INTEREST,
    Component.PRINCIPAL,
)

_BY_INSTALMENT: Final = {
    AllocationStrategy.PENALTIES_FEES_INTEREST_PRINCIPAL: (PENALTY, FEE, INTEREST, PRINCIPAL),
    AllocationStrategy.INTEREST_PRINCIPAL_PENALTIES_FEES: (INTEREST, PRINCIPAL, PENALTY, FEE),
    AllocationStrategy.PRINCIPAL_INTEREST_PENALTIES_FEES: (PRINCIPAL, INTEREST, PENALTY, FEE),
}
_DUE_THEN_ADVANCE: Final = {
    AllocationStrategy.DUE_PENALTY_FEE_INTEREST_PRINCIPAL: (
        (PENALTY, FEE, INTEREST, PRINCIPAL),
        (PRINCIPAL, PENALTY, FEE, INTEREST),
    ),
    AllocationStrategy.DUE_PENALTY_INTEREST_PRINCIPAL_FEE: (
        (PENALTY, INTEREST, PRINCIPAL, FEE),
        (PENALTY, INTEREST, PRINCIPAL, FEE),
    ),
}
_DUE: Final = frozenset({DueBucket.PAST_DUE, DueBucket.DUE})
_ALL: Final = frozenset(DueBucket)


class Step(NamedTuple):
    """Row `row` may take of `component` what falls in `buckets`; `even` of them share the rest.

    `even` is the number of rows, this one included, over which the money left is spread evenly; 0
    where each takes all that it can.
    """

    row: int
    component: Component
    buckets: frozenset[DueBucket]
    even: int = 0


def steps(position: Position, day: date) -> Iterator[Step]:
    """The steps that money of `day` takes, by the strategy that was agreed."""
    strategy = position.terms.allocation_strategy
    rows = _open_rows(position, day)
    if strategy is AllocationStrategy.ADVANCED:
        yield from _advanced(position, day)
        return
    if strategy in _DUE_THEN_ADVANCE:
        first, second = _DUE_THEN_ADVANCE[strategy]
        for index in rows:
            for component in first:
                yield Step(index, component, _DUE)
        for index in rows:
            for component in _early_order(position, index, day, second):
                yield Step(index, component, _ALL)
        return
    for index in rows:
        for component in _early_order(position, index, day, _BY_INSTALMENT[strategy]):
            yield Step(index, component, _ALL)


def bucket_of(due: date, day: date) -> DueBucket:
    """How something due on `due` stands on `day`."""
    if due < day:
        return DueBucket.PAST_DUE
    return DueBucket.DUE if due == day else DueBucket.IN_ADVANCE


def room(position: Position, step: Step, day: date) -> int:
    """What the row of `step` may still take of its component."""
    row = position.rows[step.row]
    if step.component is INTEREST or step.component is PRINCIPAL:
        if bucket_of(row.span.due_date, day) not in step.buckets:
            return 0
        if step.component is INTEREST:
            return max(0, row.interest - row.paid_interest)
        asked = max(0, row.principal - row.paid_principal)
        if not position.terms.recalculates:
            return asked
        everything = takes_all(position, step.row, day)
        if not (asked or everything):
            return 0
        paid = sum([one.paid_principal for one in position.rows])
        # What earlier rows still ask for is theirs, in whatever order they are paid. So is a down
        # payment of a later row: no row that is laid out anew can bring it back.
        theirs = sum(
            [
                max(0, one.principal - one.paid_principal)
                for at, one in enumerate(position.rows)
                if at < step.row or (at > step.row and not one.bears_interest)
            ]
        )
        out = max(0, position.total_out - paid - theirs)
        return out if everything else min(asked, out)
    kind = ChargeKind.FEE if step.component is FEE else ChargeKind.PENALTY
    owed = (
        row.fees - row.paid_fees if kind is ChargeKind.FEE else row.penalties - row.paid_penalties
    )
    if step.buckets == _ALL or not position.charges:
        due = bucket_of(row.span.due_date, day) in step.buckets
        return max(0, owed) if due or step.buckets == _ALL else 0
    return min(max(0, owed), _charges_in(position, step, row, kind, day))


def takes_all(position: Position, index: int, day: date) -> bool:
    """Say whether row `index` takes as principal whatever comes in on `day` beyond what is due."""
    return index == _taking_all(position, day)


def _taking_all(position: Position, day: date) -> int | None:
    if not position.terms.recalculates or position.terms.is_progressive:
        return None
    if position.interest_until is not None:
        return None  # rows that are not laid out again take what they ask for
    current = position.first_due_on_or_after(day)
    while current < len(position.rows) and not _is_open(position.rows[current]):
        current += 1
    return current


def _is_open(row: Row) -> bool:
    return row.bears_interest and not row.is_emptied


def _open_rows(position: Position, day: date) -> list[int]:
    """The rows that money of `day` may go to: long lives have many that ask for nothing more."""
    current = _taking_all(position, day)
    return [index for index, row in enumerate(position.rows) if row.outstanding or index == current]


def _charges_in(position: Position, step: Step, row: Row, kind: ChargeKind, day: date) -> int:
    """What charges in the step's buckets, each by its own date, still ask for."""
    own = [
        charge
        for charge in position.charges
        if charge.number == step.row + 1 and charge.kind is kind
    ]
    dated = sum(
        charge.outstanding_minor
        for charge in own
        if bucket_of(charge.due_date, day) in step.buckets
    )
    asked, paid = (
        (row.fees, row.paid_fees) if kind is ChargeKind.FEE else (row.penalties, row.paid_penalties)
    )
    # What is not a charge of its own falls due with the instalment.
    rest = asked - paid - sum(charge.outstanding_minor for charge in own)
    in_time = bucket_of(row.span.due_date, day) in step.buckets
    return dated + (max(0, rest) if in_time else 0)


def _early_order(
    position: Position, index: int, day: date, order: tuple[Component, ...]
) -> tuple[Component, ...]:
    """Money before a due date: with a daily rest all of it is principal, interest waits."""
    if (
        position.terms.recalculation_rest is not RecalculationRest.DAILY
        or not takes_all(position, index, day)
        or position.rows[index].span.due_date == day
    ):
        return order
    charges = tuple(component for component in order if component in {PENALTY, FEE})
    return (*charges, PRINCIPAL, INTEREST)


def _advanced(position: Position, day: date) -> Iterator[Step]:
    """Bucket by bucket in the order agreed; within one, row by row and component by component."""
    done: set[DueBucket] = set()
    for bucket, _ in position.terms.allocation_order:
        if bucket in done:
            continue
        done.add(bucket)
        components = tuple(c for b, c in position.terms.allocation_order if b is bucket)
        if bucket is DueBucket.IN_ADVANCE:
            yield from _in_advance(position, day, components)
            continue
        for index in _open_rows(position, day):
            for component in components:
                yield Step(index, component, frozenset({bucket}))


def _in_advance(position: Position, day: date, components: tuple[Component, ...]) -> Iterator[Step]:
    rule = position.terms.future_instalment_rule
    # A charge may be due later than the row that it is shown on.
    charged = {
        charge.number - 1
        for charge in position.charges
        if charge.due_date >= day and charge.outstanding_minor
    }
    ahead = [
        index
        for index, row in enumerate(position.rows)
        if row.outstanding > 0 and (row.span.due_date >= day or index in charged)
    ]
    if rule is FutureInstalmentRule.LAST_INSTALLMENT:
        ahead.reverse()
    if rule is FutureInstalmentRule.REAMORTIZATION:
        later = [index for index in ahead if position.rows[index].span.due_date > day]
        for place, index in enumerate(later):
            for component in components:
                yield Step(index, component, frozenset({DueBucket.IN_ADVANCE}), len(later) - place)
    for index in ahead:
        for component in _early_order(position, index, day, components):
            yield Step(index, component, frozenset({DueBucket.IN_ADVANCE}))

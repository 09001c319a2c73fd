"""What each row of a schedule asks for: the equal instalment, its grace, its interest and its fees.

Pure arithmetic over a `Position`; when rows are laid out again is
`domain/schedule/recalculation.py`'s to say.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from domain.money import ARITHMETIC, interest_on, round_minor, round_to_multiple
from domain.schedule.accrual import plan_out, total_factor
from domain.schedule.annuity import equal_instalment, progressive_instalment
from domain.schedule.day_count import annuity_factor
from domain.schedule.working import Position, Row, copied
from domain.terms.choices import ChargeBase, ChargeKind, RowKind
from domain.terms.terms import Amortization, InterestMethod

_HUNDRED = Decimal(100)

Fill = Callable[[Position], None]


def principal_grace(position: Position) -> int:
    """How many instalments, from the first, ask for no principal."""
    terms = position.terms
    if terms.amortization is Amortization.BULLET:
        return max(0, _instalments(position) - 1)
    return terms.grace_on_principal_payment


def ordinal(position: Position, index: int) -> int:
    """The place of row `index` among the instalments, from 0; other kinds do not count."""
    return sum(1 for row in position.rows[:index] if row.kind is RowKind.INSTALMENT)


def reset_instalment(
    position: Position, since: int, fill: Fill | None, balance: int | None = None
) -> None:
    """A new instalment for the rows from index `since` on, rounded as agreed, then `fill` them.

    `balance` is what they have to bring back; without it, what is planned to be out.
    """
    rows = [row for row in position.rows[since:] if _repays(row)]
    graced = _graced(position, since)
    repaying = rows[graced:] or rows[-1:]
    if not repaying:
        return
    if balance is None:
        balance = _balance(position, since)
    if fill is not None and position.terms.is_progressive:
        fill(position)
    unrounded = _unrounded(position, repaying, balance)
    position.flat_share = unrounded
    emi = _rounded(position, unrounded)
    for row in rows:
        row.emi = emi
    if fill is None:
        return
    fill(position)
    if position.terms.is_progressive and _is_annuity(position):
        _smooth(position, since, repaying, fill)


def collected(position: Position, index: int, own: int) -> int:
    """What of its own and earlier interest row `index` asks for, with the grace that was agreed.

    Below nothing where a new plan moved more interest that was paid to the row than it has.
    """
    terms, row = position.terms, position.rows[index]
    own += row.moved
    if row.kind is RowKind.RE_AGED:
        return own  # grace is of the instalments that were agreed at first
    if not (terms.grace_on_interest_payment or terms.interest_free_periods):
        return own
    place = ordinal(position, index)
    if place < terms.interest_free_periods:
        return row.moved
    if place < terms.grace_on_interest_payment:
        return row.moved
    if place > terms.grace_on_interest_payment:
        return own
    return own + _deferred(position, index)


def deferred_so_far(position: Position, day: date) -> int:
    """The interest of rows due by `day` that grace has put off and no row asks for yet."""
    rows = [row for row in position.rows if row.span.due_date <= day]
    if any(row.kind is RowKind.RE_AGED for row in rows):
        return 0  # the re-age before has moved it
    index = len(rows)
    place = ordinal(position, index)
    if place > position.terms.grace_on_interest_payment:
        return 0
    return _deferred(position, index)


def unused_credit(position: Position, since: int) -> int:
    """What is left at row `since` of interest paid ahead that a new plan moved: nothing or less."""
    if all(row.moved >= 0 for row in position.rows[:since]):
        return 0
    left = carried = 0
    for index, row in enumerate(position.rows[:since]):
        if not row.bears_interest or row.is_emptied:
            continue
        if row.moved or left:
            left = min(0, left + carried + collected(position, index, row.accrued))
        carried = row.carried
    return left


def planned_principal(
    position: Position, row: Row, index: int, left: int, interest: int | None = None
) -> int:
    """What row `index` is planned to bring back of the `left` that is still out."""
    if row.kind is RowKind.BROKEN_PERIOD:
        return 0
    terms = position.terms
    if terms.is_plain_annuity and interest is not None:
        return max(0, min(row.emi - interest, left))
    if _is_graced(position, row, index):
        return 0
    if terms.amortization is Amortization.EQUAL_PRINCIPAL:
        return max(0, min(row.emi, left))
    asked = row.interest if interest is None else interest
    asked -= _put_off(position, index)
    if not terms.recalculates:
        asked -= row.moved  # it is asked for on top of the instalment
    if is_flat(position) and row.kind is RowKind.INSTALMENT:
        return max(0, min(_flat_instalment(position, row) - asked, left))
    return max(0, min(row.emi - asked, left))


def interest_at_most(position: Position, row: Row, index: int) -> int | None:
    """The most interest that row `index` has room for; None where it asks for all there is.

    An instalment that is equal in total has room for no more than it is. Rows without principal to
    bring back, and those whose principal is what is equal, ask for interest beside it.
    """
    if (
        position.terms.amortization is Amortization.EQUAL_PRINCIPAL
        or row.kind is RowKind.BROKEN_PERIOD
        or _is_graced(position, row, index)
    ):
        return None
    return row.emi + _put_off(position, index)


def principal_around(position: Position, since: int) -> tuple[int, int, int]:
    """What the rows before `since` ask for, what those after have been paid, what all bring back.

    Rows that bear no interest do not count.
    """
    before = ahead = 0
    total = position.total_out
    for index, row in enumerate(position.rows):
        if not row.bears_interest:
            total -= row.principal
        elif index < since:
            before += row.principal
        else:
            ahead += row.paid_principal
    return before, ahead, total


def carried_to(position: Position, since: int) -> int:
    """The interest that the rows before `since` left to it."""
    earlier = [row for row in position.rows[:since] if row.bears_interest]
    return earlier[-1].carried if earlier else 0


def fees_of(position: Position, row: Row, index: int) -> tuple[int, int]:
    """The fees and the penalties that row `index` asks for.

    A charge asks for its own amount, whatever was paid on the row for another reason: beside it, a
    fee on the instalment that was paid before it became less stays as it was paid.
    """
    if not position.charges and not position.terms.instalment_fees:
        return row.paid_fees, row.paid_penalties
    charged = {ChargeKind.FEE: 0, ChargeKind.PENALTY: 0}
    own = dict(charged)
    paid = {ChargeKind.FEE: row.paid_fees, ChargeKind.PENALTY: row.paid_penalties}
    for charge in position.charges:
        if charge.number == index + 1:
            charged[charge.kind] += charge.amount_minor - charge.waived_minor
            paid[charge.kind] -= charge.paid_minor
    # A loan that was paid off, or closed within its tolerance, asks for no fee that was given up.
    if position.interest_until is None and _repays(row) and (row.principal or row.interest):
        for fee in position.terms.instalment_fees:
            amount = fee.amount_minor
            if fee.percent is not None:
                amount = percent_of(charge_base(row, fee.base), fee.percent)
            own[fee.kind] += amount
    return (
        charged[ChargeKind.FEE] + max(own[ChargeKind.FEE], paid[ChargeKind.FEE]),
        charged[ChargeKind.PENALTY] + max(own[ChargeKind.PENALTY], paid[ChargeKind.PENALTY]),
    )


def charge_base(row: Row, base: ChargeBase) -> int:
    """The amount of `row` that a charge in per cent is reckoned of."""
    match base:
        case ChargeBase.PRINCIPAL:
            return row.principal
        case ChargeBase.INTEREST:
            return row.interest
        case ChargeBase.PRINCIPAL_AND_INTEREST:
            return row.principal + row.interest


def percent_of(amount_minor: int, percent: Decimal) -> int:
    """`percent` per cent of an amount, rounded half to even."""
    return interest_on(amount_minor, ARITHMETIC.divide(percent, _HUNDRED))[1]


def _instalments(position: Position) -> int:
    return sum(1 for row in position.rows if row.kind is RowKind.INSTALMENT)


def _repays(row: Row) -> bool:
    return row.kind in {RowKind.INSTALMENT, RowKind.RE_AGED} and not row.is_emptied


def _graced(position: Position, since: int) -> int:
    """How many of the instalments from row `since` on still ask for no principal."""
    if any(row.kind is RowKind.RE_AGED for row in position.rows[since:]):
        return 0
    emptied = sum(1 for row in position.rows[since:] if row.is_emptied)
    return max(0, principal_grace(position) - ordinal(position, since) - emptied)


def _is_graced(position: Position, row: Row, index: int) -> bool:
    grace = principal_grace(position)
    return bool(grace) and row.kind is RowKind.INSTALMENT and ordinal(position, index) < grace


def _deferred(position: Position, index: int) -> int:
    """The interest of the rows whose payment was put off to row `index`, not compounded."""
    free = position.terms.interest_free_periods
    return sum(
        row.accrued
        for at, row in enumerate(position.rows[:index])
        if row.bears_interest and ordinal(position, at) >= free
    )


def _put_off(position: Position, index: int) -> int:
    """The interest of earlier rows that row `index` asks for on top of its instalment."""
    if position.rows[index].kind is RowKind.RE_AGED:
        return 0  # a new plan moves it
    grace = position.terms.grace_on_interest_payment
    return _deferred(position, index) if grace and ordinal(position, index) == grace else 0


def _balance(position: Position, since: int) -> int:
    """What the rows from `since` on have to bring back, of all that went out."""
    before = sum(row.principal for row in position.rows[:since] if row.bears_interest)
    span = next(row for row in position.rows[since:] if row.bears_interest).span
    out = plan_out(position, span.due_date)
    on_due = sum(t.amount_minor for t in position.tranches if t.on == span.due_date)
    if since < len(position.rows) - 1:
        out -= on_due
    ahead = 0
    if position.terms.recalculates:
        paid = sum(row.paid_principal for row in position.rows[:since])
        ahead = max(0, position.received.principal_until(span.from_date) - paid)
    return max(0, out - before - ahead)


def _unrounded(position: Position, repaying: list[Row], balance: int) -> Decimal:
    terms = position.terms
    if terms.amortization is Amortization.FIXED_INSTALMENT and terms.fixed_instalment_minor:
        return Decimal(terms.fixed_instalment_minor)
    if not _is_annuity(position):
        return ARITHMETIC.divide(Decimal(balance), Decimal(len(repaying)))
    if terms.is_progressive:
        return progressive_instalment(balance, [total_factor(row.parts) for row in repaying])
    kind = repaying[0].kind
    first = next((r for r in position.rows if r.kind is kind and r.span.days), repaying[0])
    rate = position.rate_after(max(repaying[0].span.from_date, _last_step(position, repaying[0])))
    factor = annuity_factor(terms, first.span, first.frequency, rate, position.start)
    return equal_instalment(balance, factor, len(repaying))


def _last_step(position: Position, row: Row) -> date:
    steps = [s.after for s in position.rates if row.span.from_date < s.after < row.span.due_date]
    return max(steps, default=row.span.from_date)


def _is_annuity(position: Position) -> bool:
    return (
        position.terms.interest_method is InterestMethod.DECLINING_BALANCE
        and position.terms.amortization is not Amortization.EQUAL_PRINCIPAL
    )


def _flat_instalment(position: Position, row: Row) -> int:
    """A flat instalment: an equal share and the interest, rounded together to the multiple."""
    whole = position.flat_share
    for part in row.parts:
        whole = ARITHMETIC.add(whole, part.unrounded)
    return _rounded(position, whole)


def _rounded(position: Position, amount: Decimal) -> int:
    terms = position.terms
    if terms.amortization is Amortization.EQUAL_PRINCIPAL:
        # Parts of the principal are equal to the minor unit; only whole instalments are rounded.
        return round_to_multiple(amount)
    return round_to_multiple(
        amount, terms.instalment_multiple_minor, terms.instalment_rounding.value
    )


def is_flat(position: Position) -> bool:
    """Say whether interest is on the first principal throughout."""
    return position.terms.interest_method is InterestMethod.FLAT


def flat_total(position: Position) -> int:
    """The interest of the whole loan at a flat rate: fixed, and rounded once."""
    total = Decimal(0)
    for row in position.rows:
        for part in row.parts if row.bears_interest else ():
            total = ARITHMETIC.add(total, part.unrounded)
    return round_minor(total)


def _smooth(position: Position, since: int, repaying: list[Row], fill: Fill) -> None:
    """Spread what the last instalment differs over all of them, when that brings it closer.

    Tried when the difference, in minor units, is more than half the number of the instalments from
    the first that is new to the last.
    """
    count = len(repaying)
    emi = repaying[0].emi
    difference = _last_due(repaying) - emi
    if count == 1 or abs(difference) <= count // 2:
        return
    step = round_minor(ARITHMETIC.divide(Decimal(difference), Decimal(count)))
    better = _rounded(position, Decimal(emi + step))
    if better == emi:
        return
    trial = copied(position)
    again = [row for row in trial.rows[since:] if _repays(row)]
    for row in again:
        row.emi = better
    fill(trial)
    if abs(_last_due(again) - better) < abs(difference):
        position.rows[:] = trial.rows


def _last_due(rows: list[Row]) -> int:
    return rows[-1].principal + rows[-1].interest - rows[-1].moved

"""From suppositions to the loan that they would make, and what cannot be supposed.

Until the last of them the customer pays what falls due on its day, and today what is overdue; from
then on the schedule tells. So a scenario differs from the loan as it is by what is supposed, and by
nothing else. What is supposed of the past stands among what happened.

Pure, and bounded: what would take too long is refused as soon as it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from domain.events.events import LoanEvent
from domain.events.order import order_of
from domain.loan.replay import Replay, in_order
from domain.loan.working_loan import RunningLoan
from domain.rejections import FieldFault
from domain.schedule.recalculation import bring_up_to
from domain.schedule.working import Position, copied
from domain.simulation import hypotheses as supposed
from domain.simulation.hypotheses import Supposition
from domain.simulation.hypothetical_events import CannotBe, SupposedEvents

# Steps times rows: a loan of 600 instalments may be supposed of for some hundred due dates.
WORK_MAX: Final = 200_000
# In this order they happen on one day, as events do.
_RANKS: Final[dict[type, int]] = {
    kind: rank
    for rank, kind in enumerate(
        (
            supposed.Tranche,
            supposed.NewRate,
            supposed.Reschedule,
            supposed.Charge,
            supposed.Waive,
            supposed.Skip,
            supposed.Prepay,
            supposed.PayOffOn,
            supposed.Reverse,
            supposed.Reamortize,
            supposed.ReAge,
        )
    )
}


@dataclass(frozen=True, slots=True)
class SupposedLoan:
    """A loan at work on `day`, after all that was supposed, and all its events."""

    running: RunningLoan
    events: tuple[LoanEvent, ...]
    day: date


class Supposing:
    """A history to suppose on, gone through once; it is supposed from the day `today` on."""

    def __init__(self, history: Iterable[LoanEvent], today: date) -> None:
        self.today = today
        self._history = in_order(history)
        self._stood = _gone_through(self._history)
        self._work = 0

    @property
    def stands(self) -> SupposedLoan:
        """The loan as it is today."""
        return _on(self.today, self._stood.running.copied(), self._history)

    def suppose(self, scenario: Sequence[Supposition]) -> SupposedLoan | FieldFault:
        """The loan after `scenario`, or the first thing that cannot be supposed.

        The pointer of a fault begins with the index of the supposition.
        """
        order = sorted(range(len(scenario)), key=lambda at: (self._place(scenario[at]), at))
        made = SupposedEvents(self._history)
        at = 0
        try:
            early: list[LoanEvent] = []
            for at in order:
                if self._is_past(scenario[at]):
                    event = made.event(scenario[at], self._day(scenario[at]), None)
                    early.append(event)
            base = in_order([*self._history, *early]) if early else self._history
            stood = _gone_through(base) if early else self._stood
            run = _Run(self, stood.copied(), made, list(base))
            for at in order:
                if not self._is_past(scenario[at]):
                    run.go_to(self._day(scenario[at]))
                    run.take(scenario[at])
            run.end()
        except CannotBe as wrong:
            return FieldFault(f"/{at}{wrong.pointer}", wrong.code, wrong.detail)
        return _on(run.day, run.replay.running, run.events)

    def spend(self, rows: int) -> None:
        """Count a step over so many rows. Raises CannotBe when it has been too many."""
        self._work += max(1, rows)
        if self._work > WORK_MAX:
            raise CannotBe("", "too_much", "takes too long to reckon: suppose less, or nearer days")

    def _day(self, one: Supposition) -> date:
        """The day on which something is entered: what is agreed of days to come, today."""
        match one:
            case supposed.Reverse() | supposed.Charge():
                return self.today
            case supposed.NewRate():
                return min(one.effective, self.today)
            case supposed.Reschedule():
                return min(one.from_date, self.today)
            case _:
                return one.on

    def _place(self, one: Supposition) -> tuple[date, int]:
        return self._day(one), _RANKS[type(one)]

    def _is_past(self, one: Supposition) -> bool:
        """Say whether it stands among what happened, of which all has to be gone through again."""
        if isinstance(one, supposed.Reverse):
            return True
        entered = isinstance(one, supposed.Prepay | supposed.NewRate | supposed.Reschedule)
        return entered and self._day(one) < self.today


class _Run:
    """One scenario while its days go by."""

    def __init__(
        self, owner: Supposing, replay: Replay, made: SupposedEvents, events: list[LoanEvent]
    ) -> None:
        self.replay, self.events, self.day = replay, events, owner.today
        self._owner, self._made = owner, made
        self._last = owner.today
        self._skipped: set[date] = set()
        self._settled: set[date] = set()

    def go_to(self, day: date) -> None:
        """Let the days before `day` go by, on which the customer pays what falls due."""
        if day < self.day:
            raise CannotBe("/date", "bad_date", f"must not be before {self._owner.today}")
        dues = [row.span.due_date for row in self._position.rows]
        for due in sorted({self.day, *(one for one in dues if self.day < one < day)}):
            if due < day:
                self._pay_what_is_due(due)
        self.day = day

    def take(self, one: Supposition) -> None:
        """Let what is supposed of this day happen."""
        self._last = max(self._last, self.day)
        if isinstance(one, supposed.Skip):
            self._skip(one)
            return
        if isinstance(one, supposed.PayOffOn | supposed.Prepay):
            self._pay_what_is_due(self.day)
        self._happen(self._made.event(one, self.day, self.replay.running))

    def end(self) -> None:
        """Go to the last day that is supposed of, and to the end of it."""
        if self._last > self._owner.today or self._skipped:
            self.go_to(max(self.day, self._last))
            self._pay_what_is_due(self.day)

    @property
    def _position(self) -> Position:
        position = self.replay.running.position
        assert position is not None, "money has gone out"
        return position

    def _skip(self, one: supposed.Skip) -> None:
        rows = self._position.rows
        skipped = [row for row in rows if row.span.due_date == one.on and row.outstanding]
        if not skipped:
            raise CannotBe("/date", "bad_date", "nothing that is unpaid falls due on it")
        self._skipped.add(one.on)
        # It is paid with what falls due next, or, after the last, a period later.
        later = [row.span.due_date for row in rows if row.span.due_date > one.on]
        late = one.on + timedelta(days=max(1, skipped[0].span.days))
        self._last = max(self._last, min(later, default=late))

    def _pay_what_is_due(self, day: date) -> None:
        position = self._position
        is_due = any(row.span.due_date == day for row in position.rows)
        if day in self._settled or day in self._skipped:
            return
        if not is_due and day not in {self._owner.today, self._last}:
            return
        self._settled.add(day)
        if position.terms.recalculates:
            position = copied(position)
            bring_up_to(position, day)
        owed = sum(row.outstanding for row in position.rows if row.span.due_date <= day)
        if owed > 0:
            self._happen(self._made.payment(day, owed))

    def _happen(self, event: LoanEvent) -> None:
        rows = len(self._position.rows)
        place = order_of([*self.events, event])
        if place(event) < place(self.events[-1]):
            # On a day on which something has happened already, it may come before that.
            self._owner.spend(rows * len(self.events))
            self.events = in_order([*self.events, event])
            self.replay = _gone_through(self.events)
            return
        self._owner.spend(rows)
        self.replay.step(event)
        self.events.append(event)


def _gone_through(ordered: Sequence[LoanEvent]) -> Replay:
    replay = Replay(ordered)
    for event in ordered[1:]:
        replay.step(event)
    return replay


def _on(day: date, running: RunningLoan, events: Sequence[LoanEvent]) -> SupposedLoan:
    if running.position is not None:
        bring_up_to(running.position, day)
    return SupposedLoan(running, tuple(events), day)

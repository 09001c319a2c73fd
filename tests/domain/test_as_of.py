"""A loan on any day: from its events, from its state, and day by day, it is the same loan."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.events import events as happened
from domain.events.events import LoanEvent
from domain.identifiers import PaymentId
from domain.loan.as_of import carried_to, known_by, loan_as_of, passages
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.replay import replay
from domain.reports.aging import LoanArrears, loan_arrears
from domain.reports.statement import StatementEntry, balance_minor, statement
from domain.terms.terms import Terms
from tests.domain.lending_scenes import LOAN, NOON, TELLER
from tests.domain.rich_terms import START, head, lives, opening
from tests.domain.test_what_if import TERMS, paid

Life = tuple[Terms, tuple[LoanEvent, ...]]
days = st.integers(-5, 400).map(lambda count: START + timedelta(days=count))


def shown(loan: Loan) -> tuple[object, ...]:
    """All that a reader is told of a loan on a day; not how often it changed, which is of today."""
    return loan.status, loan.instalments, loan.credit_minor, loan.suspense_minor, loan.disbursed_on


@given(lives(), days)
def test_what_came_later_does_not_count(life: Life, day: date) -> None:
    _, events = life
    before = [event for event in events if event.value_date <= day]
    undone = [event for event in events if isinstance(event, happened.PaymentReversed)]
    seen = loan_as_of(events, day).loan
    assert shown(seen) == shown(loan_as_of([events[0], *before, *undone], day).loan)
    assert shown(seen) == shown(loan_as_of(reversed(events), day).loan)


@given(lives(), days)
def test_the_state_that_is_kept_tells_every_day_after_its_money(life: Life, day: date) -> None:
    _, events = life
    kept = replay(events)[0]
    carried = carried_to(kept, day)
    assert kept.last_value_date is not None
    assert (carried is None) == (day < kept.last_value_date)
    if carried is not None:
        assert shown(carried) == shown(loan_as_of(events, day).loan)
        assert carried.version == kept.version


@given(lives(), days)
def test_whoever_is_not_late_by_the_rows_that_are_kept_is_not_late(life: Life, day: date) -> None:
    """So a store sums them up without asking the engine, also where interest follows the money."""
    _, events = life
    kept = replay(events)[0]
    due, last = kept.next_due, kept.last_value_date
    if due is None or last is None or not last <= day < due.due_date:
        return
    seen = loan_as_of(events, day).loan
    assert seen.status is kept.status
    assert loan_arrears(seen, day) == LoanArrears(0, "current", 0, kept.outstanding.principal_minor)


@given(lives(), days)
def test_each_passage_is_the_loan_of_its_day(life: Life, until: date) -> None:
    _, events = life
    told = list(passages(events, until))
    assert [passage.day for passage in told] == sorted({passage.day for passage in told})
    for passage in told:
        assert passage.day <= until
        assert shown(passage.loan) == shown(loan_as_of(events, passage.day).loan)


@given(lives(), days, days)
def test_statements_follow_one_another_and_agree_with_the_loan(
    life: Life, first: date, second: date
) -> None:
    _, events = life
    first, second = sorted((first, second))
    earlier = statement(events, START - timedelta(days=9), first)
    later = statement(events, first + timedelta(days=1), max(second, first + timedelta(days=1)))
    assert earlier.opening_minor == 0
    assert earlier.closing_minor == later.opening_minor
    for told in (earlier, later):
        balance = told.opening_minor
        for line in told.lines:
            assert told.since <= line.day <= told.until
            assert min(line.debit_minor, line.credit_minor) == 0
            balance += line.debit_minor - line.credit_minor
            assert line.balance_minor == balance
        assert balance == told.closing_minor
        assert told.closing_minor == balance_minor(loan_as_of(events, told.until).loan, told.until)


@given(lives())
def test_a_statement_names_every_payment_and_how_it_was_split(life: Life) -> None:
    _, events = life
    until = START + timedelta(days=400)
    lines = statement(events, START, until).lines
    made = [event for event in events if isinstance(event, happened.PaymentRecorded)]
    payments = [line for line in lines if line.entry is StatementEntry.PAYMENT]
    assert {line.reference for line in payments} == {event.payment_id for event in made}
    for line in payments:
        assert line.split is None or line.split.total_minor == line.credit_minor
    undone = {event.payment_id for event in events if isinstance(event, happened.PaymentReversed)}
    taken_back = [line for line in lines if line.entry is StatementEntry.PAYMENT_REVERSED]
    assert {line.reference for line in taken_back} == undone


def test_a_reversed_payment_never_was_whichever_day_is_looked_at() -> None:
    undone = happened.PaymentReversed(
        **head(200, START + timedelta(days=90)), payment_id=PaymentId(UUID(int=100))
    )
    events = [*opening(TERMS), paid(100, START + timedelta(days=20), 50_000), undone]
    day = START + timedelta(days=40)
    assert shown(loan_as_of(events, day).loan) == shown(loan_as_of(opening(TERMS), day).loan)


def test_money_that_was_entered_with_an_earlier_day_is_out_from_that_day() -> None:
    application, approval, out = opening(TERMS)
    later = START + timedelta(days=3)
    approval = happened.LoanApproved(**head(2, later), note=None)
    assert loan_as_of([application, approval, out], START).loan.status is LoanStatus.ACTIVE
    none_out = loan_as_of([application, approval], START).loan
    assert none_out.status is LoanStatus.SUBMITTED
    assert known_by([application, approval], later) == [application, approval]


def test_a_paid_off_loan_owes_nothing_from_that_day_on() -> None:
    day = START + timedelta(days=40)
    payoff = paid(100, day, 507_000, payoff=True)
    told = statement([*opening(TERMS), payoff], START, START + timedelta(days=300))
    closed = loan_as_of([*opening(TERMS), payoff], day).loan
    assert told.lines[-1].day == day
    assert told.closing_minor == -closed.credit_minor
    interest = sum(line.debit_minor for line in told.lines if line.entry is StatementEntry.INTEREST)
    assert interest == 507_000 - closed.credit_minor - 500_000


def test_recoveries_and_write_offs_are_told() -> None:
    day = START + timedelta(days=100)
    written = happened.LoanWrittenOff(**head(300, day), reason="gone")
    recovered = happened.RecoveryReceived(
        **head(301, day + timedelta(days=5)),
        payment_id=PaymentId(UUID(int=301)),
        amount_minor=1_000,
        method=None,
        reference="bailiff",
    )
    assert (written.loan_id, written.by) == (LOAN, TELLER.user_id)
    assert written.at > NOON.replace(year=2000)
    told = statement([*opening(TERMS), written, recovered], day, day + timedelta(days=9))
    kinds = {line.entry: line for line in told.lines}
    assert kinds[StatementEntry.WRITTEN_OFF].note == "gone"
    assert kinds[StatementEntry.WRITTEN_OFF].debit_minor == 0
    assert kinds[StatementEntry.RECOVERY].credit_minor == 1_000

"""What must hold of every loan, whatever happened to it: the rules, and what the tables demand.

A store refuses what does not hold here (`persistence/tables.py`), and then nothing is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise

from domain.accounting.journal import JournalLine, JournalMemo, Side
from domain.loan.as_of import carried_to
from domain.loan.lifecycle import LoanStatus
from domain.loan.loan import Loan
from domain.loan.payment import Payment, PaymentStatus, PaymentType
from domain.loan.payoff import payoff_on
from domain.reports.interest_lines import InterestLine, explained_lines
from domain.schedule.instalment import Instalment
from domain.schedule.state import Book
from domain.terms.choices import ChargeKind, RowKind
from domain.terms.terms import InterestMethod

PARTS = ("principal", "interest", "fees", "penalties")
WITHOUT_INTEREST = frozenset({RowKind.DOWN_PAYMENT, RowKind.CHARGES})
OF_A_PAYMENT = frozenset(
    {JournalMemo.PAYMENT, JournalMemo.REVERSAL, JournalMemo.REALLOCATION, JournalMemo.RECOVERY}
)


def check_loan(loan: Loan) -> None:
    """Rules 3, 8 and 10, and the CHECKs of loans and instalments."""
    assert 0 <= loan.disbursed_minor <= loan.terms.principal_minor
    assert loan.suspense_minor >= 0
    if loan.disbursed_on is None:
        assert (loan.instalments, loan.credit_minor) == ((), 0)
        return
    assert loan.credit_minor >= 0
    check_rows(loan)
    check_standing(loan)
    if loan.book is not None:
        check_workings(loan, loan.book)


def check_rows(loan: Loan) -> None:
    rows = loan.instalments
    given_up = 0 if loan.book is None else loan.book.forgiven_principal_minor
    assert given_up >= 0
    principal = sum(row.principal_minor for row in rows)
    assert principal + given_up == loan.disbursed_minor, "the principal parts are the principal"
    assert rows[-1].balance_minor == given_up, "nothing is left after the last row"
    for number, row in enumerate(rows, start=1):
        assert row.number == number
        assert row.balance_minor >= 0, (row, "balance")
        assert row.days == (row.due_date - row.from_date).days >= 0, (row, "days")
        for part in PARTS:
            asked, paid = getattr(row, f"{part}_minor"), getattr(row, f"paid_{part}_minor")
            assert 0 <= paid <= asked, (row, part)
    for one, other in pairwise(rows):
        assert one.due_date <= other.due_date, "rows are in the order of their due dates"


def check_standing(loan: Loan) -> None:
    """The status is what is owed; no money is credit while anything is owed."""
    owed = loan.outstanding.total_minor
    assert loan.outstanding.principal_minor <= loan.disbursed_minor
    if loan.status is LoanStatus.ACTIVE:
        assert owed > 0
        assert loan.credit_minor == 0
    elif loan.status is not LoanStatus.WRITTEN_OFF:
        assert owed == 0
        over = loan.credit_minor > loan.terms.closing_tolerance_minor
        assert loan.status is (LoanStatus.OVERPAID if over else LoanStatus.CLOSED)


def check_workings(loan: Loan, book: Book) -> None:
    """Every line of interest is of some days, on what was out, and follows the one before it."""
    most = loan.disbursed_minor + bases_beside(loan, book)
    for row, works in zip(loan.instalments, book.rows, strict=True):
        assert works.carried_minor >= 0, row
        assert works.waived_minor >= 0, row
        since = row.from_date
        for part in works.parts:
            assert part.from_date == since, (row, works)
            assert part.days == (part.to_date - part.from_date).days > 0, (row, part)
            assert 0 <= part.base_minor <= most, (row, part)
            assert part.rounded_minor >= 0, (row, part)
            since = part.to_date
        if works.kind in WITHOUT_INTEREST:
            assert works.parts == (), row
    for charge in book.charges:
        assert 1 <= charge.number <= len(loan.instalments), charge
        assert charge.outstanding_minor >= 0, charge
        assert charge.paid_minor >= 0, charge
        assert charge.waived_minor >= 0, charge
    check_charges(loan, book)


def check_charges(loan: Loan, book: Book) -> None:
    """A row asks for its charges whole, and beside them for no less than was paid beside them."""
    for row in loan.instalments:
        for kind, asked, paid in (
            (ChargeKind.FEE, row.fees_minor, row.paid_fees_minor),
            (ChargeKind.PENALTY, row.penalties_minor, row.paid_penalties_minor),
        ):
            on_it = [one for one in book.charges if (one.number, one.kind) == (row.number, kind)]
            beside = asked - sum(one.amount_minor - one.waived_minor for one in on_it)
            assert 0 <= paid - sum(one.paid_minor for one in on_it) <= beside, (row, on_it)


def bases_beside(loan: Loan, book: Book) -> int:
    """Interest that is overdue may bear interest, until it is waived."""
    asked = sum(row.interest_minor for row in loan.instalments)
    return asked + sum(works.waived_minor + works.carried_minor for works in book.rows)


def check_payments(loan: Loan, payments: Iterable[Payment]) -> None:
    """Rule 8: what each payment was split into is its amount, and is on the rows."""
    paid: Counter[str] = Counter()
    kept = 0
    for one in payments:
        split = one.allocation
        parts = {part: getattr(split, f"{part}_minor") for part in (*PARTS, "excess")}
        assert all(part >= 0 for part in parts.values()), one
        assert one.outstanding_after_minor >= 0, one
        assert sum(parts.values()) == (one.amount_minor if posted(one) else 0), one
        paid.update(parts)
        kept += one.amount_minor if one.status is PaymentStatus.SUSPENSE else 0
    assert kept == loan.suspense_minor
    for part in PARTS:
        assert paid[part] <= sum(getattr(row, f"paid_{part}_minor") for row in loan.instalments)


def posted(payment: Payment) -> bool:
    """Say whether it paid something on the rows."""
    return payment.status is PaymentStatus.POSTED and payment.type is PaymentType.PAYMENT


def check_entries(lines: Sequence[JournalLine]) -> None:
    """Rule 9, and the CHECKs and triggers of the journal."""
    entries: dict[int, list[JournalLine]] = {}
    for line in lines:
        assert line.amount_minor > 0
        assert (line.payment_id is not None) == (line.memo in OF_A_PAYMENT)
        entries.setdefault(line.entry, []).append(line)
    assert list(entries) == list(range(len(entries)))
    for legs in entries.values():
        assert len(legs) > 1
        assert sum(leg.amount_minor * (1 if leg.side is Side.DEBIT else -1) for leg in legs) == 0


def check_to_come(loan: Loan, day: date) -> None:
    """On a day to come the loan is sound as well, and what ends it is no less than what is out."""
    seen = carried_to(loan, day)
    if seen is None:
        return
    check_rows(seen)
    if loan.status is LoanStatus.ACTIVE:
        quote = payoff_on(loan, day)
        assert quote.principal_minor == loan.outstanding.principal_minor
        assert min(quote.interest_minor, quote.fees_minor, quote.penalties_minor) >= 0
    lines = explained_lines(seen.instalments, seen.book)
    check_interest(seen, seen.instalments, lines)


def check_interest(loan: Loan, rows: Sequence[Instalment], lines: Sequence[InterestLine]) -> None:
    """Rule 10: what a row asks for is its own parts, what was left to it, less what it leaves.

    Interest that was paid stays. Where it was put off by grace, or is flat, rows say less of it.
    """
    terms = loan.terms
    if loan.book is None or terms.interest_method is InterestMethod.FLAT:
        return
    if terms.grace_on_interest_payment or terms.interest_free_periods:
        return
    came = explained = 0
    for row, line, works in zip(rows, lines, loan.book.rows, strict=True):
        if works.kind in WITHOUT_INTEREST:
            assert row.interest_minor == 0, row
            continue
        own = line.own_minor + came - line.carried_on_minor
        came = line.carried_on_minor
        is_paid = row.interest_minor == row.paid_interest_minor
        if loan.book.is_restructured:
            rest = own - row.interest_minor - (0 if is_paid else line.waived_minor)
            explained += max(0, rest) if is_paid else rest
        elif not is_paid:
            least = max(row.paid_interest_minor, own - line.waived_minor)
            assert least <= row.interest_minor <= max(own, least), (row, line, own)
    assert explained >= 0, "rows ask for interest that no days explain"

"""Whether what is kept of a loan is what its events say: field by field, and what would repair it.

Pure: rows and events in, differences and a plan out. Projections can be repaired; facts (payments,
disbursements) are compared too, and never touched. Nor is an entry of the journal: where the books
are not what the events move, value date by value date, further entries lead to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from domain.accounting.journal import by_day
from domain.events.events import LoanDisbursed, LoanEvent
from domain.loan.loan import Loan
from domain.loan.payment import Payment
from domain.loan.replay import movements, replay
from domain.reports.upcoming_dues import dues_to_come
from domain.schedule.state import Book
from persistence.commit.write_plan import WritePlan
from persistence.loans.rows import (
    INSTALMENT_FIELDS,
    dues_document,
    origin_values,
    payment_values,
    progress_values,
    projection_values,
    reversals,
    terms_values,
)
from persistence.loans.state_codec import book_of, document_of, is_legible
from persistence.loans.write_parts import LOAN_PARTS, NOTE_COLUMNS, WHOLE_COLUMNS
from persistence.tables import SYNCED

Row = Mapping[str, Any]
JOURNAL: Final = "journal"
_DISBURSEMENT_FIELDS: Final = ("amount_minor", "currency", "value_date")


@dataclass(frozen=True, slots=True)
class KeptLoan:
    """The rows of one loan.

    Payments have their projection beside them, behind `kept_`, and the latest annotation, behind
    `noted_`. `posted` are debits less credits by value date and account, in minor units.
    """

    row: Row
    instalments: Sequence[Row]
    payments: Sequence[Row]
    disbursements: Sequence[Row]
    posted: Mapping[tuple[date, str], int]


class Difference(NamedTuple):
    """One field that is kept otherwise than the events say; of a fact it cannot be repaired."""

    place: str
    field: str
    kept: object
    rebuilt: object
    is_fact: bool = False


@dataclass(frozen=True, slots=True)
class _Made:
    """What the events make, as rows by their keys."""

    loan: Loan
    instalments: dict[int, dict[str, object]]
    payments: dict[UUID, Payment]
    projections: dict[UUID, dict[str, object]]
    disbursements: dict[UUID, dict[str, object]]


def differences(kept: KeptLoan, events: Sequence[LoanEvent]) -> tuple[Difference, ...]:
    """All that differs; empty when what is kept is proved."""
    made = _made(kept, events)
    return (
        *_loan_differs(kept.row, made.loan),
        *_rows_differ("instalment", _by(kept.instalments, "number"), made.instalments),
        *_rows_differ("payment", _kept_projections(kept), made.projections),
        *_facts_differ(kept, made),
        *_journal_differs(kept, events),
    )


def repair(kept: KeptLoan, events: Sequence[LoanEvent]) -> WritePlan:
    """A plan that puts every projection that differs right."""
    made = _made(kept, events)
    plan = WritePlan(LOAN_PARTS)
    loan_id = kept.row["id"]
    if any(_loan_differs(kept.row, made.loan)):
        guard = {"key_id": loan_id, "key_version": kept.row["version"]}
        plan.one("loan_whole", {**_loan_values(made.loan), **guard})
    stood = _by(kept.instalments, "number")
    plan.many(
        "instalments",
        [
            {"loan_id": loan_id, **row}
            for number, row in made.instalments.items()
            if number not in stood or any(_fields_differ("", stood[number], row))
        ],
    )
    gone = [
        {"loan_id": loan_id, "number": number} for number in stood if number not in made.instalments
    ]
    plan.many("instalments_gone", gone)
    plan.many("projections_whole", list(_new_projections(kept, made)))
    return plan


def _new_projections(kept: KeptLoan, made: _Made) -> Iterator[dict[str, object]]:
    stood = _kept_projections(kept)
    known = {row["id"] for row in kept.payments}
    for payment_id, row in made.projections.items():
        old = stood.get(payment_id)
        if payment_id not in known or (old is not None and not any(_fields_differ("", old, row))):
            continue
        yield {
            **row,
            "sync_status": SYNCED if old is None else old["sync_status"],
            "version": 1 if old is None else old["version"] + 1,
        }


def _made(kept: KeptLoan, events: Sequence[LoanEvent]) -> _Made:
    loan, payments = replay(events)
    undone = reversals(events)
    notes = {row["id"]: row for row in kept.payments if row["is_noted"]}
    projections: dict[UUID, dict[str, object]] = {}
    for payment in payments:
        note = notes.get(payment.id)
        written = (
            {"method": payment.method, "reference": payment.reference, "note": None}
            if note is None
            else {name: note[f"noted_{name}"] for name in NOTE_COLUMNS}
        )
        projections[payment.id] = {
            **projection_values(payment, undone.get(payment.id)),
            "branch_id": loan.branch_id,
            "customer_id": loan.customer_id,
            **written,
        }
    return _Made(
        loan,
        {
            row.number: {name: getattr(row, name) for name in INSTALMENT_FIELDS}
            for row in loan.instalments
        },
        {payment.id: payment for payment in payments},
        projections,
        {
            event.disbursement_id: {
                "amount_minor": event.amount_minor,
                "currency": loan.terms.currency,
                "value_date": event.value_date,
            }
            for event in events
            if isinstance(event, LoanDisbursed)
        },
    )


def _loan_values(loan: Loan) -> dict[str, object]:
    values = {
        **origin_values(loan),
        **terms_values(loan),
        **progress_values(loan),
        "book": document_of(loan.book),
        "dues_to_come": dues_document(dues_to_come(loan)),
    }
    return {name: values[name] for name in WHOLE_COLUMNS}


def _loan_differs(row: Row, loan: Loan) -> Iterator[Difference]:
    wanted = _loan_values(loan)
    del wanted["book"]
    yield from _fields_differ("loan", row, wanted)
    document = row["book"]
    if document is not None and not is_legible(document):
        yield Difference("loan", "book", "of another form", "of this program's form")
    else:
        yield from _books_differ(book_of(document), loan.book)


def _books_differ(kept: Book | None, made: Book | None) -> Iterator[Difference]:
    if kept is None or made is None:
        if kept is not made:
            yield Difference("loan", "book", _whether(kept), _whether(made))
        return
    for field in fields(Book):
        was, is_now = getattr(kept, field.name), getattr(made, field.name)
        if was != is_now:
            yield Difference("loan", f"book.{field.name}", was, is_now)


def _whether(book: Book | None) -> str:
    return "none" if book is None else "one"


def _facts_differ(kept: KeptLoan, made: _Made) -> Iterator[Difference]:
    payments = {identity: payment_values(one) for identity, one in made.payments.items()}
    yield from _rows_differ("payment", _by(kept.payments, "id"), payments, is_fact=True)
    out = _by(kept.disbursements, "id")
    yield from _rows_differ("disbursement", out, made.disbursements, is_fact=True)


def _journal_differs(kept: KeptLoan, events: Sequence[LoanEvent]) -> Iterator[Difference]:
    """What moved on each value date, by account: as it is posted, and as the events move it."""
    rightly = {
        (day, account.value): amount
        for day, amounts in by_day(movements(events)).items()
        for account, amount in amounts.items()
    }
    for key in sorted({*rightly, *kept.posted}):
        was, is_now = kept.posted.get(key, 0), rightly.get(key, 0)
        if was != is_now:
            yield Difference(f"{JOURNAL} {key[0]}", key[1], was, is_now)


def _rows_differ(
    what: str,
    kept: Mapping[Any, Row],
    made: Mapping[Any, Mapping[str, object]],
    *,
    is_fact: bool = False,
) -> Iterator[Difference]:
    for key in [*made, *(key for key in kept if key not in made)]:
        place = f"{what} {key}"
        if key not in kept or key not in made:
            there, wanted = ("no", "a") if key not in kept else ("a", "no")
            yield Difference(place, "row", f"{there} row", f"{wanted} row", is_fact)
        else:
            yield from _fields_differ(place, kept[key], made[key], is_fact=is_fact)


def _fields_differ(
    place: str, kept: Row, made: Mapping[str, object], *, is_fact: bool = False
) -> Iterator[Difference]:
    for name, value in made.items():
        if kept[name] != value and kept[name] != _as_json(value):
            yield Difference(place, name, kept[name], value, is_fact)


def _as_json(value: object) -> object:
    """A JSON value as a column gives it back: arrays are lists."""
    return msgspec.json.decode(msgspec.json.encode(value)) if isinstance(value, dict) else value


def _by(rows: Iterable[Row], key: str) -> dict[Any, Row]:
    return {row[key]: row for row in rows}


def _kept_projections(kept: KeptLoan) -> dict[UUID, dict[str, Any]]:
    return {
        row["id"]: {
            name.removeprefix("kept_"): value
            for name, value in row.items()
            if name.startswith("kept_")
        }
        for row in kept.payments
        if row["kept_payment_id"] is not None
    }

"""A book of loans made by chance (seeded): in all states, paid early, late, twice, and undone."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from domain.access.account import Account
from domain.commands.loans import RejectLoan
from domain.decisions import origination
from domain.identifiers import LoanId
from domain.loan.decision import Committed
from domain.terms.terms import Amortization, Frequency, FrequencyUnit
from tests.persistence.store.office import TERMS, TODAY, Office, view_of


async def make_book(
    office: Office, customers: list[Account], loans: int, seed: int
) -> list[LoanId]:
    """Loans for these customers, begun up to seven months before TODAY, and paid now and then."""
    chance = random.Random(seed)
    made = []
    for _ in range(loans):
        terms = replace(
            TERMS,
            principal_minor=chance.randint(1, 500) * 1000,
            currency=chance.choice(["EUR", "EUR", "KES", "JPY"]),
            annual_rate_percent=Decimal(chance.choice(["0", "12.5", "31.2345"])),
            instalments=chance.randint(1, 8),
            frequency=Frequency(chance.randint(1, 2), chance.choice(list(FrequencyUnit)[:3])),
            amortization=chance.choice(list(Amortization)[:2]),
        )
        office.today = TODAY - timedelta(days=chance.randint(0, 220))
        opened = view_of(await office.application(chance.choice(customers), terms))
        made.append(opened.id)
        fate = chance.random()
        if fate < 0.15:
            continue
        if fate < 0.25:
            await _reject(office, opened.id)
            continue
        view_of(await office.approve(opened.id))
        if fate < 0.35:
            continue
        view_of(await office.disburse(opened.id))
        await _pay_now_and_then(office, opened.id, chance, terms.currency)
    office.today = TODAY
    return made


async def _pay_now_and_then(
    office: Office, loan_id: LoanId, chance: random.Random, currency: str
) -> None:
    begun = office.today
    standing = []
    for _ in range(chance.randint(0, 7)):
        office.today = min(TODAY, office.today + timedelta(days=chance.randint(0, 40)))
        on = begun + timedelta(days=chance.randint(0, (office.today - begun).days))
        amount = chance.randint(1, 200_000)
        text = str(amount) if currency == "JPY" else f"{amount / 100:.2f}"
        paid = await office.pay(loan_id, text, on=chance.choice([None, None, on]))
        if isinstance(paid, Committed):
            standing.append(paid.view.id)
        if standing and chance.random() < 0.2:
            view_of(await office.reverse(loan_id, standing.pop(chance.randrange(len(standing)))))


async def _reject(office: Office, loan_id: LoanId) -> None:
    context = office.context()
    view_of(
        await office.store.loan_book.change_loan(
            loan_id,
            lambda loan, _: origination.reject(loan, RejectLoan(loan_id, "no"), context),
            context,
        )
    )

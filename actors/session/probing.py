"""What is learnt by being told that an identifier or an e-mail is taken by something out of sight.

Uniqueness cannot be kept without saying so, and the answer names nothing else. So that nobody asks
through a list, it counts as a wrong try: after a few, whatever names something new has to wait.
"""

from __future__ import annotations

from dataclasses import dataclass

import trio

from actors.ports.readings import Readings
from actors.ports.stores import Accounts
from actors.sign_in_throttle import WrongTries, too_many
from domain.access.account import Account
from domain.access.roles import Action, Sight, sight
from domain.access.users import normal_email
from domain.commands.loans import (
    AddComment,
    Command,
    CreateUser,
    DisburseLoan,
    RecordPayment,
    SubmitLoan,
    UpdateUser,
)
from domain.commands.workouts import AddCharge, PayOff, RecordRecovery
from domain.identifiers import LoanId
from domain.outages import Outage
from domain.rejections import IdempotencyRefusal, Rejected, UserRefusal

_NAMING = (
    AddCharge,
    AddComment,
    CreateUser,
    DisburseLoan,
    PayOff,
    RecordPayment,
    RecordRecovery,
    SubmitLoan,
    UpdateUser,
)


@dataclass(frozen=True, slots=True)
class Probing:
    """One for each process; `tries` counts by user."""

    accounts: Accounts
    readings: Readings
    tries: WrongTries

    def refusal(self, account: Account, command: Command) -> Rejected | None:
        """Why `account` may not name anything new for now; None when it may."""
        if not isinstance(command, _NAMING) or getattr(command, "email", "") is None:
            return None  # the last is a change of a user that leaves the e-mail as it is
        wait_s = self.tries.wait_s(account.id, trio.current_time())
        if wait_s is None:
            return None
        return too_many("Too many identifiers or e-mails that others have taken.", wait_s)

    async def note(self, account: Account, command: Command, outcome: object) -> None:
        """Count it when `outcome` tells of something that `account` may not see."""
        if not isinstance(outcome, Rejected):
            return
        if outcome.reason not in {IdempotencyRefusal.ID_TAKEN, UserRefusal.EMAIL_TAKEN}:
            return
        try:
            seen = await self._sees(account, command, outcome)
        except Outage:
            seen = False
        if not seen:
            self.tries.add(account.id, trio.current_time())

    async def _sees(self, account: Account, command: Command, outcome: Rejected) -> bool:
        principal = account.principal
        reach = sight(principal, Action.MANAGE_USERS) or sight(principal, Action.READ)
        if reach is None:
            return False
        match command:
            case CreateUser() | UpdateUser() if outcome.reason is UserRefusal.EMAIL_TAKEN:
                return await self._sees_email(command.email, reach)
            case CreateUser():
                return await self.accounts.user(command.user_id, reach) is not None
            case SubmitLoan():
                return await self.readings.loan(command.loan_id, reach) is not None
            case RecordPayment() | PayOff() | RecordRecovery():
                return await self.readings.payment(command.payment_id, reach) is not None
            case DisburseLoan():
                return await self._is_of(command.loan_id, command.disbursement_id, reach)
            case AddCharge():
                return await self._is_of(command.loan_id, command.charge_id, reach)
            case AddComment():
                return False
            case _:
                return True  # products, which everybody sees

    async def _sees_email(self, email: str | None, reach: Sight) -> bool:
        known = None if email is None else await self.accounts.credentials(normal_email(email))
        return known is not None and reach.covers(
            branch_id=known.account.branch_id, customer_id=known.account.id
        )

    async def _is_of(self, loan_id: LoanId, made_id: object, reach: Sight) -> bool:
        """Whether it was made on the very loan that the command names."""
        history = await self.readings.history(loan_id, reach)
        return any(
            made_id in {getattr(event, "disbursement_id", None), getattr(event, "charge_id", None)}
            for event in history or ()
        )

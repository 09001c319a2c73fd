"""Whoever works with a password that is not their own chooses one first.

Until then an account of theirs may only read itself, change its password and sign out.
"""

from __future__ import annotations

from typing import Final

from domain.access.account import Account
from domain.commands.loans import ChangePassword, EndSession
from domain.queries import ReadMyself, ReadUser
from domain.rejections import Rejected, UserRefusal

PASSWORD_CHANGE_REQUIRED: Final = Rejected(
    UserRefusal.PASSWORD_CHANGE_REQUIRED,
    "Your password was made by somebody else. Choose one of your own first: "
    "POST /users/{id}/password with current and new_password.",
)


def is_open_to(account: Account, asked: object) -> bool:
    """Say whether `asked` may be done with a password that another set."""
    match asked:
        case ReadMyself():
            return True
        case ReadUser(user_id=user_id) | ChangePassword(user_id=user_id):
            return user_id == account.id
        case EndSession():
            return True
        case _:
            return False

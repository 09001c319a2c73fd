"""The rules for users: who may manage whom, what an e-mail is, and which passwords are refused.

Hashing and sessions are elsewhere (`web/security`, `persistence`). No rule asks for kinds of
characters in a password: length and not being guessable are what counts.
"""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Final

from domain.access.account import Account
from domain.access.roles import MANAGEABLE, Action, Principal, Role, sight
from domain.access.weak_passwords import WEAK_PASSWORDS
from domain.identifiers import BranchId
from domain.invisible import is_invisible
from domain.rejections import FieldFault, Rejected, UserRefusal

PASSWORD_CHARACTERS_MIN: Final = 8
PASSWORD_BYTES_MAX: Final = 1024
EMAIL_LENGTH_MAX: Final = 254
FULL_NAME_LENGTH_MAX: Final = 200

# A context word of fewer characters is in too many good passwords to be held against one.
_CONTEXT_LENGTH_MIN: Final = 4
_OWN_NAME: Final = "lendwire"

_LOCAL_LENGTH_MAX: Final = 64
_LABEL_LENGTH_MAX: Final = 63
_LOCAL: Final = frozenset(string.ascii_lowercase + string.digits + "!#$%&'*+-/=?^_`{|}~.")
_LABEL: Final = frozenset(string.ascii_lowercase + string.digits + "-")

# Whom an administrator who belongs to a branch may manage there; one without a branch manages all.
_MANAGEABLE_IN_BRANCH: Final = frozenset({Role.CUSTOMER, Role.OFFICER, Role.MANAGER})


def may_manage(principal: Principal, role: Role, branch_id: BranchId | None) -> bool:
    """Say whether `principal` may create or change a user of `role` who belongs to `branch_id`."""
    if role not in MANAGEABLE.get(principal.role, frozenset()):
        return False
    if principal.role is Role.ADMIN and principal.branch_id is not None:
        return role in _MANAGEABLE_IN_BRANCH and branch_id == principal.branch_id
    reach = sight(principal, Action.MANAGE_USERS)
    return reach is not None and reach.covers(branch_id=branch_id, customer_id=None)


def would_remove_last_administrator(
    account: Account, *, role: Role | None, is_active: bool | None, active_administrators: int
) -> Rejected | None:
    """Refuse a change after which nobody could administer any more.

    `role` and `is_active` are what the account would get (None: as it is); `active_administrators`
    counts those there are now, this one among them, and must be read under a lock.
    """
    administers = account.role is Role.ADMIN and account.is_active
    stays = (role or account.role) is Role.ADMIN and is_active is not False
    if not administers or stays or active_administrators > 1:
        return None
    return Rejected(
        UserRefusal.LAST_ADMINISTRATOR,
        "This is the last active administrator: make another one first.",
    )


def normal_email(text: str) -> str:
    """The one spelling of an e-mail by which a user is known: without blanks around, lower case."""
    return text.strip().lower()


def check_email(text: str) -> tuple[FieldFault, ...]:
    """Say what is wrong with an e-mail; the address is taken in its normal spelling.

    ASCII only, and no quoted local parts: a look-alike in another script must not be another user.
    A host without a dot is an address too (`admin@localhost`).
    """
    address = normal_email(text)
    local, at, host = address.rpartition("@")
    well_formed = text.isascii() and at and _is_local(local) and _is_host(host)
    if well_formed and len(address) <= EMAIL_LENGTH_MAX:
        return ()
    return (FieldFault("/email", "bad_email", "must be an e-mail address"),)


def check_full_name(text: str) -> tuple[FieldFault, ...]:
    """Say what is wrong with a name: any script, but something to read and nothing invisible."""
    if not is_invisible(text) and len(text) <= FULL_NAME_LENGTH_MAX and text.isprintable():
        return ()
    detail = f"must be 1 to {FULL_NAME_LENGTH_MAX} printable characters"
    return (FieldFault("/full_name", "bad_name", detail),)


def check_password(
    text: str, context_words: Iterable[str] = (), *, pointer: str = "/password"
) -> tuple[FieldFault, ...]:
    """Say everything that is wrong with a new password; nothing of it appears in the answer.

    `context_words` are what anybody would try for this user: his e-mail and its local part.
    """
    faults = []
    if len(text) < PASSWORD_CHARACTERS_MIN:
        detail = f"must have {PASSWORD_CHARACTERS_MIN} characters or more"
        faults.append(FieldFault(pointer, "too_short", detail))
    if len(text.encode("utf-8", "surrogatepass")) > PASSWORD_BYTES_MAX:
        detail = f"must have {PASSWORD_BYTES_MAX} bytes or fewer"
        return (FieldFault(pointer, "too_long", detail),)
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        faults.append(FieldFault(pointer, "bad_character", "must be text without NUL"))
    folded = text.casefold()
    if folded in WEAK_PASSWORDS:
        faults.append(FieldFault(pointer, "too_common", "is one of those that are tried first"))
    if any(word in folded for word in _telling(context_words)):
        faults.append(
            FieldFault(pointer, "too_close", "must not hold your e-mail or the name Lendwire")
        )
    return tuple(faults)


def _telling(context_words: Iterable[str]) -> tuple[str, ...]:
    folded = (word.strip().casefold() for word in context_words)
    return (_OWN_NAME, *(word for word in folded if len(word) >= _CONTEXT_LENGTH_MIN))


def _is_local(local: str) -> bool:
    dots_inside = not local.startswith(".") and not local.endswith(".") and ".." not in local
    return 0 < len(local) <= _LOCAL_LENGTH_MAX and dots_inside and _LOCAL.issuperset(local)


def _is_host(host: str) -> bool:
    return all(
        0 < len(label) <= _LABEL_LENGTH_MAX
        and _LABEL.issuperset(label)
        and not label.startswith("-")
        and not label.endswith("-")
        for label in host.split(".")
    )

"""Who may do what: role x action x scope, one table for REST, lists, sockets and exports.

The table is shown in docs/roles.md, drawn from here. Nothing else in Lendwire decides about
permission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from domain.identifiers import BranchId, UserId


class Role(StrEnum):
    """What somebody is to the lender."""

    CUSTOMER = "customer"
    OFFICER = "officer"
    MANAGER = "manager"
    OPERATOR = "operator"
    ADMIN = "admin"
    NODE = "node"


class Action(StrEnum):
    """What may be asked, in the groups in which permission is given."""

    READ = "read"
    COMMENT = "comment"
    APPLY = "apply"
    DECIDE = "decide"
    SERVICE = "service"
    CONFIGURE = "configure"
    MANAGE_USERS = "manage_users"
    READ_BOOKS = "read_books"
    SETTLE_SYNC = "settle_sync"
    OPERATE = "operate"
    WATCH = "watch"


class Scope(StrEnum):
    """How far a permission reaches."""

    OWN = "own"
    BRANCH = "branch"
    ALL = "all"


# The same for a person who is told that they may not.
IN_WORDS: Final[Mapping[Action, str]] = MappingProxyType(
    {
        Action.READ: "read loans and payments",
        Action.COMMENT: "comment on a loan",
        Action.APPLY: "apply for a loan, or change or withdraw an application",
        Action.DECIDE: "decide on a loan",
        Action.SERVICE: "pay out a loan, or enter its payments and charges",
        Action.CONFIGURE: "make or change products",
        Action.MANAGE_USERS: "make or change users",
        Action.READ_BOOKS: "read the books",
        Action.SETTLE_SYNC: "settle what the synchronisation left open",
        Action.OPERATE: "operate this node",
        Action.WATCH: "hear what another user hears",
    }
)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was recognised: the one on whose authority a message is carried out."""

    user_id: UserId
    role: Role
    branch_id: BranchId | None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader may see, in the form in which SQL can apply it.

    `scope` ALL sees everything; BRANCH only rows of `branch_id`; OWN only rows whose customer is
    `user_id`.
    """

    scope: Scope
    user_id: UserId
    branch_id: BranchId | None

    def covers(self, *, branch_id: BranchId | None, customer_id: UserId | None) -> bool:
        """Say whether a row of this branch and this customer is in sight."""
        match self.scope:
            case Scope.ALL:
                return True
            case Scope.BRANCH:
                return branch_id is not None and branch_id == self.branch_id
            case Scope.OWN:
                return customer_id is not None and customer_id == self.user_id


PERMISSIONS: Final[Mapping[Role, Mapping[Action, Scope]]] = MappingProxyType(
    {
        Role.CUSTOMER: {
            Action.READ: Scope.OWN,
            Action.COMMENT: Scope.OWN,
            Action.APPLY: Scope.OWN,
        },
        Role.OFFICER: {
            Action.READ: Scope.BRANCH,
            Action.COMMENT: Scope.BRANCH,
            Action.APPLY: Scope.BRANCH,
            Action.SERVICE: Scope.BRANCH,
            Action.MANAGE_USERS: Scope.BRANCH,
            Action.SETTLE_SYNC: Scope.BRANCH,
        },
        Role.MANAGER: {
            Action.READ: Scope.BRANCH,
            Action.COMMENT: Scope.BRANCH,
            Action.APPLY: Scope.BRANCH,
            Action.DECIDE: Scope.BRANCH,
            Action.SERVICE: Scope.BRANCH,
            Action.MANAGE_USERS: Scope.BRANCH,
            Action.READ_BOOKS: Scope.BRANCH,
            Action.SETTLE_SYNC: Scope.BRANCH,
        },
        Role.OPERATOR: {Action.OPERATE: Scope.ALL},
        Role.ADMIN: dict.fromkeys(Action, Scope.ALL),
        Role.NODE: {},
    }
)

# Whom each role may create and change; the scope is that of MANAGE_USERS.
MANAGEABLE: Final[Mapping[Role, frozenset[Role]]] = MappingProxyType(
    {
        Role.OFFICER: frozenset({Role.CUSTOMER}),
        Role.MANAGER: frozenset({Role.CUSTOMER, Role.OFFICER}),
        Role.ADMIN: frozenset(set(Role) - {Role.NODE}),
    }
)

# What nobody does to a loan of which they are the customer, whatever they are to the lender now.
FOR_OTHERS_ONLY: Final = frozenset({Action.DECIDE, Action.SERVICE})


def is_own_affair(principal: Principal, action: Action, customer_id: UserId | None) -> bool:
    """Say whether `action` is another person's, because the loan is the principal's own."""
    return action in FOR_OTHERS_ONLY and principal.user_id == customer_id


def sight(principal: Principal, action: Action) -> Sight | None:
    """Return how far `principal` may go with `action`; None when not at all.

    An officer or manager without a branch sees nothing: nobody gains sight by lacking a branch.
    """
    scope = PERMISSIONS[principal.role].get(action)
    if scope is None:
        return None
    return Sight(scope, principal.user_id, principal.branch_id)

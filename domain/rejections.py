"""Expected refusals: values, one enum a command, matched exhaustively where they are rendered.

The value of each member is the stable `code` that clients see. Exceptions are for bugs and for the
weather (`outages.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class AccessRefusal(StrEnum):
    """Refusals that can meet anybody, whatever was asked."""

    NOT_SIGNED_IN = "not_signed_in"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    RATE_LIMITED = "rate_limited"
    ACCESS_CHANGED = "access_changed"


class SignInRefusal(StrEnum):
    """Why no session was opened or continued; the text is the same whatever the cause."""

    BAD_CREDENTIALS = "bad_credentials"
    BAD_REFRESH_TOKEN = "bad_refresh_token"  # noqa: S105 - a code, not a secret
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    BAD_TICKET = "bad_ticket"


class IdempotencyRefusal(StrEnum):
    """Why a key could not be used."""

    KEY_REUSED = "idempotency_key_reused"
    STILL_RUNNING = "idempotency_key_in_use"
    ID_TAKEN = "id_taken"


class VersionRefusal(StrEnum):
    """The thing is not at the version that the caller has seen."""

    STALE = "version_stale"


class LoanRefusal(StrEnum):
    """Why a loan's state does not allow the move."""

    WRONG_STATE = "wrong_state"
    SAME_PERSON = "four_eyes"


class TermsRefusal(StrEnum):
    """Why no schedule can be built on such terms; one rejection carries all faults."""

    IMPOSSIBLE_TERMS = "impossible_terms"
    NOT_A_CUSTOMER = "not_a_customer"
    OUTSIDE_PRODUCT = "outside_product"
    WITHOUT_EFFECT = "terms_without_effect"


class ProductRefusal(StrEnum):
    """Why a product is not made or changed."""

    IMPOSSIBLE_PRODUCT = "impossible_product"
    OTHER_CURRENCY = "other_currency"


class DisburseRefusal(StrEnum):
    """Why money cannot go out."""

    AMOUNT_NOT_APPROVED = "amount_not_approved"
    ALL_PAID_OUT = "all_paid_out"
    BAD_AMOUNT = "bad_amount"
    BAD_DATE = "bad_date"


class PaymentRefusal(StrEnum):
    """Why a payment offered online is not taken, or not undone."""

    BAD_AMOUNT = "bad_amount"
    WRONG_CURRENCY = "wrong_currency"
    BAD_DATE = "bad_date"
    ALREADY_REVERSED = "already_reversed"
    NOT_IN_SUSPENSE = "not_in_suspense"


class WorkoutRefusal(StrEnum):
    """Why a loan that is out is not changed."""

    BAD_AMOUNT = "bad_amount"
    BAD_DATE = "bad_date"
    BAD_TERMS = "bad_terms"
    NO_SUCH_CHARGE = "no_such_charge"
    NOTHING_TO_DO = "nothing_to_do"
    ALREADY_PAID = "already_paid"
    CREDIT_REFUNDED = "credit_refunded"


class UserRefusal(StrEnum):
    """Why a user is not made or changed."""

    EMAIL_TAKEN = "email_taken"
    ROLE_NOT_GRANTABLE = "role_not_grantable"
    INVALID_FIELDS = "invalid_fields"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a code, not a secret
    LAST_ADMINISTRATOR = "last_administrator"
    UNKNOWN_BRANCH = "unknown_branch"
    PASSWORD_CHANGE_REQUIRED = "password_change_required"  # noqa: S105 - a code, not a secret


class OperationRefusal(StrEnum):
    """Why an operator's order makes no sense now."""

    ORDER_REFUSED = "order_refused"


Reason = (
    AccessRefusal
    | SignInRefusal
    | IdempotencyRefusal
    | VersionRefusal
    | LoanRefusal
    | TermsRefusal
    | ProductRefusal
    | DisburseRefusal
    | PaymentRefusal
    | WorkoutRefusal
    | UserRefusal
    | OperationRefusal
)


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One wrong field: `pointer` is a JSON pointer into the request's body."""

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refusal: why, in words for a person, with what else the caller needs to go on.

    `facts` holds JSON values (the current version, event and state, seconds to wait).
    """

    reason: Reason
    detail: str
    faults: tuple[FieldFault, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)

"""The status of each reason to refuse: a function for each enum, so that no member is forgotten."""

from __future__ import annotations

from typing import assert_never

from domain.rejections import (
    AccessRefusal,
    DisburseRefusal,
    IdempotencyRefusal,
    LoanRefusal,
    OperationRefusal,
    PaymentRefusal,
    ProductRefusal,
    Reason,
    SignInRefusal,
    TermsRefusal,
    UserRefusal,
    VersionRefusal,
    WorkoutRefusal,
)


def status_of(reason: Reason) -> int:  # noqa: C901, PLR0911, PLR0912 - one arm an enum
    """The status of a reason: a function for each enum, so that no new member is forgotten."""
    match reason:
        case AccessRefusal():
            return _access(reason)
        case SignInRefusal():
            return _sign_in(reason)
        case IdempotencyRefusal():
            return _idempotency(reason)
        case VersionRefusal():
            return _version(reason)
        case LoanRefusal():
            return _loan(reason)
        case TermsRefusal():
            return _terms(reason)
        case ProductRefusal():
            return _product(reason)
        case DisburseRefusal():
            return _disbursement(reason)
        case PaymentRefusal():
            return _payment(reason)
        case WorkoutRefusal():
            return _workout(reason)
        case UserRefusal():
            return _user(reason)
        case OperationRefusal():
            return _operation(reason)
        case _:
            assert_never(reason)


def _access(reason: AccessRefusal) -> int:
    match reason:
        case AccessRefusal.NOT_SIGNED_IN:
            return 401
        case AccessRefusal.NOT_ALLOWED:
            return 403
        case AccessRefusal.NOT_FOUND:
            return 404
        case AccessRefusal.RATE_LIMITED:
            return 429
        case AccessRefusal.ACCESS_CHANGED:
            return 409
        case _:
            assert_never(reason)


def _sign_in(reason: SignInRefusal) -> int:
    match reason:
        case (
            SignInRefusal.BAD_CREDENTIALS
            | SignInRefusal.BAD_REFRESH_TOKEN
            | SignInRefusal.BAD_TICKET
        ):
            return 401
        case SignInRefusal.TOO_MANY_ATTEMPTS:
            return 429
        case _:
            assert_never(reason)


def _idempotency(reason: IdempotencyRefusal) -> int:
    match reason:
        case IdempotencyRefusal.KEY_REUSED:
            return 422
        case IdempotencyRefusal.STILL_RUNNING | IdempotencyRefusal.ID_TAKEN:
            return 409
        case _:
            assert_never(reason)


def _version(reason: VersionRefusal) -> int:
    match reason:
        case VersionRefusal.STALE:
            return 412
        case _:
            assert_never(reason)


def _loan(reason: LoanRefusal) -> int:
    match reason:
        case LoanRefusal.WRONG_STATE:
            return 409
        case LoanRefusal.SAME_PERSON:
            return 403
        case _:
            assert_never(reason)


def _terms(reason: TermsRefusal) -> int:
    match reason:
        case (
            TermsRefusal.IMPOSSIBLE_TERMS
            | TermsRefusal.NOT_A_CUSTOMER
            | TermsRefusal.OUTSIDE_PRODUCT
            | TermsRefusal.WITHOUT_EFFECT
        ):
            return 422
        case _:
            assert_never(reason)


def _product(reason: ProductRefusal) -> int:
    match reason:
        case ProductRefusal.IMPOSSIBLE_PRODUCT | ProductRefusal.OTHER_CURRENCY:
            return 422
        case _:
            assert_never(reason)


def _disbursement(reason: DisburseRefusal) -> int:
    match reason:
        case (
            DisburseRefusal.AMOUNT_NOT_APPROVED
            | DisburseRefusal.BAD_AMOUNT
            | DisburseRefusal.BAD_DATE
        ):
            return 422
        case DisburseRefusal.ALL_PAID_OUT:
            return 409
        case _:
            assert_never(reason)


def _payment(reason: PaymentRefusal) -> int:
    match reason:
        case PaymentRefusal.BAD_AMOUNT | PaymentRefusal.WRONG_CURRENCY | PaymentRefusal.BAD_DATE:
            return 422
        case PaymentRefusal.ALREADY_REVERSED | PaymentRefusal.NOT_IN_SUSPENSE:
            return 409
        case _:
            assert_never(reason)


def _workout(reason: WorkoutRefusal) -> int:
    match reason:
        case WorkoutRefusal.BAD_AMOUNT | WorkoutRefusal.BAD_DATE | WorkoutRefusal.BAD_TERMS:
            return 422
        case WorkoutRefusal.NO_SUCH_CHARGE:
            return 404
        case (
            WorkoutRefusal.NOTHING_TO_DO
            | WorkoutRefusal.ALREADY_PAID
            | WorkoutRefusal.CREDIT_REFUNDED
        ):
            return 409
        case _:
            assert_never(reason)


def _user(reason: UserRefusal) -> int:
    match reason:
        case UserRefusal.EMAIL_TAKEN | UserRefusal.LAST_ADMINISTRATOR:
            return 409
        case UserRefusal.ROLE_NOT_GRANTABLE | UserRefusal.PASSWORD_CHANGE_REQUIRED:
            return 403
        case UserRefusal.INVALID_FIELDS | UserRefusal.WRONG_PASSWORD | UserRefusal.UNKNOWN_BRANCH:
            return 422
        case _:
            assert_never(reason)


def _operation(reason: OperationRefusal) -> int:
    match reason:
        case OperationRefusal.ORDER_REFUSED:
            return 409
        case _:
            assert_never(reason)

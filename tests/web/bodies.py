"""A body that is taken, for every operation that has one."""

from __future__ import annotations

from typing import Any

from tests.web import a_product, workout_orders
from tests.web.standins import LOAN_ID, OTHER_USER_ID
from tests.web.told_of_loans import SCENARIO

TERMS = {
    "principal": "1250.00",
    "annual_rate_percent": "12.5",
    "instalments": 12,
    "frequency": {"every": 1, "unit": "MONTHS"},
}
BODIES: dict[str, Any] = {
    "sign_in": {"email": "olga@lender.example", "password": "a password"},
    "refresh_tokens": {"refresh_token": "x"},
    "create_user": {
        "email": "new@lender.example",
        "password": "long enough",
        "full_name": "New One",
        "role": "customer",
    },
    "update_user": {"full_name": "Olga O.", "version": 3},
    "deactivate_user": {"version": 3},
    "change_password": {"current": "old one", "new_password": "new one"},
    "submit_loan": {**TERMS, "customer_id": str(OTHER_USER_ID), "currency": "EUR"},
    "amend_loan": {**TERMS, "version": 7},
    "delete_loan": {"version": 7},
    "quote_terms": {**TERMS, "currency": "EUR", "scenarios": [SCENARIO]},
    "suppose_of_loan": {"scenarios": [SCENARIO]},
    "reject_loan": {"reason": "no income"},
    "record_payment": {"loan_id": str(LOAN_ID), "amount": "111.37"},
    "annotate_payment": {"note": "by hand"},
    "reverse_payment": {"reason": "of another loan"},
    "add_comment": {"body": "looks sound"},
    "announce_maintenance": {"message": "a new release", "starts_at": "2026-11-24T20:00:00Z"},
    "restart_actor": {"reason": "it is slow"},
    "suspend_actor": {"reason": "to look at it"},
    "resume_actor": {"reason": "it was looked at"},
    "drain_node": {"reason": "release 7"},
    **workout_orders.BODIES,
    "create_product": a_product.BODY,
    "replace_product": {**a_product.BODY, "version": 4},
}

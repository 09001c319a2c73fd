"""Shapes of what is asked about loans: applications, amendments, decisions and disbursements."""

from __future__ import annotations

from web.api.terms.bodies import LoanTermsBody, TermsBody
from web.requests.fields import (
    AmountField,
    DateField,
    RequestShape,
    TextField,
    UuidField,
    VersionField,
)


class ApplicationBody(LoanTermsBody):
    """An application for a loan; `id` may be made by the client, so that it can work offline."""

    customer_id: UuidField
    branch_id: UuidField | None = None
    purpose: TextField | None = None
    id: UuidField | None = None


class AmendmentBody(TermsBody):
    """The terms that an application now has, whole. `version` may stand here or in If-Match."""

    purpose: TextField | None = None
    version: VersionField | None = None


class ApprovalBody(RequestShape):
    """A note beside an approval."""

    note: TextField | None = None


class RejectionBody(RequestShape):
    """Why an application is rejected."""

    reason: TextField


class DisbursementBody(RequestShape):
    """How much is paid out (all), and when (today)."""

    amount: AmountField | None = None
    date: DateField | None = None
    id: UuidField | None = None

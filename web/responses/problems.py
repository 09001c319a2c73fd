"""Every way in which the API says no, as RFC 9457 problems, and the status of each reason.

A problem says what a caller can act on and nothing of how the server works. It decides nothing: the
reasons come from the domain, from the actors, or from reading the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from actors.messages.replies import Unavailable
from domain.rejections import AccessRefusal, FieldFault, IdempotencyRefusal, Rejected
from web.responses.problem_statuses import status_of

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SOON_S: Final = 1
# Of a body with thousands of wrong fields, so many are told.
FAULTS_MAX: Final = 100

_OWN_MEMBERS: Final = frozenset(
    {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal before it is rendered; `facts` become members of the problem of their own."""

    status: int
    code: str
    detail: str
    faults: tuple[FieldFault, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()

    def document(self, instance: str, request_id: str) -> dict[str, object]:
        """The problem as JSON: `instance` is the path that was asked for."""
        told: dict[str, object] = {
            "type": "about:blank",
            "title": title(self.status),
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "request_id": request_id,
        }
        if self.faults:
            told["errors"] = [
                {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail}
                for fault in self.faults[:FAULTS_MAX]
            ]
        told.update((name, fact) for name, fact in self.facts.items() if name not in _OWN_MEMBERS)
        return told


def title(status: int) -> str:
    """The phrase of a status, as `about:blank` asks for."""
    return HTTPStatus(status).phrase


def retry_after(seconds: float) -> tuple[str, str]:
    """The header that says when to come back, in whole seconds, never at once."""
    return ("Retry-After", str(max(1, -int(-seconds // 1))))


def invalid_fields(*faults: FieldFault) -> Problem:
    """A body that could be read and whose fields are wrong, all of them told."""
    return Problem(422, "invalid_fields", "The body has fields that cannot be taken.", faults)


def bad_parameter(name: str, detail: str, *, kind: str = "query parameter") -> Problem:
    """A query parameter, or a header, that is unknown or has a value that cannot be taken."""
    return Problem(
        400, "bad_parameter", f"The {kind} {name!r} {detail}.", facts={"parameter": name}
    )


NOT_FOUND: Final = Problem(404, "not_found", "There is nothing here that you may see.")
CRASHED: Final = Problem(500, "internal_error", "The server made a mistake. It has been noted.")
NOT_SIGNED_IN: Final = Problem(
    401,
    "not_signed_in",
    "A valid access token is needed: Authorization: Bearer <token>.",
    headers=(("WWW-Authenticate", 'Bearer realm="lendwire"'),),
)
OUTCOME_UNKNOWN_DETAIL: Final = (
    "The answer was lost on the way: the command may have been carried out. "
    "Repeat it with the same Idempotency-Key (or the same id) to find out."
)


def from_unavailable(weather: Unavailable) -> Problem:
    """The weather: come back later, and whether something may have happened meanwhile."""
    if weather.outcome_known:
        return unavailable(weather.detail, weather.retry_after_s)
    return outcome_unknown(weather.retry_after_s)


def unavailable(detail: str, retry_after_s: float = RETRY_SOON_S) -> Problem:
    """Nothing was done, and the same request may succeed later."""
    return Problem(503, "unavailable", detail, headers=(retry_after(retry_after_s),))


def outcome_unknown(retry_after_s: float = RETRY_SOON_S) -> Problem:
    """Something may have been done."""
    return Problem(
        503, "outcome_unknown", OUTCOME_UNKNOWN_DETAIL, headers=(retry_after(retry_after_s),)
    )


def from_rejected(refusal: Rejected) -> Problem:
    """A refusal of the domain or of an actor, with the status that its reason has."""
    status = status_of(refusal.reason)
    headers: tuple[tuple[str, str], ...] = ()
    facts = dict(refusal.facts)
    wait_s = facts.pop("retry_after_s", None)
    if isinstance(wait_s, (int, float)):
        headers = (retry_after(wait_s),)
    elif (
        status == HTTPStatus.TOO_MANY_REQUESTS or refusal.reason is IdempotencyRefusal.STILL_RUNNING
    ):
        headers = (retry_after(RETRY_SOON_S),)
    elif status == HTTPStatus.UNAUTHORIZED:
        headers = NOT_SIGNED_IN.headers
    if refusal.reason is AccessRefusal.NOT_FOUND:
        # One body for what is missing and for what is not in sight, whoever words it.
        return NOT_FOUND
    return Problem(status, str(refusal.reason), refusal.detail, refusal.faults, facts, headers)

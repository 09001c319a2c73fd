"""The shape of a problem, as OpenAPI describes it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from web.requests.fields import ResponseShape


class FieldProblem(ResponseShape):
    """One wrong field: `pointer` is a JSON pointer (RFC 6901) into the request's body."""

    pointer: str
    code: str
    detail: str


class ProblemShape(BaseModel):
    """A problem (RFC 9457). `code` is stable; further members depend on it."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldProblem] | None = None

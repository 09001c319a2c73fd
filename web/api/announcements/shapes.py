"""Shapes of what is told to everybody."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from domain.reports.views import AnnouncementView
from web.requests.fields import (
    NOT_BLANK,
    Id,
    Instant,
    InstantField,
    RequestShape,
    ResponseShape,
    not_blank,
)

MESSAGE_CHARS_MAX = 500


class MaintenanceBody(RequestShape):
    """That the system will be worked on; from and until when, if that is known."""

    message: Annotated[
        str,
        Field(min_length=1, max_length=MESSAGE_CHARS_MAX, json_schema_extra=NOT_BLANK),
        AfterValidator(not_blank),
    ]
    starts_at: InstantField | None = None
    ends_at: InstantField | None = None

    @field_validator("ends_at")
    @classmethod
    def _ends_after_it_starts(cls, value: datetime | None, told: ValidationInfo) -> datetime | None:
        starts_at = told.data.get("starts_at")
        if value is not None and starts_at is not None and value <= starts_at:
            raise PydanticCustomError("ends_before_start", "must be after starts_at")
        return value


class AnnouncementShape(ResponseShape):
    """What everybody was told."""

    id: Id
    message: str
    starts_at: Instant | None
    ends_at: Instant | None
    announced_by: Id
    created_at: Instant


def render_announcement(view: AnnouncementView) -> dict[str, object]:
    """An announcement as REST shows it."""
    return {
        "id": view.id,
        "message": view.message,
        "starts_at": view.starts_at,
        "ends_at": view.ends_at,
        "announced_by": view.announced_by,
        "created_at": view.created_at,
    }

"""What a lender's settings permit that most would forbid: told wherever somebody looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.reports.views import ComponentHealth
from server.configuration.settings import Settings

FOUR_EYES_OFF: Final = (
    "FOUR_EYES=false: one person may create, approve and disburse a loan alone, and refund alone"
)


def remarks(settings: Settings) -> tuple[str, ...]:
    """A sentence for each such setting, without a full stop."""
    return () if settings.four_eyes else (FOUR_EYES_OFF,)


def policy_components(settings: Settings) -> Mapping[str, ComponentHealth]:
    """The component `four_eyes`: a lender's choice, so `ok` in both cases."""
    return {"four_eyes": ComponentHealth("ok", "on" if settings.four_eyes else FOUR_EYES_OFF)}

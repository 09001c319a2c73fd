"""Here hypothesis tries little unless more is asked for: the profiles are in tests/conftest.py."""

from __future__ import annotations

from hypothesis import settings

if settings.get_current_profile_name() == "default":
    settings.load_profile("quick")

"""How hard hypothesis tries here: quick by default, `check` and `soak` by --hypothesis-profile."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("check", settings.get_profile("quick"), max_examples=500)
settings.register_profile("soak", settings.get_profile("quick"), max_examples=5000)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=2000)
if settings.get_current_profile_name() == "default":
    settings.load_profile("quick")

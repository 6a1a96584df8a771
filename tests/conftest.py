"""Settings of every test: random examples without time limits, and the same ones each time in CI."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much]}
settings.register_profile("ci", derandomize=True, database=None, print_blob=True, **_COMMON)
settings.register_profile("search", **_COMMON)  # fresh examples each time: HYPOTHESIS_PROFILE=search
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Regular expressions lose their backslashes: pytest does not find a test again by an id that has some."""
    return val.replace("\\", "") if isinstance(val, str) and "\\" in val else None

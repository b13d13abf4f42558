"""Audiences with chosen figures."""

from __future__ import annotations

from typing import Any

from shoal.campaigns.plan import Conditions
from shoal.campaigns.targets import Known, Target


def audience(number: int = 1, **figures: Any) -> Target:
    """Make an audience; what is not given is unremarkable."""
    usual: dict[str, Any] = {
        "name": f"segment {number}",
        "reach": 1_000,
        "impressions": 20_000,
        "clicks": 2_000,
        "conversions": 100,
        "click_scatter": 0.0,
        "conversion_scatter": 0.0,
        "known": Known(),
        "device": None,
        "time": None,
        "interests": (),
        "demographics": (),
    }
    return Target(id=number, **(usual | figures))


def conditions(**wanted: Any) -> Conditions:
    """Make conditions; what is not given is usual."""
    usual: dict[str, Any] = {
        "budget": 50.0,
        "cpm": {None: 5.0},
        "frequency_cap": 10,
        "min_share": 0.05,
        "fatigue": 1.0,
    }
    return Conditions(**(usual | wanted))

"""The ordered catalogue of features: the only place where a feature is defined.

`features.vector` computes them in this order; the definitions in words are the descriptions here
and, as formulas, the functions there. "Known" is the value from a profile's metrics; what a profile
knows fills the days or trials not observed yet and fades as they come.
"""

import hashlib
from dataclasses import astuple, dataclass
from functools import cache
from typing import Final, Literal

PRIOR_IMPRESSIONS: Final = 20.0
"""Trials that a known click-through rate stands for."""
PRIOR_CLICKS: Final = 10.0
"""Trials that a known conversion rate stands for."""
PRIOR_ENGAGEMENTS: Final = 5.0
"""Ad engagements that known ad seconds stand for."""
HALF_LIFE_DAYS: Final = 14
"""Half-life of the decayed weights, by event time."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One number about a user.

    Attributes:
        name: as in messages and look-ups.
        unit: of the value.
        window: what part of the past it covers.
        evidence: what is counted as standing behind the value; without any, the value is null.
        prior_weight: evidence at which the model trusts value and population equally (w in
            n / (n + w)); 0 = always trusted.
        transform: what the model applies before scaling: log(1 + x), or the log-odds of x clipped
            to [0.001, 0.999].
        in_model: whether the model uses it unless told otherwise.
        description: the definition in words.
    """

    name: str
    unit: str
    window: str
    evidence: str
    prior_weight: float
    transform: Literal["log1p", "logit"]
    in_model: bool
    description: str


_DAYS: Final = "28 days"
_OBSERVED: Final = "observed days, 28 with known"

CATALOGUE: Final[tuple[Feature, ...]] = (
    Feature(
        "weekday_hours", "h/day", _DAYS, _OBSERVED, 5.0, "log1p", True,
        "session hours on observed Mondays to Fridays, per such day (at least one); "
        "with known: (hours + known x unobserved Mon-Fri) / 20",
    ),
    Feature(
        "weekend_hours", "h/day", _DAYS, _OBSERVED, 5.0, "log1p", True,
        "session hours on observed Saturdays and Sundays, per such day (at least one); "
        "with known: (hours + known x unobserved Sat-Sun) / 8",
    ),
    Feature(
        "page_views_per_day", "1/day", _DAYS, "observed days", 5.0, "log1p", True,
        "page views per observed day",
    ),
    Feature(
        "reactions_per_day", "1/day", _DAYS, _OBSERVED, 5.0, "log1p", True,
        "reactions per observed day; with known likes_and_reactions L: "
        "(reactions + L / 28 x unobserved days) / 28",
    ),
    Feature(
        "followed_accounts", "count", "all time", "always 1", 0.0, "log1p", True,
        "accounts followed: set by a profile, then plus follows, minus unfollows; at least 0",
    ),
    Feature(
        "ctr", "share", _DAYS, "impressions, + 20 with known", 20.0, "logit", True,
        "ad clicks / ad impressions; with known: (clicks + 20 known) / (impressions + 20); "
        "at most 1",
    ),
    Feature(
        "conversion_rate", "share", _DAYS, "clicks, + 10 with known", 5.0, "logit", True,
        "conversions / ad clicks; with known: (conversions + 10 known) / (clicks + 10); at most 1",
    ),
    Feature(
        "ad_seconds", "s", _DAYS, "ad engagements, + 5 with known", 3.0, "log1p", True,
        "mean seconds of an ad engagement; with known: (seconds + 5 known) / (engagements + 5)",
    ),
    Feature(
        "mobile_share", "share", "half-life 14 days", "decayed device count", 10.0, "logit", True,
        "decayed count of events on a mobile / of events with a device",
    ),
    Feature(
        "interest_breadth", "count", "half-life 14 days", "decayed interest count", 10.0, "log1p",
        True,
        "exp(entropy) of the decayed interest weights: how many interests, evenly liked, would "
        "be as broad",
    ),
    Feature(
        "spend", "currency / 28 d", _DAYS, "observed days", 0.0, "log1p", False,
        "sum of conversion amounts",
    ),
    Feature(
        "active_days", "days / 28 d", _DAYS, "observed days", 0.0, "log1p", False,
        "days with any event other than a profile",
    ),
    Feature(
        "activity_24h", "count", "24 hours", "observed days", 0.0, "log1p", False,
        "events other than profiles in the newest 24 hourly tiles",
    ),
)  # fmt: skip

FEATURE_NAMES: Final[tuple[str, ...]] = tuple(feature.name for feature in CATALOGUE)
MODEL_FEATURES: Final[tuple[str, ...]] = tuple(
    feature.name for feature in CATALOGUE if feature.in_model
)
"""What the model uses unless a setting says otherwise."""

_INDEX: Final = {name: index for index, name in enumerate(FEATURE_NAMES)}


def feature_index(name: str) -> int:
    """Give the column of a feature in vectors.

    Raises:
        KeyError: there is no such feature.
    """
    return _INDEX[name]


@cache
def catalogue_fingerprint() -> str:
    """Give 16 hex digits that change whenever a definition does.

    Stored beside states and samples: those of another catalogue must not be mixed with ours.
    """
    parts = (
        tuple(astuple(feature) for feature in CATALOGUE),
        (PRIOR_IMPRESSIONS, PRIOR_CLICKS, PRIOR_ENGAGEMENTS, HALF_LIFE_DAYS),
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()

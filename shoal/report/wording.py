"""Plain words for people who plan campaigns; nothing here that the numbers do not say."""

from collections.abc import Sequence
from types import MappingProxyType

from shoal.report.contrasts import LARGE, MEDIUM, SMALL
from shoal.report.document import Distinction
from shoal.report.mixes import MixRow

LABELS = MappingProxyType(
    {
        "weekday_hours": "Weekday time",
        "weekend_hours": "Weekend time",
        "page_views_per_day": "Page views",
        "reactions_per_day": "Reactions",
        "followed_accounts": "Accounts followed",
        "ctr": "Click rate (CTR)",
        "conversion_rate": "Conversion rate",
        "ad_seconds": "Time on an ad",
        "mobile_share": "Mobile share",
        "interest_breadth": "Breadth of interests",
        "spend": "Spend",
        "active_days": "Active days",
        "activity_24h": "Activity today",
    }
)
"""What a feature is called on the page."""

_HIGH_LOW = MappingProxyType(
    {
        "weekday_hours": ("spend more time here on weekdays", "spend less time here on weekdays"),
        "weekend_hours": ("spend more time here at weekends", "spend less time here at weekends"),
        "page_views_per_day": ("look at more pages", "look at fewer pages"),
        "reactions_per_day": ("react more often", "react less often"),
        "followed_accounts": ("follow more accounts", "follow fewer accounts"),
        "ctr": ("click more of the ads they see", "click fewer of the ads they see"),
        "conversion_rate": ("buy more often after a click", "buy less often after a click"),
        "ad_seconds": ("stay longer with an ad", "stay with an ad only briefly"),
        "mobile_share": ("use a mobile more", "use desktop or tablet more"),
        "interest_breadth": ("have broader interests", "have few, focused interests"),
        "spend": ("spend more money", "spend less money"),
        "active_days": ("come on more days", "come on fewer days"),
        "activity_24h": ("were busier in the last 24 hours", "were quieter in the last 24 hours"),
    }
)

PHRASES_MAX = 3
INTEREST_INDEX = 120
"""An interest is worth a word from this index on."""


def strength_of(effect: float) -> str:
    """Name the size of an effect as Cohen (1988) does."""
    size = abs(effect)
    if size >= LARGE:
        return "large"
    if size >= MEDIUM:
        return "medium"
    return "small" if size >= SMALL else "hardly"


def headline(distinctions: Sequence[Distinction], interests: Sequence[MixRow]) -> str:
    """Say who the people of a segment are, compared with everybody else.

    Only what is at least a small effect is said; when nothing is, that is said.
    """
    phrases = [
        _HIGH_LOW[one.feature][one.effect < 0]
        for one in distinctions
        if abs(one.effect) >= SMALL and one.feature in _HIGH_LOW
    ][:PHRASES_MAX]
    liked = [row.label for row in interests if row.index >= INTEREST_INDEX][:2]
    into = f" More than others they are into {_listed(liked)}." if liked else ""
    if not phrases:
        return f"In what they do, these people can hardly be told from everybody else.{into}"
    return f"Compared with everybody else, these people {_listed(phrases)}.{into}"


def caution(
    observed_days: int, profile_share: float, people_with_value: int, users: int
) -> str | None:
    """Say why the figures of a segment are to be read with care; None when they are not.

    Args:
        observed_days: the median of the days that people have been watched.
        profile_share: share of the people whose profile told their behaviour in advance.
        people_with_value: for how many people more than half of the features are known.
        users: how many there are.
    """
    if profile_share > 0.5:
        return (
            f"For {profile_share:.0%} of these people behaviour comes from profiles, not from "
            "events: it has not been observed."
        )
    if observed_days < 7:
        days = f"{observed_days} day{'' if observed_days == 1 else 's'}"
        return f"Not enough evidence yet: half of these people have been watched {days} at most."
    if people_with_value < users / 2:
        return (
            f"Not enough evidence yet: for {users - people_with_value:,} of {users:,} people most "
            "of the features are not known."
        )
    return None


def _listed(parts: Sequence[str]) -> str:
    """Join with commas and an "and"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"

"""The report as data: what `shoal report --json` writes and what the page is made of.

Groups of fewer than 20 people are left out or null everywhere.
"""

import msgspec

from shoal.report.mixes import MixRow
from shoal.report.proportions import Proportion

SCHEMA = 1


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """One spoke of the radar: a segment's mean in standard deviations from the population's."""

    feature: str
    deviation: float | None


class Distinction(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that sets a segment apart.

    Attributes:
        feature: its name in the catalogue.
        unit: of the values.
        value: mean of the segment (of transformed values, brought back).
        population_value: the population's.
        effect: Cohen's d against everybody else.
        strength: "small", "medium", "large" or "hardly".
        people: users of the segment for whom it is known.
    """

    feature: str
    unit: str
    value: float
    population_value: float
    effect: float
    strength: str
    people: int


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A click-through or conversion rate.

    Attributes:
        observed: from events of 28 days; null without (or with fewer than 20 people behind it).
        from_profiles: mean of what profiles know, without an interval: nobody counted trials.
        profiles: users whose profile knows it.
    """

    observed: Proportion | None
    from_profiles: float | None
    profiles: int


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """When people are active, and on what.

    Attributes:
        weekday: events per user and observed Monday to Friday, 28 days.
        weekend: the same for Saturdays and Sundays.
        population_weekday, population_weekend: the same for everybody.
        hours: share of the last 24 hours' events by hour of the day (UTC), 24 numbers; null when
            fewer than 20 people were active.
        mobile_share: of recent events with a device; null with fewer than 20 people.
        population_mobile_share: of everybody.
    """

    weekday: float | None
    weekend: float | None
    population_weekday: float | None
    population_weekend: float | None
    hours: list[float] | None
    mobile_share: float | None
    population_mobile_share: float | None


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Moves between two segments in the days of the trend; ids are null for "none"."""

    segment: int | None
    name: str
    moves: int


class TypicalUser(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody near the middle of a segment; `user` is a hash unless ids were asked for."""

    user: str
    distance: float
    features: dict[str, float | None]


class DaySize(msgspec.Struct, frozen=True, kw_only=True):
    """A segment at the end of a day; null below 20 people."""

    day: str
    users: int | None
    ctr: float | None
    conversion_rate: float | None


class CampaignRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the people of a segment did with one campaign in the days of the trend."""

    campaign: str
    clicks: Proportion | None
    conversions: Proportion | None
    amount: float


class SegmentProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One segment.

    Attributes:
        id, name: as in messages.
        users: null when fewer than 20; then nothing else is told.
        share: of the users with a segment.
        headline: who they are, in a sentence.
        caution: why to read this with care; null when there is enough evidence.
        known: of how many people each trait, and "interests_observed", is known.
        observed_days: days that people have been watched, the median (28 at most).
        spend: amount per user in 28 days.
        population_spend: of everybody.
    """

    id: int
    name: str
    users: int | None
    share: float | None = None
    headline: str
    caution: str | None = None
    observed_days: int = 0
    radar: list[Axis] = []
    distinctions: list[Distinction] = []
    interests: list[MixRow] = []
    traits: dict[str, list[MixRow]] = {}
    known: dict[str, int] = {}
    rhythm: Rhythm | None = None
    ctr: Rate | None = None
    conversion_rate: Rate | None = None
    spend: float | None = None
    population_spend: float | None = None
    trend: list[DaySize] = []
    came_from: list[Flow] = []
    went_to: list[Flow] = []
    campaigns: list[CampaignRow] = []
    typical: list[TypicalUser] = []


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Who is in each segment.

    Attributes:
        schema: layout of this document.
        as_of: the stream time that everything is read at; no clock is asked.
        model_version: the release that assigned; null before the first one.
        structure: the model's own sentence on how clearly people fall into these segments.
        warning: what a reader must know first; null if nothing.
        users: all of them; `assigned` have a segment.
        group_min: smaller groups are not described.
        days: UTC days that the trend covers, rising.
        segments: the largest first.
        population_ctr, population_conversion_rate: of everybody.
    """

    schema: int = SCHEMA
    as_of: str
    model_version: str | None
    structure: str | None
    warning: str | None
    users: int
    assigned: int
    group_min: int
    days: list[str]
    segments: list[SegmentProfile]
    population_ctr: Rate
    population_conversion_rate: Rate

"""Who can be reached: the people of each segment, what they did with ads, and when and where.

Behaviour only. What profiles say of people (age, gender, …) is looked at when it is asked for, as
a description beside the plan; no figure of the plan follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.catalogue import PRIOR_CLICKS, PRIOR_IMPRESSIONS, feature_index
from features.events import METRIC_NAMES
from segments.model import SegmentModel
from shoal.campaigns.rates import Trials
from shoal.report.labels import Labels
from shoal.report.population import ReportPopulation

Rows = NDArray[np.bool_]
Floats = NDArray[np.float64]

GROUP_MIN = 20
"""Smaller groups of people are not spoken about, nor advertised to apart."""
DEMOGRAPHICS = ("age", "gender", "location", "language", "education", "income")

_INTERESTS_SHOWN = 3
_OUTSTANDING = 1.2  # times the population's share from which a label is worth a word
_DEVICE_EVENTS_MIN = 50.0  # decayed
_DAYS_MIN_EVENTS = 100
_HOURS_MIN_EVENTS = 100
_HOURS_WIDTH = 3
_EVEN_DAYS = 1.15  # times as busy from which one kind of day is the better one


class Standout(msgspec.Struct, frozen=True, kw_only=True):
    """A label that a segment carries more often than the population.

    Attributes:
        label: Interest, or trait.
        users: People of the segment who carry it.
        index: 100 × their share ÷ the population's.
    """

    label: str
    users: int
    index: int


@dataclass(frozen=True, kw_only=True)
class Known:
    """Trials and successes that profiles stand for: for clicks, and for conversions."""

    impressions: float = 0.0
    clicks: float = 0.0
    chances: float = 0.0
    conversions: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """One segment as an audience.

    Attributes:
        id, name: Of the segment.
        reach: Users.
        impressions, clicks, conversions: Observed in the newest 28 days.
        click_scatter, conversion_scatter: Sum over the users of the squared difference between
            their clicks (conversions) and what the segment's rate makes of their impressions
            (clicks).
        known: What their profiles count for besides. A known rate is worth as many trials as in
            the features: 20 impressions, 10 clicks.
        device: Where to reach them, in words.
        time: When, in words.
        interests: What they care for more than others.
        demographics: Traits that they have more often than others; empty unless asked for.
    """

    id: int
    name: str
    reach: int
    impressions: int
    clicks: int
    conversions: int
    click_scatter: float
    conversion_scatter: float
    known: Known
    device: str | None
    time: str | None
    interests: tuple[Standout, ...]
    demographics: tuple[Standout, ...]

    @property
    def frequency(self) -> float:
        """Impressions per user in the newest 28 days."""
        return self.impressions / self.reach if self.reach else 0.0


def targets(
    people: ReportPopulation, model: SegmentModel, *, demographics: bool
) -> tuple[Target, ...]:
    """Describe every segment of a model as an audience.

    Args:
        people: Everybody.
        model: Whose segments.
        demographics: Whether to look at age, gender and the like.
    """
    everybody = _Everybody(people, demographics=demographics)
    return tuple(
        everybody.target(number, model.name_of(number), people.segment == number)
        for number in model.ids
    )


def trials_of(audiences: Sequence[Target]) -> Trials:
    """Give what k segments did, observed and known, as trials.

    People differ, so a thousand impressions on a hundred people say less than on a thousand.
    Observed trials are divided by the design effect: how much more the users scatter around their
    segment's rate than chance alone would have them, over all segments together, at least 1.
    """
    impressions, clicks, conversions, click_scatter, conversion_scatter = np.array(
        [
            (
                one.impressions,
                one.clicks,
                one.conversions,
                one.click_scatter,
                one.conversion_scatter,
            )
            for one in audiences
        ],
        np.float64,
    ).T
    known = np.array(
        [
            (one.known.impressions, one.known.clicks, one.known.chances, one.known.conversions)
            for one in audiences
        ]
    ).T
    by_click = design_effect(impressions, clicks, click_scatter)
    by_conversion = design_effect(clicks, conversions, conversion_scatter)
    return Trials(
        impressions / by_click + known[0],
        clicks / by_click + known[1],
        clicks / by_conversion + known[2],
        conversions / by_conversion + known[3],
    )


def design_effect(trials: Floats, successes: Floats, scatter: Floats) -> float:
    """How many trials of people who differ tell as much as one of people who do not.

    Args:
        trials: float64[k], by segment.
        successes: float64[k].
        scatter: float64[k], see `Target.click_scatter`.

    Returns:
        Σ scatter ÷ Σ n·p·(1 − p), the variance of the ratio estimator with users as clusters ÷
        that of independent trials; at least 1.
    """
    rate = successes / np.maximum(trials, 1.0)
    by_chance = float((trials * rate * (1.0 - rate)).sum())
    return max(float(scatter.sum()) / by_chance, 1.0) if by_chance > 0.0 else 1.0


class _Everybody:
    """The population that segments are compared with."""

    def __init__(self, people: ReportPopulation, *, demographics: bool) -> None:
        self._people = people
        observed = people.interests if len(people.interests.user) else people.traits["interests"]
        self._interests = _Shares(observed, len(people))
        self._demographics = {
            name: _Shares(people.traits[name], len(people))
            for name in (DEMOGRAPHICS if demographics else ())
        }
        self._devices = _Shares(people.traits["device"], len(people))

    def target(self, number: int, name: str, rows: Rows) -> Target:
        """Describe the users at some rows."""
        part = self._people.totals.part(np.flatnonzero(rows))
        impressions, clicks = part.count("impressions"), part.count("clicks")
        conversions = part.count("conversions")
        known = dict(zip(METRIC_NAMES, part.known.T, strict=True))
        ctr, conversion = known["ctr"], known["conversion_rate"]
        return Target(
            id=number,
            name=name,
            reach=int(rows.sum()),
            impressions=int(impressions.sum()),
            clicks=int(clicks.sum()),
            conversions=int(conversions.sum()),
            click_scatter=_scatter(clicks, impressions),
            conversion_scatter=_scatter(conversions, clicks),
            known=Known(
                impressions=PRIOR_IMPRESSIONS * float(np.isfinite(ctr).sum()),
                clicks=PRIOR_IMPRESSIONS * float(np.nansum(ctr)),
                chances=PRIOR_CLICKS * float(np.isfinite(conversion).sum()),
                conversions=PRIOR_CLICKS * float(np.nansum(conversion)),
            ),
            device=self._device(rows),
            time=self._time(rows),
            interests=self._interests.standouts(rows)[:_INTERESTS_SHOWN],
            demographics=tuple(
                msgspec.structs.replace(found, label=f"{trait} {found.label}")
                for trait, shares in self._demographics.items()
                for found in shares.standouts(rows)[:1]
            ),
        )

    def _device(self, rows: Rows) -> str | None:
        """Say where they are; in profiles' words when nobody was observed."""
        totals = self._people.totals
        devices = float(totals.devices[rows].sum())
        if devices < _DEVICE_EVENTS_MIN:
            standouts = self._devices.standouts(rows)
            return f"{standouts[0].label} (index {standouts[0].index})" if standouts else None
        share = float(totals.mobile[rows].sum()) / devices
        everybody = float(totals.mobile.sum() / totals.devices.sum())
        where, part, usual = (
            ("mobile", share, everybody)
            if share >= 0.5
            else ("desktop and tablet", 1 - share, 1 - everybody)
        )
        return f"{where} ({part:.0%} of events; everybody: {usual:.0%})"

    def _time(self, rows: Rows) -> str | None:
        """Say when they are there: kind of day, and the busiest hours of the last day."""
        part = self._people.totals.part(np.flatnonzero(rows))
        weekend = _per_day(part.weekend_activity, part.observed_weekend_days)
        weekday = _per_day(part.count("activity") - part.weekend_activity, part.observed_weekdays)
        if int(part.count("activity").sum()) < _DAYS_MIN_EVENTS:
            hours = self._people.values[rows]
            if not np.isfinite(hours[:, _HOURS]).any():
                return None
            weekday, weekend = np.nanmean(hours[:, _HOURS], axis=0).tolist()
        words = _kind_of_day(weekday, weekend)
        by_hour = part.hours.sum(axis=0)
        if int(by_hour.sum()) >= _HOURS_MIN_EVENTS:
            ring = np.concatenate([by_hour, by_hour[: _HOURS_WIDTH - 1]])
            sums = np.convolve(ring, np.ones(_HOURS_WIDTH, np.int64), "valid")
            start = int(np.argmax(sums))
            end = (start + _HOURS_WIDTH) % 24
            words += f", {start:02d}–{end:02d} h UTC ({sums[start] / by_hour.sum():.0%} of a day)"
        return words


_HOURS = [feature_index("weekday_hours"), feature_index("weekend_hours")]


def _scatter(successes: NDArray[np.int64], trials: NDArray[np.int64]) -> float:
    """Sum the squares of what users did more or less often than all of them together."""
    rate = successes.sum() / max(int(trials.sum()), 1)
    return float(np.square(successes - rate * trials).sum())


def _per_day(events: NDArray[np.int64], days: NDArray[np.int64]) -> float:
    """Events per observed day of one kind."""
    return float(events.sum() / max(int(days.sum()), 1))


def _kind_of_day(weekday: float, weekend: float) -> str:
    """Say which days are busier."""
    if weekend > weekday * _EVEN_DAYS:
        return f"weekends ({weekend / weekday:.1f} × a weekday)" if weekday else "weekends"
    if weekday > weekend * _EVEN_DAYS:
        return f"weekdays ({weekday / weekend:.1f} × a weekend day)" if weekend else "weekdays"
    return "any day"


class _Shares:
    """Labels of everybody, to compare a segment's with."""

    def __init__(self, labels: Labels, users: int) -> None:
        self._labels = labels
        self._users = users
        self._all = np.bincount(labels.label, minlength=len(labels.names))

    def standouts(self, rows: Rows) -> tuple[Standout, ...]:
        """Give the labels that a segment carries clearly more often, the clearest first.

        Clearest: most standard deviations above what a random group of its size would carry. No
        group of fewer than `GROUP_MIN` people is named.
        """
        size = int(rows.sum())
        if size < GROUP_MIN:
            return ()
        carried = self._labels.label[rows[self._labels.user]]
        counts = np.bincount(carried, minlength=len(self._labels.names))
        usual = self._all / self._users
        spread = np.sqrt(np.maximum(usual * (1 - usual), 1e-12) / size)
        clearness = (counts / size - usual) / spread
        index = counts / size / np.maximum(usual, 1e-12)
        chosen = np.flatnonzero((counts >= GROUP_MIN) & (index >= _OUTSTANDING))
        order = chosen[np.argsort(-clearness[chosen], kind="stable")]
        return tuple(
            Standout(
                label=self._labels.names[i],
                users=int(counts[i]),
                index=round(100 * float(index[i])),
            )
            for i in order.tolist()
        )

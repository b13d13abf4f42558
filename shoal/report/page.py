"""The report as one self-contained page: styles and charts inside, nothing is loaded."""

from collections.abc import Mapping
from typing import Any

import jinja2

from features.catalogue import CATALOGUE
from shoal.campaigns.plan import Plan
from shoal.report import charts, numbers
from shoal.report.document import Rate, Report, SegmentProfile
from shoal.report.wording import LABELS

_UNITS = {feature.name: feature.unit for feature in CATALOGUE}
_TYPICAL_FEATURES = ("weekday_hours", "weekend_hours", "ctr", "conversion_rate", "mobile_share")
_TRAIT_TITLES: Mapping[str, str] = {
    "age": "Age",
    "gender": "Gender",
    "location": "Location",
    "language": "Language",
    "education": "Education",
    "income": "Income",
    "interests": "Interests, as stated",
    "device": "Devices, as stated",
}


def render(report: Report, plan: Plan | None = None) -> str:
    """Give the page.

    Args:
        report: what to show.
        plan: a campaign sheet to show after the segments.

    Returns:
        HTML; the same arguments give the same text.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("shoal.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=numbers.percent,
        amount=numbers.amount,
        whole=numbers.whole,
        effect=numbers.effect,
        rate=numbers.rate,
        bounds=numbers.bounds,
    )
    return environment.get_template("report.html").render(
        report=report,
        plan=plan,
        labels=LABELS,
        units=_UNITS,
        typical_features=_TYPICAL_FEATURES,
        trait_titles=_TRAIT_TITLES,
        radar=_radar,
        size_line=_size_line,
        hour_bars=_hour_bars,
        interval_of=_intervals(report),
        index_bar=charts.index_bar,
    )


def _radar(profile: SegmentProfile) -> str:
    axes = [(LABELS.get(axis.feature, axis.feature), axis.deviation) for axis in profile.radar]
    said = [
        f"{label} {numbers.effect(deviation)}" if deviation is not None else f"{label} not known"
        for label, deviation in axes
    ]
    return charts.radar(
        axes,
        f"Radar of {profile.name}: deviation from the average of everybody, in standard "
        f"deviations. {'; '.join(said)}.",
    )


def _size_line(profile: SegmentProfile) -> str:
    sizes = [None if day.users is None else float(day.users) for day in profile.trend]
    told = [day for day in profile.trend if day.users is not None]
    said = "no day with 20 people or more"
    if told:
        said = f"{told[0].users:,} people on {told[0].day}, {told[-1].users:,} on {told[-1].day}"
    return charts.sparkline(sizes, f"People in {profile.name} by day: {said}.")


def _hour_bars(profile: SegmentProfile) -> str:
    assert profile.rhythm is not None
    shares = profile.rhythm.hours or []
    busiest = max(range(len(shares)), key=shares.__getitem__)
    return charts.hours(
        shares,
        f"Events of the last 24 hours by hour of the day, UTC: most at {busiest:02d} "
        f"({shares[busiest]:.0%} of them).",
    )


def _intervals(report: Report) -> Any:
    """Draw all rates of a kind on one scale."""

    def drawn(name: str, rate: Rate | None) -> str:
        population: Rate = getattr(report, f"population_{name}")
        rates = [getattr(one, name) for one in report.segments if one.users is not None]
        highs = [one.observed.high for one in rates if one is not None and one.observed]
        if rate is None or rate.observed is None or not highs:
            return ""
        found, everybody = rate.observed, population.observed
        middle = everybody.share if everybody else None
        return charts.interval(found.share, found.low, found.high, middle, max(highs))

    return drawn

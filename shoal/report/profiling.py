"""From everybody to the report: each segment described against the population."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.catalogue import CATALOGUE, FEATURE_NAMES, feature_index
from features.events import METRIC_NAMES
from features.tiles import DAY_MS
from segments.assignment import squared_distances
from segments.changes import rfc3339
from segments.model import CompiledModel, SegmentModel
from shoal.report.contrasts import Contrasts, contrasts
from shoal.report.document import (
    Axis,
    Distinction,
    Rate,
    Report,
    Rhythm,
    SegmentProfile,
    TypicalUser,
)
from shoal.report.history import History
from shoal.report.mixes import GROUP_MIN, Mix, mix
from shoal.report.past import Past
from shoal.report.population import TRAIT_NAMES, Ints, ReportPopulation
from shoal.report.proportions import pooled
from shoal.report.pseudonyms import pseudonym
from shoal.report.wording import caution, headline, strength_of

DISTINCTIONS = 6
TYPICAL = 3
ROWS = 8
_IN_ORDER = frozenset({"age", "income"})

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Known:
    """What is computed once for all segments."""

    people: ReportPopulation
    model: SegmentModel
    group: Ints
    contrasts: Contrasts
    interests: Mix
    traits: Mapping[str, Mix]
    past: Past
    show_ids: bool


def make_report(
    people: ReportPopulation,
    model: SegmentModel | None,
    history: History | None = None,
    *,
    warning: str | None = None,
    show_ids: bool = False,
) -> Report:
    """Describe every segment.

    Args:
        people: everybody; `people.segment` says who is where.
        model: the release that assigned; None: nobody has a segment yet.
        history: the trend; None or empty: there is none.
        warning: what a reader must know first.
        show_ids: name typical users by their ids instead of hashes.

    Returns:
        The report. The same input gives an equal one: no clock, no chance.
    """
    ids = [] if model is None else _ids(people, model)
    place = {segment: at for at, segment in enumerate(ids)}
    group = np.array([place.get(one, -1) for one in people.segment.tolist()], np.int64)
    everybody = np.arange(len(people))
    profiles: list[SegmentProfile] = []
    days = sorted(history or {})
    if model is not None:
        known = _Known(
            people,
            model,
            group,
            contrasts(people, group, len(ids)),
            mix(people.interests, group, len(ids)),
            {name: mix(people.traits[name], group, len(ids)) for name in TRAIT_NAMES},
            Past(history or {}, model, set(ids)),
            show_ids,
        )
        profiles = [_profile(known, segment, at) for at, segment in enumerate(ids)]
        profiles.sort(key=lambda one: (-(one.users or 0), one.id))
    return Report(
        as_of=rfc3339(people.as_of_ms),
        model_version=model.version if model else None,
        structure=model.structure if model else None,
        warning=warning or (None if model else "There are no segments yet."),
        users=len(people),
        assigned=int((group >= 0).sum()),
        group_min=GROUP_MIN,
        days=[rfc3339(day * DAY_MS)[:10] for day in days],
        segments=profiles,
        population_ctr=_rate(people, everybody, "ctr"),
        population_conversion_rate=_rate(people, everybody, "conversion_rate"),
    )


def _ids(people: ReportPopulation, model: SegmentModel) -> list[int]:
    """Give the segments of the model, and older ones that people are still in."""
    present = set(np.unique(people.segment[people.segment >= 0]).tolist())
    return [*model.ids, *sorted(present - set(model.ids))]


def _profile(known: _Known, segment: int, at: int) -> SegmentProfile:
    people, name = known.people, known.model.name_of(segment)
    rows = np.flatnonzero(known.group == at)
    if len(rows) < GROUP_MIN:
        few = f"Fewer than {GROUP_MIN} people: not described."
        return SegmentProfile(id=segment, name=name, users=None, headline=few)
    distinctions = _distinctions(known.contrasts, at)
    interests = known.interests.rows(at, ROWS)
    observed = people.totals.observed_weekdays + people.totals.observed_weekend_days
    told = np.isfinite(people.totals.known[rows]).any(axis=1)
    valued = np.isfinite(people.values[rows]).sum(axis=1) * 2 > len(FEATURE_NAMES)
    days = int(np.median(observed[rows]))
    profile_share = float((told & (people.totals.count("activity")[rows] == 0)).mean())
    spend = people.totals.sum("amount")
    traits = {
        trait: one.rows(at, ROWS, in_order=trait in _IN_ORDER)
        for trait, one in known.traits.items()
    }
    return SegmentProfile(
        id=segment,
        name=name,
        users=len(rows),
        share=len(rows) / max(1, int((known.group >= 0).sum())),
        headline=headline(distinctions, interests or traits["interests"]),
        caution=caution(days, profile_share, int(valued.sum()), len(rows)),
        observed_days=days,
        radar=_radar(known, at),
        distinctions=distinctions,
        interests=interests,
        traits={trait: found for trait, found in traits.items() if found},
        known=_known_of(known, at),
        rhythm=_rhythm(people, rows),
        ctr=_rate(people, rows, "ctr"),
        conversion_rate=_rate(people, rows, "conversion_rate"),
        spend=float(spend[rows].mean()),
        population_spend=float(spend.mean()),
        trend=known.past.sizes(segment),
        came_from=known.past.came_from(segment),
        went_to=known.past.went_to(segment),
        campaigns=known.past.campaigns(segment),
        typical=_typical(known, rows, segment),
    )


def _known_of(known: _Known, at: int) -> dict[str, int]:
    counts = {"interests_observed": int(known.interests.known[at])}
    counts |= {trait: int(one.known[at]) for trait, one in known.traits.items()}
    return {name: count for name, count in counts.items() if count >= GROUP_MIN}


def _distinctions(found: Contrasts, at: int) -> list[Distinction]:
    """Give the features that set a segment apart most."""
    usable = np.isfinite(found.effect[at]) & (found.known[at] >= GROUP_MIN)
    size = np.where(usable, np.abs(np.nan_to_num(found.effect[at])), -1.0)
    order = [column for column in np.argsort(-size, kind="stable").tolist() if size[column] >= 0]
    return [
        Distinction(
            feature=CATALOGUE[column].name,
            unit=CATALOGUE[column].unit,
            value=float(found.value[at, column]),
            population_value=float(found.typical[column]),
            effect=float(found.effect[at, column]),
            strength=strength_of(float(found.effect[at, column])),
            people=int(found.known[at, column]),
        )
        for column in order[:DISTINCTIONS]
    ]


def _radar(known: _Known, at: int) -> list[Axis]:
    axes = []
    for feature in known.model.features:
        column = feature_index(feature)
        deviation = float(known.contrasts.deviation[at, column])
        told = known.contrasts.known[at, column] >= GROUP_MIN and np.isfinite(deviation)
        axes.append(Axis(feature=feature, deviation=deviation if told else None))
    return axes


_TRIALS = {"ctr": ("clicks", "impressions"), "conversion_rate": ("conversions", "clicks")}


def _rate(people: ReportPopulation, rows: Rows, name: str) -> Rate:
    """Pool successes and trials; what only profiles know is told apart."""
    successes, trials = (people.totals.count(counter)[rows] for counter in _TRIALS[name])
    tried = int((trials > 0).sum())
    observed = pooled(successes, trials) if tried >= GROUP_MIN else None
    told = people.totals.known[rows, METRIC_NAMES.index(name)]
    told = told[np.isfinite(told)]
    return Rate(
        observed=observed,
        from_profiles=float(told.mean()) if len(told) >= GROUP_MIN else None,
        profiles=len(told) if len(told) >= GROUP_MIN else 0,
    )


def _rhythm(people: ReportPopulation, rows: Rows) -> Rhythm:
    totals, everybody = people.totals, np.arange(len(people))
    hours = totals.hours[rows]
    busy = int((hours.sum(axis=1) > 0).sum())
    by_hour = hours.sum(axis=0) / max(1, int(hours.sum()))
    weekday, weekend = _per_day(people, rows)
    population_weekday, population_weekend = _per_day(people, everybody)
    return Rhythm(
        weekday=weekday,
        weekend=weekend,
        population_weekday=population_weekday,
        population_weekend=population_weekend,
        hours=by_hour.tolist() if busy >= GROUP_MIN else None,
        mobile_share=_mobile(people, rows),
        population_mobile_share=_mobile(people, everybody),
    )


def _per_day(people: ReportPopulation, rows: Rows) -> tuple[float | None, float | None]:
    """Give events per observed weekday and per observed weekend day."""
    totals = people.totals
    activity, weekend = totals.count("activity")[rows], totals.weekend_activity[rows]
    if int((activity > 0).sum()) < GROUP_MIN:
        return None, None
    weekdays = int(totals.observed_weekdays[rows].sum())
    weekend_days = int(totals.observed_weekend_days[rows].sum())
    return (
        float((activity - weekend).sum() / weekdays) if weekdays else None,
        float(weekend.sum() / weekend_days) if weekend_days else None,
    )


def _mobile(people: ReportPopulation, rows: Rows) -> float | None:
    mobile, devices = people.totals.mobile[rows], people.totals.devices[rows]
    if int((devices > 0).sum()) < GROUP_MIN:
        return None
    return float(mobile.sum() / devices.sum())


def _typical(known: _Known, rows: Rows, segment: int) -> list[TypicalUser]:
    """Give the people nearest to the centroid."""
    compiled, people = CompiledModel(known.model), known.people
    row = int(compiled.rows_of(np.array([segment], np.int32))[0])
    if row < 0:
        return []  # retired: there is no centroid any more
    z = compiled.scaling.project(people.values[rows], people.evidence[rows])
    distance = np.sqrt(squared_distances(z, compiled.centroids[[row]])[:, 0])
    nearest: Sequence[int] = np.argsort(distance, kind="stable")[:TYPICAL].tolist()
    return [
        TypicalUser(
            user=pseudonym(people.user_ids[rows[at]], shown=known.show_ids),
            distance=float(distance[at]),
            features={
                name: float(value) if np.isfinite(value) else None
                for name, value in zip(FEATURE_NAMES, people.values[rows[at]], strict=True)
            },
        )
        for at in nearest
    ]

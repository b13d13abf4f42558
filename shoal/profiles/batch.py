"""Segments from a table alone: the features, scaling and bootstrap of the live system, no service.

Everything is read as of the last millisecond before a midnight, and the profiles come at that
midnight: nothing has been observed yet then, so the features are what the table says, to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from features.catalogue import MODEL_FEATURES
from features.columns import build_columns
from features.events import Event
from features.fold import fold
from features.slab import Slab
from features.tiles import DAY_MS
from segments.assignment import margins, nearest_rows, squared_distances
from segments.bootstrap import bootstrap
from segments.errors import NotEnoughSamples
from segments.model import NO_SEGMENT, CompiledModel, SegmentModel
from segments.structure import STABLE
from segments.unrelated import RELATED, scatter_to_shuffled
from shoal.errors import WrongUse
from shoal.profiles.profile_events import profile_event
from shoal.profiles.row import ProfileRow
from shoal.report.population import PopulationBuilder, ReportPopulation

USERS_MIN = 20
"""Fewer people are no population."""
FOUNDERS_MAX = 5_000
"""So many users, drawn at random, found the model; more make it slower and no better."""
_SEED = 0


@dataclass(frozen=True)
class BatchSegments:
    """What a table falls into.

    Attributes:
        people: Everybody; `people.segment` is filled in, `NO_SEGMENT` without any metric.
        model: Version 1.0.
        margin: float64[n], how safely each user is in the segment; NaN without one.
        scatter: Scatter around the centroids ÷ that of users whose columns were shuffled, see
            `segments.unrelated`.
    """

    people: ReportPopulation
    model: SegmentModel
    margin: NDArray[np.float64]
    scatter: float

    @property
    def warning(self) -> str | None:
        """Why the segments must not be taken for groups of people; None if they are some."""
        if dict(self.model.structure_curve).get(len(self.model.ids), 0.0) < STABLE:
            return (
                f"{self.model.structure} Another sample of the same people would be divided "
                "differently."
            )
        if self.scatter >= RELATED:
            return (
                "No stable structure found: the columns of the table have nothing to do with each "
                f"other. The users scatter around the segments {self.scatter:.0%} as much as "
                "strangers do, made by shuffling every column; a cut that comes out the same "
                "each time is no group of people."
            )
        return None


class TableFolder:
    """Folds the rows of a table into a population, block by block."""

    def __init__(self, day_ms: int) -> None:
        """Start with nobody.

        Args:
            day_ms: The midnight at which the table is true.
        """
        assert day_ms % DAY_MS == 0, "as_of must lie just before a midnight"
        self._day_ms = day_ms
        self._at = datetime.fromtimestamp(day_ms / 1000, UTC)
        self._builder = PopulationBuilder(day_ms - 1)
        self.user_ids: list[str] = []
        """Everybody in the order of the table."""

    def add(self, rows: Sequence[ProfileRow]) -> None:
        """Take in rows of users who were not there yet."""
        events: list[Event] = [profile_event(row, self._at) for row in rows]
        slab, slots = Slab(max(len(rows), 1)), np.arange(len(rows))
        fold(slab, build_columns(events, slots, np.full(len(rows), self._day_ms), slab.interests))
        user_ids = [row.user_id for row in rows]
        self._builder.add(slab, slots, user_ids)
        self.user_ids += user_ids

    def people(self) -> ReportPopulation:
        """Give everybody; nobody has a segment yet."""
        return self._builder.build()


def segment_people(people: ReportPopulation, segments: int | None) -> BatchSegments:
    """Found a model on people and put everybody with a metric into a segment.

    Args:
        people: Of a table.
        segments: How many, or None for the largest stable number.

    Raises:
        WrongUse: Too few people, or nothing tells them apart.
    """
    usable = np.flatnonzero(np.isfinite(people.totals.known).any(axis=1))
    if len(usable) < USERS_MIN:
        raise WrongUse(
            f"users with a value of behaviour: {len(usable)} (hours, likes, followed accounts, "
            f"CTR, conversion rate, ad seconds); segments need {USERS_MIN}, and age and the like "
            "never decide a segment"
        )
    rng = np.random.default_rng(_SEED)
    founders = usable
    if len(usable) > FOUNDERS_MAX:
        founders = np.sort(rng.choice(usable, FOUNDERS_MAX, replace=False))
    try:
        model = bootstrap(
            people.values[founders], people.evidence[founders], segments, rng, MODEL_FEATURES
        )
    except NotEnoughSamples as failure:
        raise WrongUse(f"these users cannot be told apart: {failure}") from failure
    compiled = CompiledModel(model)
    z = compiled.scaling.project(people.values[usable], people.evidence[usable])
    row = nearest_rows(z, compiled.centroids)
    segment = np.full(len(people), NO_SEGMENT, np.int32)
    margin = np.full(len(people), np.nan)
    segment[usable] = compiled.ids[row]
    margin[usable] = margins(np.sqrt(squared_distances(z, compiled.centroids)), row)
    founding = compiled.scaling.project(people.values[founders], people.evidence[founders])
    scatter = scatter_to_shuffled(founding, compiled.centroids, rng)
    return BatchSegments(replace(people, segment=segment), model, margin, scatter)

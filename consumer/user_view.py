"""One user explained, from their state and the model: what `shoal lookup` shows. No I/O."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from consumer.percentiles import Percentiles
from features import codec
from features.catalogue import FEATURE_NAMES
from features.slab import FORGOTTEN, Slab
from features.vector import Vectors, vectors
from segments.assignment import OBSERVATIONS, margins, squared_distances
from segments.changes import Reason, SegmentRef, rfc3339
from segments.explain import explain
from segments.model import NO_SEGMENT, CompiledModel
from segments.reasons import reasons

Status = Literal["assigned", "unassigned", "forgotten", "unknown"]


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """A centroid and how far it is (Euclidean, in the model's space)."""

    id: int
    name: str
    distance: float


class WouldMove(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest change of one feature that would move a user, seen twice.

    Attributes:
        feature: Which.
        value: The user's value now; null when unknown.
        needed: The value at which `to` is clearly nearer.
        to: Where the user would be.
        size: How large the change is, in standard deviations of the population.
    """

    feature: str
    value: float | None
    needed: float
    to: SegmentRef
    size: float


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Where a user moves unless they turn back: named by so many observations of those needed."""

    id: int
    name: str
    observations: int
    needed: int


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """One user explained; the JSON of `shoal lookup --json`.

    Null features are unknown.

    Attributes:
        user_id: Who.
        status: assigned, unassigned, forgotten (only the mark is left) or unknown.
        partition: Of the events topic and of Redis.
        as_of: The time at which the features are read.
        features: In their own units.
        percentiles: Of each feature among all users whose value is known, 0 to 100.
        segment: Where they are.
        since: Since when.
        user_version: Number of their last change.
        model_version: The release they are held against here.
        margin: How safely they are in their segment; null without one, or if it is retired.
        reasons: The features that speak most for their segment against the nearest other one.
        nearest: The two nearest centroids.
        candidate: The segment that the hysteresis is about to move them to.
        would_move: Single features that could move the user, the smallest change first; empty
            when none could alone, or when the next look moves the user anyway.
    """

    user_id: str
    status: Status
    partition: int
    as_of: str
    features: dict[str, float | None]
    percentiles: dict[str, float | None]
    segment: SegmentRef | None
    since: str | None
    user_version: int
    model_version: str | None
    margin: float | None
    reasons: Sequence[Reason]
    nearest: Sequence[Near]
    candidate: Candidate | None
    would_move: Sequence[WouldMove]


def view_user(
    user_id: str,
    partition: int,
    state: bytes | None,
    model: CompiledModel | None,
    population: Percentiles,
    as_of_ms: int,
) -> UserView:
    """Explain a user.

    Args:
        user_id: who.
        partition: where they live.
        state: their packed state; None: never seen, or removed.
        model: the newest release; None before the first.
        population: everybody else.
        as_of_ms: when to read the features.
    """
    slab, slot = Slab(1), np.zeros(1, np.int64)
    if state is not None:
        codec.decode(slab, slot, [state])
    head = slab.head[0]
    found = vectors(slab, slot, as_of_ms)
    segment = int(head["segment"])
    status = _status(state is not None, int(head["flags"]), segment)
    here = status in ("assigned", "unassigned")
    place = _place(found, segment, model) if model and here else _Place()
    return UserView(
        user_id=user_id,
        status=status,
        partition=partition,
        as_of=rfc3339(as_of_ms),
        features={
            name: None if np.isnan(value) else float(value)
            for name, value in zip(FEATURE_NAMES, found.values[0], strict=True)
        },
        percentiles=dict(zip(FEATURE_NAMES, population.of(found.values[0]), strict=True)),
        segment=model.ref(segment) if model else None,
        since=None if segment == NO_SEGMENT else rfc3339(int(head["since_ms"])),
        user_version=int(head["user_version"]),
        model_version=model.version if model else None,
        margin=place.margin,
        reasons=place.reasons,
        nearest=place.nearest,
        candidate=_candidate(int(head["candidate"]), int(head["candidate_count"]), model),
        would_move=place.would_move,
    )


class _Place(NamedTuple):
    """Where a user is in the model's space."""

    margin: float | None = None
    reasons: Sequence[Reason] = ()
    nearest: Sequence[Near] = ()
    would_move: Sequence[WouldMove] = ()


def _place(found: Vectors, segment: int, model: CompiledModel) -> _Place:
    """Say how far the centroids are, and which features hold the user where they are."""
    explained = explain(model, found.values[0], found.evidence[0], segment)
    nearest = [
        Near(id=one.segment, name=model.model.name_of(one.segment), distance=one.distance)
        for one in explained.nearest
    ]
    row = int(model.rows_of(np.array([segment], np.int32))[0])
    if row < 0:
        return _Place(nearest=nearest)
    z = model.scaling.project(found.values, found.evidence)
    distance = np.sqrt(squared_distances(z, model.centroids))
    others = distance[0].copy()
    others[row] = np.inf
    other = int(np.argmin(others))
    values = found.values[:, model.scaling.columns]
    [why] = reasons(
        z, model.centroids[[other]], model.centroids[[row]], model.model.features, values
    )
    nudges = [
        WouldMove(
            feature=nudge.feature,
            value=nudge.value,
            needed=nudge.needed,
            to=SegmentRef(id=nudge.segment, name=model.model.name_of(nudge.segment)),
            size=nudge.size,
        )
        for nudge in explained.nudges
    ]
    return _Place(float(margins(distance, np.array([row]))[0]), why, nearest, nudges)


def _candidate(segment: int, count: int, model: CompiledModel | None) -> Candidate | None:
    if model is None or segment not in model.refs:
        return None
    return Candidate(
        id=segment, name=model.model.name_of(segment), observations=count, needed=OBSERVATIONS
    )


def _status(known: bool, flags: int, segment: int) -> Status:
    if not known:
        return "unknown"
    if flags & FORGOTTEN:
        return "forgotten"
    return "unassigned" if segment == NO_SEGMENT else "assigned"

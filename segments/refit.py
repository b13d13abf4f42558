"""A new major version from the users seen lately.

Scaling, number of segments and centroids are made anew, but segments go on where they can: the
centroids start from where the old segments' users are now, and a new segment that holds an old
one's people takes over its id. All other ids are fresh, and no id ever comes back.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from segments.assignment import nearest_rows
from segments.bootstrap import found, freeze_scaling
from segments.errors import NotEnoughSamples, OrderRefused
from segments.lineage import trace
from segments.lloyd import best_centroids, converge, inertia
from segments.model import CompiledModel, ReleaseKind, SegmentModel
from segments.names import Name
from segments.orders import Order
from segments.overlap import Overlap
from segments.scaling import Scaling
from segments.settings import LearnerSettings
from segments.structure import SEGMENTS_MAX, Structure, decide
from segments.transforms import Floats

WORTH_LEAVING = 1.02  # how much better fresh starts must be to give up where segments were
SEGMENTS_LEAST, SEGMENTS_MOST = 2, 100  # what an order may ask for


def segments_asked_for(
    order: Order, model: SegmentModel, users: int, settings: LearnerSettings
) -> int | None:
    """Check an order to refit.

    Args:
        order: The order.
        model: The newest release.
        users: Recent users at hand.
        settings: How the learner learns.

    Returns:
        How many segments to make, None for the largest stable number.

    Raises:
        OrderRefused: The number makes no sense, or there are too few users for it.
    """
    asked = len(model.ids) if order.segments is None else order.segments
    wanted = None if asked == "auto" else asked
    if wanted is not None and not SEGMENTS_LEAST <= wanted <= SEGMENTS_MOST:
        raise OrderRefused(
            f"{wanted} segments were asked for: choose {SEGMENTS_LEAST} to {SEGMENTS_MOST}."
        )
    needed = settings.bootstrap_users_per_segment * (wanted or SEGMENTS_MAX)
    if users < needed:
        raise OrderRefused(
            f"A refit into {asked if wanted else f'up to {SEGMENTS_MAX}'} segments needs the "
            f"vectors of {needed} users; {users} have been seen in the last "
            f"{settings.window_days:g} days: ask for fewer segments, or wait."
        )
    return wanted


def refit(
    model: SegmentModel,
    values: Floats,
    evidence: Floats,
    segments: int | None,
    rng: np.random.Generator,
    wanted: Sequence[str],
) -> SegmentModel:
    """Found the next major version.

    Args:
        model: The newest release.
        values: float64[n, 13], one row per recent user, NaN where null.
        evidence: float64[n, 13], what stands behind each value.
        segments: How many, or None for the largest stable number in 3…12; as many as there are
            when none is stable.
        rng: Draws starts and halves, see `bootstrap`.
        wanted: Names of the features to use.

    Returns:
        Version major + 1 . 0 with lineage, its place in the sample log not filled in.

    Raises:
        OrderRefused: No feature tells the users apart.
    """
    try:
        scaling, left_out = freeze_scaling(values, evidence, wanted)
    except NotEnoughSamples as error:
        raise OrderRefused(f"Nothing to refit from: {error} Try again with more users.") from error
    z = scaling.project(values, evidence)
    structure = decide(z, segments, rng, otherwise=len(model.ids))
    old = CompiledModel(model)
    before = nearest_rows(old.scaling.project(values, evidence), old.centroids)
    centroids = _centroids(z, before, len(model.ids), structure.segments, rng)
    return next_major(model, z, before, centroids, scaling, left_out, structure, release="refit")


def _centroids(
    z: Floats, before: np.ndarray, k_before: int, k: int, rng: np.random.Generator
) -> Floats:
    """The best centroids, or nearly as good ones near to where the old segments' users are."""
    best = best_centroids(z, k, rng)
    if k != k_before or len(np.unique(before)) != k_before:
        return best
    means = np.array([z[before == row].mean(axis=0) for row in range(k)])
    near = converge(z, means)
    if near is None or inertia(z, near) > WORTH_LEAVING * inertia(z, best):
        return best
    return near


def next_major(
    model: SegmentModel,
    z: Floats,
    before: np.ndarray,
    centroids: Floats,
    scaling: Scaling,
    left_out: dict[str, str],
    structure: Structure,
    *,
    release: ReleaseKind,
) -> SegmentModel:
    """Give centroids their ids and their history.

    Args:
        model: The newest release.
        z: float64[n, d], the users in the new space.
        before: intp[n], the rows of their segments in `model`.
        centroids: float64[k, d].
        scaling: Of the new version.
        left_out: Features it does not use, and why.
        structure: How clearly the users fall into k segments.
        release: Why it is made.

    Returns:
        Version major + 1 . 0: kept ids in their old order, then the fresh ones.
    """
    k = len(centroids)
    overlap = Overlap.of(before, nearest_rows(z, centroids), len(model.ids), k)
    matches = overlap.matches()
    fresh = [row for row in range(k) if row not in matches]
    order = sorted(matches, key=matches.__getitem__) + fresh
    ids = tuple(model.ids[matches[row]] for row in order if row in matches) + tuple(
        range(model.next_id, model.next_id + len(fresh))
    )
    version = found(
        z,
        centroids[order],
        ids,
        scaling,
        left_out,
        structure,
        previous=dict(zip(model.ids, map(Name, model.names, model.named_by), strict=True)),
        renamed=model.renamed,
    )
    lineage = trace(
        Overlap(overlap.table[:, order]),
        {segment: model.name_of(segment) for segment in model.ids},
        {segment: version.name_of(segment) for segment in ids},
    )
    heirs = {line.id: line.into_ids[0] for line in lineage if line.kind == "merged_into"}
    return msgspec.structs.replace(
        version,
        major=model.major + 1,
        next_id=model.next_id + len(fresh),
        id_map={i: i for i in ids if i in model.ids} | heirs,
        lineage=lineage,
        release=release,
    )

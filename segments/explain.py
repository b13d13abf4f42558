"""What would move one user: the smallest change of a single feature."""

import math
from dataclasses import dataclass

import numpy as np

from segments.assignment import NEARER, squared_distances
from segments.model import CompiledModel
from segments.scaling import CLIP, reliability, transform_columns
from segments.transforms import INVERSES, Floats

ALL_BUT = (1.0 - NEARER) ** 2  # of the squared distance: where another centroid is clearly nearer
JUST_INSIDE = 1e-6  # share of the way that rounding must not undo


@dataclass(frozen=True)
class Neighbour:
    """A segment and how far a user is from its centroid.

    Attributes:
        segment: Its id.
        distance: Euclidean, in the model's space.
    """

    segment: int
    distance: float


@dataclass(frozen=True)
class Nudge:
    """A change of one feature that would move a user.

    Attributes:
        feature: Its name.
        value: The user's value now, in the feature's own unit; None when unknown.
        needed: The value at which another segment is clearly (10 %) nearer.
        segment: That segment; the move is made when it is seen twice.
        size: How large the change is, in standard deviations of the population.
    """

    feature: str
    value: float | None
    needed: float
    segment: int
    size: float


@dataclass(frozen=True)
class Explanation:
    """Where a user stands.

    Attributes:
        nearest: The two nearest segments, nearest first (one if there is only one).
        nudges: The smallest change of each single feature that would move the user, the smallest
            first; empty when no single feature can, or when the next look moves the user anyway.
    """

    nearest: tuple[Neighbour, ...]
    nudges: tuple[Nudge, ...]


def explain(model: CompiledModel, values: Floats, evidence: Floats, segment: int) -> Explanation:
    """Say how far a user is from the two nearest segments, and what would move them.

    Args:
        model: The release to look with.
        values: float64[13], NaN where null.
        evidence: float64[13].
        segment: Where the user is; −1 or an id of another version for nowhere.
    """
    scaling = model.scaling
    z = scaling.project(values[None], evidence[None])[0]
    squared = squared_distances(z[None], model.centroids)[0]
    order = np.argsort(squared, kind="stable")[:2].tolist()
    nearest = tuple(Neighbour(int(model.ids[row]), math.sqrt(squared[row])) for row in order)
    (home,) = model.rows_of(np.array([segment], dtype=np.int32)).tolist()
    if home < 0 or squared.min() < ALL_BUT * squared[home]:
        return Explanation(nearest, ())
    trusted = reliability(evidence[None, scaling.columns], scaling.prior_weights)[0]
    own = values[scaling.columns]
    now = transform_columns(own[None], scaling.transforms)[0]
    nudges = []
    for j, name in enumerate(scaling.features):
        best = _least(z, squared, model.centroids, home, j, float(trusted[j]))
        if best is None:
            continue
        row, moved = best
        standing = min(max(moved / float(trusted[j]), -CLIP), CLIP)
        target = standing * scaling.deviation[j] + scaling.mean[j]
        needed = float(INVERSES[scaling.transforms[j]](np.array([target]))[0])
        if not _reaches(model, values, evidence, int(scaling.columns[j]), needed, home):
            continue
        before = now[j] if math.isfinite(now[j]) else scaling.mean[j]
        nudges.append(
            Nudge(
                feature=name,
                value=float(own[j]) if math.isfinite(own[j]) else None,
                needed=needed,
                segment=int(model.ids[row]),
                size=abs(float(target) - float(before)) / float(scaling.deviation[j]),
            )
        )
    return Explanation(nearest, tuple(sorted(nudges, key=lambda nudge: nudge.size)))


def _least(
    z: Floats, squared: Floats, centroids: Floats, home: int, j: int, trusted: float
) -> tuple[int, float] | None:
    """The nearest coordinate j at which some centroid is clearly nearer than the user's own.

    Along one coordinate x the condition |z − t|² ≤ .81 |z − o|² is a quadratic inequality,
    .19 x² + 2 (.81 o_j − t_j) x + c ≤ 0: it holds between its two roots.
    """
    reach = CLIP * trusted
    best: tuple[int, float] | None = None
    for row in range(len(centroids)):
        if row == home or trusted == 0.0:
            continue
        t, o = centroids[row, j], centroids[home, j]
        rest_t = squared[row] - (z[j] - t) ** 2
        rest_o = squared[home] - (z[j] - o) ** 2
        a, b = 1.0 - ALL_BUT, ALL_BUT * o - t
        c = t * t + rest_t - ALL_BUT * (o * o + rest_o)
        discriminant = b * b - a * c
        if discriminant <= 0.0:
            continue
        root = math.sqrt(discriminant)
        low, high = (-b - root) / a, (-b + root) / a
        margin = JUST_INSIDE * (high - low)
        low, high = max(low + margin, -reach), min(high - margin, reach)
        if low > high:
            continue
        x = low if z[j] < low else high
        if best is None or abs(x - z[j]) < abs(best[1] - z[j]):
            best = row, float(x)
    return best


def _reaches(
    model: CompiledModel, values: Floats, evidence: Floats, column: int, needed: float, home: int
) -> bool:
    """Whether the change does it, tried out: a feature cannot leave its range (a share 0 to 1)."""
    changed = values.copy()
    changed[column] = needed
    z = model.scaling.project(changed[None], evidence[None])
    squared = squared_distances(z, model.centroids)[0]
    return bool(squared.min() <= ALL_BUT * squared[home])

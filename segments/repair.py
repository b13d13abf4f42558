"""Centroids that nobody is behind: dead ones, and two that share the users of one.

They come from a bad start (an old record, a model made by hand) or from users who have left.
The trainer repairs them by itself, because nobody loses anything: no users stand behind a dead
centroid, and those of a doubled one were divided at random. A centroid taken away is set anew
where one segment holds two groups. The result is a major version with its lineage.

Everything else that looks wrong (a segment that shrinks, two that approach each other) is only
proposed: people mean something by these segments.
"""

import numpy as np
from scipy.cluster.vq import ClusterError, kmeans2

from segments.fit import Fit
from segments.lloyd import converge
from segments.model import CompiledModel, SegmentModel
from segments.refit import next_major
from segments.structure import Structure
from segments.transforms import Floats

DEAD_SHARE = 0.002  # of the recent users; a segment that an operator can reach is larger
DOUBLED = 2.9  # separation; halves of one bell curve have 2.65
GAIN_MIN = 1.3  # how much more a split must gain than the removal costs, in squared distance
PART_USERS_MIN = 10


def repair(model: CompiledModel, z: Floats) -> SegmentModel | None:
    """Move dead and doubled centroids to where they are missing.

    Args:
        model: The newest release.
        z: float64[n, d], the recent users in its space.

    Returns:
        The next major version, its place in the sample log not filled in; None when there is
        nothing to repair, or no segment that would be worth splitting.
    """
    before = Fit.of(z, model.centroids)
    centroids, moved = model.centroids, 0
    while moved < len(centroids):
        better = _step(Fit.of(z, centroids))
        if better is None:
            break
        centroids, moved = better, moved + 1
    settled = converge(z, centroids) if moved else None
    if settled is None:
        return None
    record = model.model
    said = f"Repaired: {moved} of {len(centroids)} centroids had no users of their own."
    return next_major(
        record,
        z,
        before.rows,
        settled,
        model.scaling,
        record.left_out,
        Structure(len(centroids), said, record.structure_curve),
        release="repair",
    )


def _step(fit: Fit) -> Floats | None:
    """Take one dead or doubled centroid away and split a segment instead."""
    found = _superfluous(fit)
    if found is None:
        return None
    gone, cost, into = found
    best, parts = 0.0, None
    for row in range(len(fit.centroids)):
        if row not in (gone, into):
            gain, halves = _split(fit.z[fit.rows == row])
            if gain > best:
                best, parts, split = gain, halves, row
    if parts is None or best <= GAIN_MIN * cost:
        return None
    centroids = fit.centroids.copy()
    if into is not None:
        centroids[into] = fit.z[(fit.rows == gone) | (fit.rows == into)].mean(axis=0)
    centroids[split], centroids[gone] = parts
    return centroids


def _superfluous(fit: Fit) -> tuple[int, float, int | None] | None:
    """A centroid to take away, what that costs, and which other one takes its users over."""
    dead = np.flatnonzero(fit.users <= DEAD_SHARE * len(fit.z))
    if len(dead):
        return int(dead[0]), 0.0, None
    apart = fit.separation()
    a, b = np.unravel_index(int(np.argmin(apart)), apart.shape)
    if apart[a, b] >= DOUBLED:
        return None
    one, two = fit.z[fit.rows == a], fit.z[fit.rows == b]
    between = float(np.square(one.mean(axis=0) - two.mean(axis=0)).sum())
    cost = len(one) * len(two) / (len(one) + len(two)) * between  # Ward, JASA 58 (1963)
    return max(int(a), int(b)), cost, min(int(a), int(b))


def _split(z: Floats) -> tuple[float, Floats | None]:
    """Divide users in two along their widest direction: what it gains, and the two centroids."""
    if len(z) < 2 * PART_USERS_MIN:
        return 0.0, None
    beside = z - z.mean(axis=0)
    spread, axes = np.linalg.eigh(np.einsum("ni,nj->ij", beside, beside) / len(z))
    step = np.sqrt(max(float(spread[-1]), 0.0)) * axes[:, -1]
    start = z.mean(axis=0) + np.array([-step, step])
    try:
        parts, labels = kmeans2(z, start, minit="matrix", missing="raise")
    except ClusterError:
        return 0.0, None
    if min(np.bincount(labels, minlength=2)) < PART_USERS_MIN:
        return 0.0, None
    gain = float(np.square(beside).sum() - np.square(z - parts[labels]).sum())
    return gain, parts

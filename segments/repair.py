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

from segments.assignment import squared_distances
from segments.fit import Fit
from segments.lloyd import converge
from segments.model import CompiledModel, SegmentModel
from segments.refit import next_major
from segments.structure import Structure
from segments.transforms import Floats

YOUNG_SAMPLES = (
    500  # since the major version began; whatever becomes alike later has meant something
)
DEAD_SHARE = 0.002  # of the recent users; a segment that an operator can reach is larger
DOUBLED = 3.1  # separation; halves of one bell curve have 2.65, ± .2 with 50 users each
WORTH_IT = 1.02  # factor by which a repair brings users nearer (squared) to their centroids
GAIN_MIN = 1.3  # factor by which a split must gain more than the removal costs
PART_USERS_MIN = 20
FEW_LOOK_APART = 8.0
ENOUGH_PER_SEGMENT = 50  # recent users with whom no group is too small to be split off


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
    if not _broken(before, young=model.model.samples < YOUNG_SAMPLES):
        return None
    settled, steps = _settled(z, model.centroids), 0
    while steps < len(settled) and (better := _step(Fit.of(z, settled))) is not None:
        settled, steps = _settled(z, better), steps + 1
    after = Fit.of(z, settled)
    if before.squared.mean() < WORTH_IT * after.squared.mean():
        return None
    # Without a step, Lloyd may only have drawn a doubled centroid apart. Of few users the halves
    # would pass for two groups from then on: better wait for enough to see what is missing.
    if not steps and len(z) < ENOUGH_PER_SEGMENT * len(settled) and not _all_apart(after):
        return None
    record = model.model
    said = "Repaired: a centroid had no users of its own."
    return next_major(
        record,
        z,
        before.rows,
        settled,
        model.scaling,
        record.left_out,
        Structure(len(settled), said, record.structure_curve),
        release="repair",
    )


def _settled(z: Floats, centroids: Floats) -> Floats:
    """Lloyd's iteration to its end, unless a centroid has no users to go by."""
    found = converge(z, centroids)
    return centroids if found is None else found


def _broken(fit: Fit, *, young: bool) -> bool:
    """Whether a centroid is dead, or two have been the halves of one group from the start."""
    if (fit.users <= DEAD_SHARE * len(fit.z)).any():
        return True
    return young and bool(fit.separation().min() < DOUBLED)


def _all_apart(fit: Fit) -> bool:
    """Whether no two segments could be the halves of one group, few users as there may be."""
    users = fit.users[:, None] + fit.users
    return bool((fit.separation() >= DOUBLED + FEW_LOOK_APART / np.sqrt(users)).all())


def _step(fit: Fit) -> Floats | None:
    """Take the centroid away that is missed least, if a split elsewhere gains more."""
    gone, into, cost = _cheapest(fit)
    best, parts, split = GAIN_MIN * cost, None, -1
    for row in range(len(fit.centroids)):
        if row not in (gone, into):
            users = fit.z[fit.rows == row]
            gain, halves = _split(users)
            if gain > best and halves is not None and (cost > 0.0 or _two(users, halves)):
                best, parts, split = gain, halves, row
    if parts is None:
        return None
    centroids = fit.centroids.copy()
    if into is not None:
        centroids[into] = fit.z[(fit.rows == gone) | (fit.rows == into)].mean(axis=0)
    centroids[split], centroids[gone] = parts
    return centroids


def _cheapest(fit: Fit) -> tuple[int, int | None, float]:
    """A centroid to take away, which other one takes over its users, and what that costs.

    The cost is the rise of the squared distances (Ward, JASA 58, 1963).
    """
    dead = np.flatnonzero(fit.users <= DEAD_SHARE * len(fit.z))
    if len(dead):
        return int(dead[0]), None, 0.0
    means = np.array([fit.z[fit.rows == row].mean(axis=0) for row in range(len(fit.centroids))])
    between = squared_distances(means, means)
    harmonic = fit.users[:, None] * fit.users / (fit.users[:, None] + fit.users)
    cost = np.where(np.eye(len(means), dtype=np.bool_), np.inf, harmonic * between)
    into, gone = divmod(int(np.argmin(cost)), len(means))  # the first one: into < gone
    return gone, into, float(cost[into, gone])


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


def _two(z: Floats, parts: Floats) -> bool:
    """Whether parts are two groups, and not the halves of one.

    A dead centroid costs nothing, so any gain would pay. But nobody's segment is cut in two
    only to have as many as before. Of few users, halves look further apart than they are: over
    900 samples of bell curves in 4 to 12 dimensions, none was above the limit.
    """
    return bool(Fit.of(z, parts).separation()[0, 1] >= DOUBLED + FEW_LOOK_APART / np.sqrt(len(z)))

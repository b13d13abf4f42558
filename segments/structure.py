"""How many segments a population really falls into: the largest number found twice.

Split the users in two halves, find k centroids in each, let both divide all users, and compare
(adjusted Rand index, ARI). Chance structure does not come up every time. On synthetic populations
the number is exact or one too many; on uniform noise nothing passes.
"""

from dataclasses import dataclass

import numpy as np

from segments.agreement import adjusted_rand_index
from segments.assignment import nearest_rows
from segments.lloyd import best_centroids
from segments.transforms import Floats

SEGMENTS_MIN = 3
SEGMENTS_MAX = 12
SEGMENTS_DEFAULT = 6
STABLE = 0.9  # split-half ARI from which a partition counts as real
# Of more users so many are drawn: large halves agree even on noise (ARI .94 with 20,000 users).
USERS_MAX = 2_000
SPLITS = 3  # all of them must agree: by luck two halves may cut one group alike once


@dataclass(frozen=True)
class Structure:
    """What was decided, and on what grounds.

    Attributes:
        segments: How many segments to make.
        sentence: One sentence for people.
        curve: Split-half ARI by number of segments, where it was computed.
    """

    segments: int
    sentence: str
    curve: tuple[tuple[int, float], ...] = ()


def split_half_ari(z: Floats, k: int, rng: np.random.Generator) -> float:
    """How well two halves of the users agree on k segments.

    Args:
        z: float64[n, d], both halves with at least k different rows.
        k: ≥ 2.
        rng: Draws the halves and the starts.

    Returns:
        ARI of the two partitions of all users, the lowest of three random splits.
    """
    scores = []
    for _ in range(SPLITS):
        order = rng.permutation(len(z))
        halves = order[: len(z) // 2], order[len(z) // 2 :]
        one, two = (nearest_rows(z, best_centroids(z[half], k, rng)) for half in halves)
        scores.append(adjusted_rand_index(one, two))
    return min(scores)


def decide(
    z: Floats, wanted: int | None, rng: np.random.Generator, otherwise: int = SEGMENTS_DEFAULT
) -> Structure:
    """Decide how many segments to make of these users.

    Args:
        z: float64[n, d], n ≥ 2.
        wanted: A number that was asked for, or None for the largest stable one in 3…12.
        rng: See `split_half_ari`.
        otherwise: How many to make when none was asked for and none is stable.

    Returns:
        The number, never more than there are different users, and why.
    """
    if len(z) > USERS_MAX:
        z = z[rng.choice(len(z), USERS_MAX, replace=False)]
    distinct = len(np.unique(z, axis=0))
    if wanted is not None and wanted > distinct:
        return Structure(
            distinct,
            f"The samples hold only {distinct} different vectors: {distinct} segments instead "
            f"of the {wanted} asked for.",
        )
    scores = {
        k: split_half_ari(z, k, rng)
        for k in ([wanted] if wanted else range(SEGMENTS_MIN, SEGMENTS_MAX + 1))
        if k > 1 and _both_halves_can_have(k, z)
    }
    curve = tuple((k, round(score, 3)) for k, score in scores.items())
    stable = [k for k, score in scores.items() if score >= STABLE]
    if stable:
        k = max(stable)
        return Structure(
            k, f"{k} segments: two halves of the users agree with ARI {scores[k]:.2f}.", curve
        )
    k = wanted if wanted is not None else min(otherwise, distinct)
    if k in scores:
        found = f"two halves of the users agree with ARI {scores[k]:.2f} only"
    else:
        found = "too few different users to tell"
    return Structure(k, f"No stable structure found: {k} segments, {found}.", curve)


def _both_halves_can_have(k: int, z: Floats) -> bool:
    """Whether k segments can be found twice: 4 k different users leave some in every half."""
    return len(np.unique(z, axis=0)) >= 4 * k

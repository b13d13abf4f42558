"""How much two partitions of the same users agree."""

import numpy as np
from numpy.typing import NDArray


def adjusted_rand_index(one: NDArray[np.integer], two: NDArray[np.integer]) -> float:
    """Compare two partitions, whatever their labels are called.

    Hubert and Arabie, "Comparing partitions", Journal of Classification 2 (1985): the share of
    pairs of users that both partitions treat alike, corrected for chance.

    Args:
        one: int[n] labels.
        two: int[n] labels.

    Returns:
        1 for the same partition, around 0 for unrelated ones, possibly a little negative. 1
        also when both put everybody together or everybody apart.
    """
    _, rows = np.unique(one, return_inverse=True)
    _, columns = np.unique(two, return_inverse=True)
    width = int(columns.max(initial=0)) + 1
    table = np.bincount(rows * width + columns)

    both = _pairs(table)
    in_one, in_two = _pairs(np.bincount(rows)), _pairs(np.bincount(columns))
    every = len(one) * (len(one) - 1) / 2
    if every == 0:
        return 1.0
    by_chance = in_one * in_two / every
    at_most = (in_one + in_two) / 2
    return 1.0 if at_most == by_chance else (both - by_chance) / (at_most - by_chance)


def _pairs(sizes: NDArray[np.intp]) -> float:
    """Pairs of users inside groups of these sizes."""
    counts = sizes.astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())

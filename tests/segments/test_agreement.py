"""The adjusted Rand index against its definition."""

from itertools import combinations

import numpy as np
import pytest

from segments.agreement import adjusted_rand_index


def by_definition(one: list[int], two: list[int]) -> float:
    """Count pairs, as Hubert and Arabie define it."""
    pairs = list(combinations(range(len(one)), 2))
    both = sum(one[i] == one[j] and two[i] == two[j] for i, j in pairs)
    first = sum(one[i] == one[j] for i, j in pairs)
    second = sum(two[i] == two[j] for i, j in pairs)
    chance = first * second / len(pairs)
    return (both - chance) / ((first + second) / 2 - chance)


@pytest.mark.parametrize("seed", range(10))
def test_it_is_the_share_of_pairs_corrected_for_chance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, two = rng.integers(0, 4, 40), rng.integers(-3, 2, 40)
    expected = by_definition(one.tolist(), two.tolist())
    assert expected == pytest.approx(adjusted_rand_index(one, two))


def test_the_same_partition_under_other_labels_is_one() -> None:
    assert adjusted_rand_index(np.array([0, 0, 1, 2]), np.array([7, 7, 3, 5])) == 1.0


def test_a_known_value() -> None:
    # The example of scikit-learn's documentation.
    assert adjusted_rand_index(np.array([0, 0, 1, 2]), np.array([0, 0, 1, 1])) == pytest.approx(
        0.5714285714285714
    )


@pytest.mark.parametrize("labels", [[], [3], [3, 3, 3], [1, 2, 3]])
def test_trivial_partitions_agree_with_themselves(labels: list[int]) -> None:
    same = np.array(labels, dtype=np.int64)
    assert adjusted_rand_index(same, same) == 1.0

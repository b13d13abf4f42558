"""How many segments, and whether there are any."""

import numpy as np
import pytest

from segments.lloyd import best_centroids, inertia
from segments.structure import decide


def blobs(k: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Well separated: corners of a cube with sides of 3, noise of .4."""
    corners = np.array([[x, y, z] for x in (0, 3) for y in (0, 3) for z in (0, 3)], dtype=float)
    return corners[rng.integers(0, k, n)] + rng.normal(0.0, 0.4, (n, 3))


@pytest.mark.parametrize("k", [3, 5, 8])
def test_auto_finds_the_number_of_separated_groups_or_one_more(k: int) -> None:
    rng = np.random.default_rng(k)
    structure = decide(blobs(k, 400, rng), None, rng)
    assert structure.segments in {k, k + 1}
    assert "agree with ARI" in structure.sentence


def test_uniform_noise_has_no_stable_structure_and_gets_the_default() -> None:
    rng = np.random.default_rng(1)
    structure = decide(rng.uniform(-2, 2, (400, 7)), None, rng)
    assert structure.segments == 6
    assert structure.sentence.startswith("No stable structure found")


def test_many_users_make_no_structure_out_of_noise() -> None:
    rng = np.random.default_rng(4)
    structure = decide(rng.uniform(-2, 2, (20_000, 7)), 5, rng)
    assert structure.sentence.startswith("No stable structure found: 5 segments")


def test_the_curve_holds_every_number_that_was_tried() -> None:
    rng = np.random.default_rng(3)
    structure = decide(blobs(4, 300, rng), None, rng)
    assert [k for k, _ in structure.curve] == list(range(3, 13))
    assert dict(structure.curve)[4] >= 0.9 > dict(structure.curve)[12]
    assert [k for k, _ in decide(blobs(4, 300, rng), 4, rng).curve] == [4]


def test_a_given_number_is_kept_and_judged() -> None:
    rng = np.random.default_rng(2)
    assert decide(blobs(4, 400, rng), 4, rng).sentence.startswith("4 segments: two halves")
    noise = decide(rng.uniform(-2, 2, (400, 7)), 5, rng)
    assert noise.segments == 5
    assert noise.sentence.startswith("No stable structure found: 5 segments")


def test_fewer_different_users_than_segments_gives_fewer_segments() -> None:
    z = np.repeat(np.eye(3), 50, axis=0)
    structure = decide(z, 6, np.random.default_rng(0))
    assert structure.segments == 3
    assert "only 3 different vectors" in structure.sentence


def test_five_separated_groups_are_found_from_every_one_of_20_seeds() -> None:
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        z = blobs(5, 400, rng)
        found += inertia(z, best_centroids(z, 5, rng)) < 0.6  # 3 × .4², and some slack
    assert found == 20


def test_no_centroid_is_empty_even_among_equal_users() -> None:
    z = np.repeat(np.eye(4), [97, 1, 1, 1], axis=0)
    centroids = best_centroids(z, 4, np.random.default_rng(0))
    assert sorted(centroids.tolist()) == sorted(np.eye(4).tolist())
    assert centroids[0].tolist() == [1.0, 0.0, 0.0, 0.0]  # largest first


def test_one_segment_is_the_mean() -> None:
    z = np.array([[0.0, 1.0], [2.0, 3.0]])
    assert best_centroids(z, 1, np.random.default_rng(0)).tolist() == [[1.0, 2.0]]

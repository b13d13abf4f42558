import numpy as np
import pytest

from segments.lloyd import best_centroids
from segments.unrelated import RELATED, scatter_to_shuffled


@pytest.mark.parametrize("users", [500, 4000])
def test_features_that_are_drawn_alone_are_unrelated_however_many_users_there_are(
    users: int,
) -> None:
    rng = np.random.default_rng(users)
    z = rng.uniform(-2, 2, (users, 6)) * np.linspace(0.5, 1.5, 6)
    assert 0.95 < scatter_to_shuffled(z, best_centroids(z, 5, rng), rng) < 1.05


def test_groups_of_people_are_related() -> None:
    rng = np.random.default_rng(7)
    kinds = rng.normal(0, 1.5, (5, 6))
    z = kinds[rng.integers(0, 5, 500)] + rng.normal(0, 0.5, (500, 6))
    assert scatter_to_shuffled(z, best_centroids(z, 5, rng), rng) < RELATED / 2


def test_equal_users_are_unrelated() -> None:
    z = np.ones((30, 3))
    assert scatter_to_shuffled(z, z[:1], np.random.default_rng(1)) == 1.0

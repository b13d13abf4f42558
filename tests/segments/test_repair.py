"""Dead and doubled centroids are repaired by themselves; a good model never is."""

import numpy as np
import pytest

from segments.assignment import nearest_rows
from segments.lloyd import best_centroids, inertia
from segments.model import CompiledModel, SegmentModel
from segments.repair import repair
from tests.segments.models import model_with

SEEDS = range(20)
D = 6


def blobs(seed: int, k: int = 5, users: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Users in k groups of different sizes, about 3 deviations apart; and their group."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0.0, 1.2, (k, D))
    truth = rng.choice(k, users, p=rng.dirichlet(np.full(k, 6.0)))
    return np.clip(centres[truth] + rng.normal(0.0, 0.45, (users, D)), -4, 4), truth


def model_of(centroids: np.ndarray) -> SegmentModel:
    return model_with(centroids.tolist(), ids=tuple(range(3, 3 + len(centroids))), next_id=20)


def good(seed: int) -> tuple[np.ndarray, np.ndarray]:
    z, _ = blobs(seed)
    return z, best_centroids(z, 5, np.random.default_rng(seed))


def test_good_models_are_never_repaired() -> None:
    repaired = []
    for seed in SEEDS:
        z, centroids = good(seed)
        rng = np.random.default_rng(seed)
        for part in (0.0, 0.1):  # converged, and as online learning leaves them
            near = centroids + part * rng.normal(0.0, 0.45, centroids.shape)
            if repair(CompiledModel(model_of(near)), z) is not None:
                repaired.append(seed)
    assert repaired == []


def test_no_structure_at_all_is_no_reason_to_repair() -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        z = rng.uniform(-1.7, 1.7, (600, D))
        centroids = best_centroids(z, 6, rng)
        assert repair(CompiledModel(model_of(centroids)), z) is None, seed


def doubled(centroids: np.ndarray, z: np.ndarray, seed: int) -> np.ndarray:
    """One centroid at the place of another one, or close to it."""
    broken = centroids.copy()
    broken[1] = broken[3] + (0.0 if seed % 2 else 0.1) * np.random.default_rng(seed).normal(size=D)
    return broken


def dead(centroids: np.ndarray, z: np.ndarray, seed: int) -> np.ndarray:
    """One centroid where nobody is."""
    broken = centroids.copy()
    broken[1] = 4.0
    return broken


def halves(centroids: np.ndarray, z: np.ndarray, seed: int) -> np.ndarray:
    """One centroid for two groups, two for another: where Lloyd itself gets stuck."""
    rows = nearest_rows(z, centroids)
    broken = centroids.copy()
    one = z[rows == 3]
    side = one[:, 0] > np.median(one[:, 0])
    broken[3], broken[1] = one[side].mean(axis=0), one[~side].mean(axis=0)
    return broken


@pytest.mark.parametrize("broken", [doubled, dead, halves], ids=lambda broken: broken.__name__)
def test_broken_starts_are_repaired_with_lineage(broken) -> None:  # type: ignore[no-untyped-def]
    failed = []
    for seed in SEEDS:
        z, centroids = good(seed)
        before = model_of(broken(centroids, z, seed))
        version = repair(CompiledModel(before), z)
        if version is None or inertia(z, np.array(version.centroids)) > 1.02 * inertia(
            z, centroids
        ):
            failed.append(seed)
            continue
        assert (version.major, version.minor, version.release) == (2, 0, "repair")
        assert version.next_id == 20 + sum(i >= 20 for i in version.ids)
        kinds = {line.id: line.kind for line in version.lineage}
        assert set(kinds) == set(before.ids) | set(version.ids), seed
        assert sum(kinds[i] == "kept" or kinds[i] == "renamed" for i in before.ids) >= 3, seed
        gone = set(before.ids) - set(version.ids)
        assert all(kinds[i] in {"merged_into", "retired"} for i in gone), seed
    assert failed == []


def test_of_few_users_a_doubled_centroid_is_not_drawn_apart_but_waits_for_its_group() -> None:
    centres = 4.0 * np.eye(5, D) - 1.0
    for seed in range(8):
        rng = np.random.default_rng(seed)

        def users(sizes: list[int], rng: np.random.Generator = rng) -> np.ndarray:
            z: np.ndarray = np.repeat(centres, sizes, axis=0)
            return z + rng.normal(0.0, 0.45, z.shape)

        start = centres.copy()
        start[1] = start[0] + 0.01  # nobody has group 1, and group 0 is had twice
        start[4] = (centres[1] + centres[4]) / 2
        compiled = CompiledModel(model_of(start))
        # Group 1 is too small to be split off.
        assert repair(compiled, users([34, 15, 26, 25, 30])) is None, seed
        version = repair(compiled, users([66, 45, 78, 75, 90]))
        assert version is not None, seed
        apart = np.linalg.norm(centres[:, None] - np.array(version.centroids), axis=2)
        assert apart.min(axis=1).max() < 0.5, seed

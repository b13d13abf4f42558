"""River's k-means with its traps closed."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from river import cluster

from segments.kmeans import OnlineKMeans

CENTROIDS = [[0.0, 0.0], [4.0, 0.0]]


def test_it_starts_from_the_given_centroids_not_from_rivers_own() -> None:
    assert OnlineKMeans([7, 3], CENTROIDS, 0.01).centroids == ((0.0, 0.0), (4.0, 0.0))


def test_a_sample_pulls_the_nearest_centroid_by_the_step_size_and_no_other() -> None:
    kmeans = OnlineKMeans([7, 3], CENTROIDS, 0.25)
    kmeans.learn([3.0, 2.0])
    assert kmeans.centroids == ((0.0, 0.0), (3.75, 0.5))


def test_the_nearest_is_named_by_its_id_and_looking_changes_nothing() -> None:
    kmeans = OnlineKMeans([7, 3], CENTROIDS, 0.25)
    assert kmeans.nearest([3.0, 2.0]) == (3, [-1.0, 2.0])
    assert kmeans.nearest([2.0, 0.0]) == (7, [2.0, 0.0])  # a tie goes to the id given first
    assert kmeans.centroids == ((0.0, 0.0), (4.0, 0.0))


def test_a_point_of_another_shape_raises_instead_of_inventing_a_coordinate() -> None:
    kmeans = OnlineKMeans([7, 3], CENTROIDS, 0.25)
    with pytest.raises(KeyError):
        kmeans.learn([1.0, 1.0, 1.0])
    assert kmeans.centroids == ((0.0, 0.0), (4.0, 0.0))


def test_the_traps_are_still_there_in_river_itself() -> None:
    """When this fails, River has changed: read `segments.kmeans` again."""
    make: Any = cluster.KMeans
    river = make(n_clusters=2, seed=1)
    river.predict_one({"a": 1.0})
    before = {i: dict(c) for i, c in river.centers.items()}
    river.predict_one({"a": 1.0, "misspelt": 1.0})
    assert before != {i: dict(c) for i, c in river.centers.items()}  # predicting has learnt
    river.learn_one({"a": float("nan"), "misspelt": 0.0})
    assert any(np.isnan(c["a"]) for c in river.centers.values())


SCRIPT = """
import hashlib, sys
sys.path[:0] = {path!r}
from segments.learner import Learner, LearnerSettings
from segments.model import encode_model
from tests.segments.population import stream
learner = Learner.fresh(
    LearnerSettings(segments=4, bootstrap_users=200, release_samples=100, slot_ms=0)
)
digest, releases = hashlib.sha256(), 0
for offset, sample in enumerate(stream(300, 2500, seed=5, partitions=3)):
    for model in learner.learn(sample, offset):
        digest.update(encode_model(model))
        releases += 1
print(releases, digest.hexdigest())
"""


def test_releases_are_bit_equal_whatever_the_hash_seed() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT.format(path=sys.path)],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "7", "4242")
    ]
    assert int(outputs[0].split()[0]) > 10
    assert len(set(outputs)) == 1, outputs

"""Five separated groups, 20 seeds: are all of them found, kept, and repaired when a start was bad?

    python -m benchmarks.segmentation.blobs [--seeds N] [--write]

Shoal beside River's KMeans with its defaults, on the same points in Shoal's space. Then Shoal goes
on from two damaged models: in one a centroid stands beside another, in one it stands where nobody
is. It must repair both as a major version with lineage, and never repair a good one.
"""

import argparse
import sys
from typing import Any

import msgspec
import numpy as np
from river import cluster

from benchmarks.segmentation import document
from benchmarks.segmentation.still import ACTIVITY, Still
from benchmarks.segmentation.stream import Floats, Ints
from features.catalogue import CATALOGUE, MODEL_FEATURES, feature_index
from segments.agreement import adjusted_rand_index
from segments.learner import Learner, LearnerSettings
from segments.model import CompiledModel, SegmentModel
from segments.scaling import CLIP, Scaling

GROUPS = 5
USERS = 500
WITHIN = 0.35  # deviation within a group, where the centres' is 1.5
APART = 3.0  # least distance of two centres
SAMPLES = 5_000
RECOVERED = 0.99
CERTAIN = 1e6  # evidence
DAMAGES = ("beside another", "where nobody is")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="into docs/segmentation.md")
    options = parser.parse_args()
    rows = [one_seed(seed) for seed in range(options.seeds)]
    n = options.seeds
    counts = {name: sum(row[name] for row in rows) for name in rows[0]}
    lines = [
        f"{GROUPS} groups of {USERS // GROUPS} users, {SAMPLES} samples, seeds 0–{n - 1}.",
        "",
        "| | of the seeds |",
        "|---|---|",
        *(f"| {name} | {count} of {n} |" for name, count in counts.items()),
    ]
    print("\n".join(lines))
    if options.write:
        document.write("blobs", "\n".join(lines))
    wrong = counts.pop("Shoal: a good model was repaired")
    counts.pop("River KMeans, defaults: all groups found")
    return not (wrong == 0 and all(count == n for count in counts.values()))


def one_seed(seed: int) -> dict[str, bool]:
    """What holds for one seed, by sentence."""
    values, evidence, group = groups(np.random.default_rng(seed))
    settings = LearnerSettings(segments=GROUPS, bootstrap_users=USERS)
    world = Still(values, evidence, settings, seed)
    while not world.releases:
        world.live(100)
    good = world.copy()
    good.live(SAMPLES)
    told = {
        "Shoal: all groups found": _agrees(group, good),
        "Shoal: a good model was repaired": any(one.major > 1 for one in good.releases),
        "River KMeans, defaults: all groups found": _river(world, group, seed),
    }
    for damage in DAMAGES:
        bad = world.copy()
        bad.learner = Learner.resume(damaged(bad.releases[-1], damage), settings)
        bad.live(SAMPLES)
        repairs = [one for one in bad.releases if one.release == "repair"]
        told[f"Shoal: a centroid {damage} is repaired, and all groups are found"] = (
            bool(repairs)
            and repairs[0].major == 2
            and bool(repairs[0].lineage)
            and _agrees(group, bad)
        )
    return told


def groups(rng: np.random.Generator) -> tuple[Floats, Floats, Ints]:
    """Draw users of five groups.

    Returns:
        Values and evidence, float64[n, 13]; int64[n], whose group each is.
    """
    chosen = [feature for feature in CATALOGUE if feature.name in MODEL_FEATURES]
    shares = np.array([feature.transform == "logit" for feature in chosen])
    scaling = Scaling(
        tuple(feature.name for feature in chosen),
        tuple(str(feature.transform) for feature in chosen),
        np.zeros(len(chosen)),
        np.where(shares, -1.0, 2.0),
        np.where(shares, 0.8, 0.4),
    )
    centres = rng.normal(0, 1.5, (GROUPS, len(chosen)))
    while _least_distance(centres) < APART:
        centres = rng.normal(0, 1.5, (GROUPS, len(chosen)))
    group = np.arange(USERS) % GROUPS
    z = centres[group] + rng.normal(0, WITHIN, (USERS, len(chosen)))
    values = np.zeros((USERS, len(CATALOGUE)))
    values[:, [feature_index(feature.name) for feature in chosen]] = scaling.values_at(z)
    values[:, ACTIVITY] = 1.0
    return values, np.full(values.shape, CERTAIN), group


def damaged(model: SegmentModel, damage: str) -> SegmentModel:
    """A model with one centroid in the wrong place."""
    centroids = [list(row) for row in model.centroids]
    if damage == "beside another":
        centroids[1] = [x + 0.01 for x in centroids[0]]
    else:
        centroids[1] = [CLIP] * len(centroids[1])
    return msgspec.structs.replace(model, centroids=tuple(map(tuple, centroids)))


def _agrees(group: Ints, world: Still) -> bool:
    return adjusted_rand_index(group, world.segment) >= RECOVERED


def _river(world: Still, group: Ints, seed: int) -> bool:
    z = CompiledModel(world.releases[-1]).scaling.project(world.values, world.evidence).tolist()
    make: Any = cluster.KMeans  # River's methods carry no types
    model = make(n_clusters=GROUPS, seed=seed)
    for user in np.random.default_rng(seed).integers(0, len(z), SAMPLES).tolist():
        model.learn_one(dict(enumerate(z[user])))
    labels = np.array([model.predict_one(dict(enumerate(row))) for row in z], np.int64)
    return adjusted_rand_index(group, labels) >= RECOVERED


def _least_distance(centres: Floats) -> float:
    apart = np.sqrt(np.square(centres[:, None] - centres).sum(axis=2))
    return float(apart[np.triu_indices(len(centres), 1)].min())


if __name__ == "__main__":
    sys.exit(main())

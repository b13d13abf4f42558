"""Users of a few personas as training samples: what a worker would send."""

from collections.abc import Iterator

import numpy as np

from features.catalogue import FEATURE_NAMES, catalogue_fingerprint, feature_index
from segments.samples import Sample

DAY_MS = 86_400_000
START_MS = 1_767_312_000_000

# In the model's own space (log or log odds), 1 apart in several features.
PERSONAS = {
    "page_views_per_day": (1.0, 3.0, 2.0, 1.0),
    "reactions_per_day": (0.5, 0.5, 2.0, 1.0),
    "ctr": (-3.0, -1.0, -3.0, -1.0),
    "mobile_share": (2.0, -2.0, -2.0, 2.0),
}
SPREAD = 0.25


def population(
    users: int, rng: np.random.Generator, *, days: float = 28.0, spread: float = SPREAD
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values and evidence, float64[n, 13] each, and the true persona, int[n]."""
    truth = rng.integers(0, 4, users)
    values = np.full((users, len(FEATURE_NAMES)), np.nan)
    evidence = np.zeros_like(values)
    for name, means in PERSONAS.items():
        drawn = np.array(means)[truth] + rng.normal(0.0, spread, users)
        column = feature_index(name)
        share = name in {"ctr", "mobile_share"}
        values[:, column] = (
            1.0 / (1.0 + np.exp(-drawn)) if share else np.expm1(np.maximum(drawn, 0))
        )
        evidence[:, column] = 200.0 if share else days
    values[:, feature_index("followed_accounts")] = rng.integers(0, 300, users)
    evidence[:, feature_index("followed_accounts")] = 1.0
    return values, evidence, truth


def user_hash(user: int) -> int:
    return user * 0x9E3779B97F4A7C15 % 2**64


def sample_of(
    user: int,
    values: np.ndarray,
    evidence: np.ndarray,
    source_offset: int,
    stream_ms: int,
    partition: int = 0,
) -> Sample:
    return Sample(
        catalogue_fingerprint(),
        partition,
        source_offset,
        user_hash(user),
        stream_ms,
        values.tolist(),
        evidence.tolist(),
    )


def stream(
    users: int,
    samples: int,
    seed: int,
    *,
    days: float = 28.0,
    step_ms: int = 1000,
    partitions: int = 1,
) -> Iterator[Sample]:
    """Samples of random users, `step_ms` of stream time apart."""
    rng = np.random.default_rng(seed)
    values, evidence, _ = population(users, rng, days=days)
    offsets = [0] * partitions
    for at in range(samples):
        user = int(rng.integers(users))
        noisy = values[user] * rng.normal(1.0, 0.02, len(FEATURE_NAMES))
        partition = user % partitions
        offsets[partition] += int(rng.integers(1, 4))  # source offsets have holes
        yield sample_of(
            user, noisy, evidence[user], offsets[partition], START_MS + at * step_ms, partition
        )

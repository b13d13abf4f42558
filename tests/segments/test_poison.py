"""One bot, a burst of one user, and a changed unit move nobody else."""

from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import pytest

from features.catalogue import feature_index
from segments.learner import Learner, LearnerSettings
from segments.samples import Sample
from tests.segments.population import PERSONAS, START_MS, population, sample_of, user_hash
from tests.segments.workers import Workers

USERS = 600
CLEAN, POISONED = 2400, 1800
STEP_MS = 60_000
SETTINGS = LearnerSettings(
    segments=4, features=tuple(PERSONAS), bootstrap_users=400, release_samples=200
)
VALUES, EVIDENCE, _ = population(USERS, np.random.default_rng(21), spread=0.5)


def samples(first: int, count: int, partition: int = 0) -> Iterator[Sample]:
    """Steady users, one after the other in random order, a minute apart."""
    rng = np.random.default_rng(first)
    for at in range(first, first + count):
        user = int(rng.integers(USERS))
        noisy = VALUES[user] * rng.normal(1.0, 0.02, VALUES.shape[1])
        yield sample_of(user, noisy, EVIDENCE[user], at, START_MS + at * STEP_MS, partition)


def bot(sample: Sample, at: int) -> list[Sample]:
    """50 samples of one that clicks on everything, a minute apart."""
    wild = list(sample.values)
    wild[feature_index("page_views_per_day")] = 5_000.0
    wild[feature_index("ctr")] = 1.0
    changed = msgspec.structs.replace(sample, values=wild, user_hash=user_hash(USERS), partition=1)
    return [sample, changed] if at < 50 else [sample]


def burst(sample: Sample, at: int) -> list[Sample]:
    """1,000 samples of one ordinary user, a minute apart."""
    one = sample_of(7, VALUES[7], EVIDENCE[7], sample.source_offset, sample.stream_ms, 1)
    return [sample, one] if at < 1000 else [sample]


def times_ten(name: str, share: float, sample: Sample) -> Sample:
    column = feature_index(name)
    values = list(sample.values)
    values[column] = min(values[column] * 10, 1.0 if name in {"ctr", "mobile_share"} else np.inf)
    affected = sample.user_hash / 2**64 < share
    return msgspec.structs.replace(sample, values=values) if affected else sample


def unit(sample: Sample, _at: int) -> list[Sample]:
    """Everybody's page views are counted ten times from now on."""
    return [times_ten("page_views_per_day", 1.0, sample)]


def unit_of_a_share(sample: Sample, _at: int) -> list[Sample]:
    """The clicks of three users in ten are counted ten times from now on."""
    return [times_ten("ctr", 0.3, sample)]


@pytest.mark.parametrize(
    ("poison", "moved_max"),
    [(bot, 0), (burst, 0), (unit, 0), (unit_of_a_share, USERS // 100)],
    ids=lambda one: getattr(one, "__name__", str(one)),
)
def test_nobody_else_is_moved(
    poison: Callable[[Sample, int], list[Sample]], moved_max: int
) -> None:
    poisoned = Learner.fresh(SETTINGS)
    workers = Workers(VALUES, EVIDENCE)
    workers.follow(poisoned, samples(0, CLEAN))
    before = workers.segment.copy()
    after = samples(CLEAN, POISONED)
    mixed = [one for at, sample in enumerate(after) for one in poison(sample, at)]
    workers.follow(poisoned, mixed, CLEAN)
    others = np.arange(USERS) != 7
    assert (workers.segment != before)[others].sum() <= moved_max


def test_what_lies_beside_the_model_at_once_is_not_learnt_and_says_so() -> None:
    learner = Learner.fresh(SETTINGS)
    workers = Workers(VALUES, EVIDENCE)
    workers.follow(learner, samples(0, CLEAN))
    newest = learner.model
    off = [unit(sample, 0)[0] for sample in samples(CLEAN, 600)]
    workers.follow(learner, off, CLEAN)
    assert learner.paused
    assert learner.model == newest
    health = learner.health
    assert health is not None
    assert health.proposal is not None
    assert health.proposal.kind == "shift"
    assert "page_views_per_day of all samples lies" in health.proposal.sentence
    # Mended, learning goes on from the release before.
    released = []
    for offset, sample in enumerate(samples(CLEAN + 600, 900), start=CLEAN + 600):
        released += learner.learn(sample, offset)
    assert released
    mended = learner.health
    assert mended is not None
    assert all(finding.kind != "shift" for finding in mended.findings)

"""The flip budget: what moves too many users is held back, and goes out in parts if it lasts."""

import msgspec
import numpy as np
import pytest

from segments.learner import Learner, LearnerSettings
from segments.model import CompiledModel
from segments.reservoir import Flips, Reservoir
from tests.segments.models import model_with
from tests.segments.population import PERSONAS, START_MS, population, sample_of
from tests.segments.workers import Workers

LINE = model_with(
    [[0.0], [3.0]], features=("page_views_per_day",), prior_weights=(0.0,), released_ms=START_MS
)


def moved_to(*places: float) -> CompiledModel:
    return CompiledModel(
        msgspec.structs.replace(LINE, centroids=tuple((place,) for place in places))
    )


def test_users_move_as_they_would_for_workers() -> None:
    z = np.array([[0.0], [1.45], [1.75], [3.0]])
    reservoir = Reservoir(z, CompiledModel(LINE), {})
    assert reservoir.flips(CompiledModel(LINE)).moved == 0
    # The border moves from 1.5 to 1.7: 1.75 stays where it is, 1.45 too.
    assert reservoir.flips(moved_to(0.2, 3.2)).moved == 0
    # To 2.5: for 1.75 the first centroid is clearly nearer.
    flips = reservoir.flips(moved_to(1.0, 4.0))
    assert (flips.moved, flips.share) == (1, 0.25)


def test_whom_hysteresis_keeps_is_remembered() -> None:
    z = np.array([[0.0], [1.6], [3.0]])
    first = Reservoir(z, CompiledModel(LINE), {}).flips(moved_to(0.2, 3.1))
    assert first.lingering == ((1, 2),)  # nearest to segment 1 by a little, but still in 2
    second = Reservoir(z, moved_to(0.2, 3.1), dict(first.lingering)).flips(moved_to(0.5, 3.2))
    assert second.moved == 1  # two small steps together are one large one
    forgotten = Reservoir(z, moved_to(0.2, 3.1), {}).flips(moved_to(0.5, 3.2))
    assert forgotten.moved == 0


@pytest.mark.parametrize(("users", "allowed"), [(10, 1), (200, 2), (2000, 20)])
def test_the_budget_is_a_share_and_one_user_at_least(users: int, allowed: int) -> None:
    reservoir = Reservoir(np.zeros((users, 1)), CompiledModel(LINE), {})
    assert reservoir.allows(Flips(allowed, 0.0, ()), 0.01)
    assert not reservoir.allows(Flips(allowed + 1, 0.0, ()), 0.01)


def test_an_empty_reservoir_lets_everything_pass() -> None:
    reservoir = Reservoir(np.empty((0, 1)), CompiledModel(LINE), {})
    assert reservoir.allows(reservoir.flips(moved_to(1.0, 4.0)), 0.01)


SETTINGS = LearnerSettings(
    segments=4,
    features=tuple(PERSONAS),
    bootstrap_users=300,
    release_samples=100,
    release_samples_min=100,
    slot_ms=0,
)


def learner_at_home(users: int, seed: int, settings: LearnerSettings) -> tuple[Learner, Workers]:
    """A learner that has just made its first model of these users, and knows them."""
    values, evidence, _ = population(users, np.random.default_rng(seed), spread=0.6)
    learner, workers = Learner.fresh(settings), Workers(values, evidence)
    at = 0
    while learner.model is None:
        sample = sample_of(at % users, values[at % users], evidence[at % users], at, START_MS + at)
        for release in learner.learn(sample, at):
            workers.look(release)
        at += 1
    return learner, workers


@pytest.mark.parametrize("seed", range(3))
def test_static_users_stay_through_fifty_releases(seed: int) -> None:
    users = 600
    learner, workers = learner_at_home(users, seed, SETTINGS)
    values, evidence, _ = population(users, np.random.default_rng(seed), spread=0.6)
    rng = np.random.default_rng(seed + 100)
    assert learner.model is not None
    at = learner.model.sample_offset
    while len(workers.moved) < 50:
        user = int(rng.integers(users))
        sample = sample_of(user, values[user], evidence[user], at, START_MS + at * 1000)
        workers.follow(learner, [sample], at)
        at += 1
    assert max(workers.moved) <= 0.01 * users, (seed, workers.moved)
    segment = workers.segment.copy()
    workers.look(learner.model)  # between releases nothing moves
    assert (workers.segment == segment).all(), seed


def test_what_moves_too_many_is_held_back_then_goes_part_of_the_way() -> None:
    users = 500
    hasty = LearnerSettings(
        segments=4, features=tuple(PERSONAS), bootstrap_users=300, release_samples=100,
        release_samples_min=100, slot_ms=0, step_size=0.2, bias_max=9.0, holds_max=2,
    )  # fmt: skip
    learner, workers = learner_at_home(users, 5, hasty)
    values, evidence, _ = population(users, np.random.default_rng(5), spread=0.6)
    rng = np.random.default_rng(6)
    assert learner.model is not None
    first = at = learner.model.sample_offset
    held, releases = [], []
    for at in range(first, first + 2500):
        user = int(rng.integers(users))
        sample = sample_of(user, values[user], evidence[user], at, START_MS + at * 1000)
        before = learner.held
        for release in learner.learn(sample, at):
            workers.look(release)
            releases.append(release)
        if learner.held > before:
            held.append(at)
            assert learner.flip_share > hasty.flip_budget
            assert learner.held_since_ms is not None
    assert held
    assert max(workers.moved) <= 0.015 * users, workers.moved  # the reservoir is not everybody
    after_holds = [release for release in releases if release.held >= hasty.holds_max]
    assert after_holds, "nothing got out"
    assert all(release.flip_share <= hasty.flip_budget for release in releases)
    assert learner.held <= hasty.holds_max

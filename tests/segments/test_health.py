"""What the learner notices, and what it does about it."""

import msgspec
import numpy as np
import pytest

from features.catalogue import feature_index
from segments.bootstrap import bootstrap
from segments.fit import Fit
from segments.health import LIMITS, Health, health_of
from segments.learner import Learner, LearnerSettings
from segments.model import CompiledModel, SegmentModel, decode_model, encode_model
from tests.segments.population import PERSONAS, START_MS, population, sample_of

WANTED = tuple(PERSONAS)
USERS = 600
SETTINGS = LearnerSettings(
    segments=4, features=WANTED, bootstrap_users=300, release_samples=250, slot_ms=0
)


def first(seed: int) -> tuple[SegmentModel, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values, evidence, truth = population(USERS, rng, spread=0.4)
    return bootstrap(values, evidence, 4, rng, WANTED), values, evidence, truth


def look(model: SegmentModel, values: np.ndarray, evidence: np.ndarray) -> Health:
    compiled = CompiledModel(model)
    bias = (0.0,) * len(model.features)
    z = compiled.scaling.project(values, evidence)
    return health_of(compiled, z, bias, outlier=4 * model.gate, bias_max=0.3)


@pytest.mark.parametrize("seed", range(20))
def test_a_model_that_fits_has_no_findings(seed: int) -> None:
    model, _, _, _ = first(seed)
    values, evidence, _ = population(USERS, np.random.default_rng(seed + 1000), spread=0.4)
    health = look(model, values, evidence)
    assert health.findings == (), seed
    assert not health.changing, seed
    assert health.spread == pytest.approx(1.0, abs=0.15), seed
    assert health.displacement == pytest.approx((0.0,) * 4, abs=1e-3), seed


def test_a_segment_whose_users_are_gone_is_starving() -> None:
    model, values, evidence, truth = first(1)
    stay = (truth != 2) | (np.arange(USERS) % 10 == 0)
    (finding,) = look(model, values[stay], evidence[stay]).findings
    assert finding.kind == "starving"
    assert "of the share of users that it had when version 1.0 was made" in finding.sentence


def test_two_segments_whose_users_become_alike_are_merging() -> None:
    model, values, evidence, _ = first(2)
    compiled = CompiledModel(model)
    z = compiled.scaling.project(values, evidence)
    rows = Fit.of(z, compiled.centroids).rows
    line = compiled.centroids[0] - compiled.centroids[1]
    z[rows == 1] += 0.8 * line  # nearly the same people now, and the centroid has gone with them
    centroids = np.array([z[rows == row].mean(axis=0) for row in range(4)])
    later = msgspec.structs.replace(model, centroids=tuple(map(tuple, centroids.tolist())))
    health = health_of(
        CompiledModel(later), z, (0.0,) * z.shape[1], outlier=4 * model.gate, bias_max=0.3
    )
    merging = [finding.sentence for finding in health.findings if finding.kind == "merging"]
    assert len(merging) == 2
    assert "hardly apart from its neighbour any more" in merging[0]
    # Who never was apart has not become alike.
    assert model.founding is not None
    vague = msgspec.structs.replace(model.founding, separation=(3.2,) * 4)
    same = CompiledModel(msgspec.structs.replace(later, founding=vague))
    quiet = health_of(same, z, (0.0,) * z.shape[1], outlier=4 * model.gate, bias_max=0.3)
    assert all(finding.kind != "merging" for finding in quiet.findings)


def test_centroids_far_from_where_they_began_are_drift() -> None:
    model, values, evidence, _ = first(3)
    far = np.array(model.centroids)
    far[1, 0] += 2.5 * np.sqrt(model.gate)
    health = look(
        msgspec.structs.replace(model, centroids=tuple(map(tuple, far.tolist()))), values, evidence
    )
    assert health.displacement[1] == pytest.approx(2.5, abs=0.01)
    assert {finding.kind for finding in health.findings} == {"drift"}


def test_a_change_within_the_window_is_noticed_by_adwin() -> None:
    model, values, evidence, _ = first(4)
    changed = values.copy()
    newest = np.arange(USERS) < USERS // 2  # the newest come first
    changed[newest, feature_index("reactions_per_day")] += 15.0
    assert look(model, changed, evidence).changing


def test_few_users_say_nothing() -> None:
    model, values, evidence, truth = first(5)
    assert look(model, values[truth == 0][:79], evidence[truth == 0][:79]).findings == ()
    nobody = look(model, values[:0], evidence[:0])
    assert nobody.users == 0
    assert nobody.findings == ()


def test_halves_of_one_group_are_apart_by_the_known_figure() -> None:
    z = np.random.default_rng(6).normal(size=(4000, 5))
    half = np.sqrt(2 / np.pi)  # the mean of a half normal curve
    centroids = np.zeros((2, 5))
    centroids[:, 0] = -half, half
    apart = Fit.of(z, centroids).separation()
    assert apart[0, 1] == pytest.approx(2 * half / np.sqrt(1 - 2 / np.pi), abs=0.08)
    assert np.isinf(apart[0, 0])


def run(learner: Learner, model: SegmentModel, values: np.ndarray, evidence: np.ndarray,
        samples: int, seed: int) -> list[SegmentModel]:  # fmt: skip
    rng = np.random.default_rng(seed)
    released = []
    for at in range(samples):
        user = int(rng.integers(len(values)))
        one = sample_of(user, values[user], evidence[user], at, START_MS + at * 60_000)
        released += learner.learn(one, model.sample_offset + at)
    return released


@pytest.mark.parametrize("what", ["doubled", "dead"])
def test_a_doubled_or_dead_start_is_repaired_as_a_major_version(what: str) -> None:
    model, values, evidence, _ = first(7)
    broken = [list(row) for row in model.centroids]
    broken[2] = broken[0] if what == "doubled" else [4.0] * len(broken[0])
    start = msgspec.structs.replace(model, centroids=tuple(map(tuple, broken)))
    released = run(Learner.resume(start, SETTINGS), start, values, evidence, 2200, 1)
    majors = [release for release in released if release.minor == 0]
    assert [release.release for release in majors] == ["repair"]
    assert majors[0].major == 2
    assert len(majors[0].lineage) >= 4
    assert look(released[-1], values, evidence).findings == ()
    assert decode_model(encode_model(majors[0])) == majors[0]


@pytest.mark.parametrize("seed", range(3))
def test_a_good_start_stays_the_only_major_version(seed: int) -> None:
    model, values, evidence, _ = first(seed)
    released = run(Learner.resume(model, SETTINGS), model, values, evidence, 2200, seed)
    assert released
    assert {release.major for release in released} == {1}
    assert all(release.proposal is None for release in released)


@pytest.mark.parametrize("auto", [False, True])
def test_what_is_proposed_is_done_only_if_that_is_allowed(auto: bool) -> None:
    model, values, evidence, truth = first(8)
    gone = (truth == 1) & (np.arange(USERS) % 12 != 0)  # a few stay
    settings = LearnerSettings(
        segments=4, features=WANTED, bootstrap_users=300, release_samples=250, slot_ms=0,
        window_days=0.5, auto_refit=auto, persists_ms=12 * 3_600_000,
    )  # fmt: skip
    released = run(Learner.resume(model, settings), model, values[~gone], evidence[~gone], 3500, 1)
    proposals = [release.proposal for release in released if release.proposal]
    assert proposals
    assert proposals[0].kind == "starving"
    assert "shoal model refit --dry-run" in proposals[0].sentence
    kinds = [release.release for release in released if release.minor == 0]
    assert kinds == (["refit"] if auto else [])
    if not auto:
        assert len({proposal.since_ms for proposal in proposals}) == 1


def test_every_limit_is_a_figure() -> None:
    figures = set(Health.__struct_fields__)
    assert set(LIMITS) <= figures

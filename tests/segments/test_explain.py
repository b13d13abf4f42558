"""What would move a user is true: applied, it moves them; a little less does not."""

import numpy as np
import pytest

from features.catalogue import FEATURE_NAMES, feature_index
from segments.assignment import assign
from segments.bootstrap import bootstrap
from segments.explain import explain
from segments.model import CompiledModel
from tests.segments.models import model_with
from tests.segments.population import PERSONAS, population

ONE = np.zeros(1, dtype=np.uint8)


def segment_after(model: CompiledModel, values: np.ndarray, evidence: np.ndarray, at: int) -> int:
    """Where two looks put a user who was in segment `at`."""
    z = model.scaling.project(values[None], evidence[None])
    nobody = np.array([-1], dtype=np.int32)
    home = np.array([at], dtype=np.int32)
    return int(assign(z, model, home, nobody, ONE, weight=2).segment[0])


@pytest.mark.parametrize("seed", range(5))
def test_the_change_named_moves_the_user_and_a_smaller_one_does_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, evidence, _ = population(400, rng)
    model = CompiledModel(bootstrap(values, evidence, 4, rng, tuple(PERSONAS)))
    users = nudged = 0
    for user in range(0, 400, 10):
        z = model.scaling.project(values[user][None], evidence[user][None])
        at = int(model.ids[np.argmin(((z - model.centroids) ** 2).sum(axis=1))])
        found = explain(model, values[user], evidence[user], at)
        users += 1
        assert found.nearest[0].segment == at
        assert found.nearest[0].distance <= found.nearest[1].distance
        for nudge in found.nudges:
            column = feature_index(nudge.feature)
            assert nudge.value == values[user, column]
            for share, to in ((1.0, nudge.segment), (0.99, at)):
                changed = values[user].copy()
                changed[column] += share * (nudge.needed - changed[column])
                assert segment_after(model, changed, evidence[user], at) == to, (seed, user, nudge)
            nudged += 1
        assert [n.size for n in found.nudges] == sorted(n.size for n in found.nudges)
    assert nudged > users / 4, seed


LINE = CompiledModel(model_with([[0.0], [3.0]], prior_weights=(0.0,)))


def user_at(z: float) -> tuple[np.ndarray, np.ndarray]:
    values = np.full(len(FEATURE_NAMES), np.nan)
    values[feature_index(LINE.model.features[0])] = np.expm1(z)
    return values, np.full(len(FEATURE_NAMES), 28.0)


def test_on_a_line_the_place_where_the_other_is_ten_percent_nearer_is_named() -> None:
    (nudge,) = explain(LINE, *user_at(1.0), 1).nudges
    # 3 − x = .9 x
    assert np.log1p(nudge.needed) == pytest.approx(3.0 / 1.9, rel=1e-4)
    assert nudge.segment == 2
    assert nudge.size == pytest.approx(3.0 / 1.9 - 1.0, rel=1e-4)


def test_who_is_about_to_move_needs_no_change() -> None:
    found = explain(LINE, *user_at(2.5), 1)
    assert found.nudges == ()
    assert [n.segment for n in found.nearest] == [2, 1]


@pytest.mark.parametrize("at", [-1, 9])
def test_who_is_nowhere_needs_no_change(at: int) -> None:
    assert explain(LINE, *user_at(0.0), at).nudges == ()


def test_a_feature_without_evidence_cannot_move_anybody() -> None:
    values, evidence = user_at(1.0)
    assert explain(LINE, values, np.zeros_like(evidence), 1).nudges == ()


def test_a_place_beyond_the_range_of_a_feature_is_not_named() -> None:
    far = CompiledModel(model_with([[0.0], [9.0]], prior_weights=(0.0,)))  # the clip is at 4
    assert explain(far, *user_at(1.0), 1).nudges == ()
    below = CompiledModel(model_with([[1.0], [-1.5]], prior_weights=(0.0,)))  # counts end at 0
    assert explain(below, *user_at(1.0), 1).nudges == ()


def test_one_segment_has_no_neighbour() -> None:
    found = explain(CompiledModel(model_with([[0.0]])), *user_at(1.0), 1)
    assert len(found.nearest) == 1
    assert found.nudges == ()

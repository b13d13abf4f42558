"""The first model."""

import numpy as np
import pytest

from features.catalogue import MODEL_FEATURES, feature_index
from segments.agreement import adjusted_rand_index
from segments.assignment import nearest_rows
from segments.bootstrap import bootstrap, freeze_scaling
from segments.errors import NotEnoughSamples
from segments.model import CompiledModel, encode_model
from tests.segments.population import PERSONAS, population


def test_the_personas_are_found() -> None:
    values, evidence, truth = population(1000, np.random.default_rng(4))
    model = bootstrap(values, evidence, 4, np.random.default_rng(0), MODEL_FEATURES)
    compiled = CompiledModel(model)
    z = compiled.scaling.project(values, evidence)
    labels = nearest_rows(z, compiled.centroids)
    assert adjusted_rand_index(truth, labels) > 0.98
    assert model.counts == tuple(np.bincount(labels).tolist())
    assert model.bootstrap_users == 1000
    assert model.ids == (1, 2, 3, 4)
    assert model.next_id == 5
    assert len(set(model.names)) == 4
    assert model.structure.startswith("4 segments: two halves of the users agree")


def test_the_number_of_segments_can_be_left_to_the_data() -> None:
    values, evidence, _ = population(800, np.random.default_rng(4))
    model = bootstrap(values, evidence, None, np.random.default_rng(0), list(PERSONAS))
    assert len(model.ids) == 4


def test_the_same_seed_gives_the_same_bytes() -> None:
    values, evidence, _ = population(300, np.random.default_rng(4))
    one, two = (
        encode_model(bootstrap(values, evidence, 4, np.random.default_rng(9), MODEL_FEATURES))
        for _ in range(2)
    )
    assert one == two


def test_a_feature_that_is_mostly_null_or_equal_is_left_out_and_the_record_says_so() -> None:
    values, evidence, _ = population(400, np.random.default_rng(4))
    column = feature_index("conversion_rate")
    values[:100, column], values[100:330, column] = 0.0, np.nan
    values[330:, column] = np.linspace(0.1, 0.5, 70)  # 82.5 % tell nothing
    model = bootstrap(values, evidence, 4, np.random.default_rng(0), MODEL_FEATURES)
    assert set(model.features) == {*PERSONAS, "followed_accounts"}
    assert model.left_out["conversion_rate"].startswith("null for 57% and equal for 25%")
    assert model.left_out["weekday_hours"].startswith("null for 100%")


def test_equal_counts_after_the_transform() -> None:
    values, evidence, _ = population(400, np.random.default_rng(4))
    values[:, feature_index("ctr")] = np.linspace(0.0, 0.0009, 400)  # all clipped to .001
    _, left_out = freeze_scaling(values, evidence, MODEL_FEATURES)
    assert "ctr" in left_out


def test_a_deviation_of_next_to_nothing_is_no_deviation() -> None:
    values, evidence, _ = population(400, np.random.default_rng(4))
    values[:, feature_index("ad_seconds")] = 10.0 + np.arange(400) * 1e-13
    _, left_out = freeze_scaling(values, evidence, MODEL_FEATURES)
    assert left_out["ad_seconds"].startswith("constant")


def test_a_level_is_used_only_once_users_were_watched_for_the_whole_window() -> None:
    values, evidence, _ = population(400, np.random.default_rng(4), days=20.0)
    scaling, left_out = freeze_scaling(values, evidence, MODEL_FEATURES)
    assert "grows with the time observed" in left_out["followed_accounts"]
    assert "followed_accounts" not in scaling.features


def test_mean_and_deviation_are_those_of_the_known_values() -> None:
    values, evidence, _ = population(400, np.random.default_rng(4))
    column = feature_index("ctr")
    values[:200, column] = np.nan
    scaling, _ = freeze_scaling(values, evidence, ["ctr", "mobile_share"])
    share = np.clip(values[200:, column], 0.001, 0.999)
    odds = np.log(share / (1 - share))
    assert scaling.mean[0] == pytest.approx(odds.mean())
    assert scaling.deviation[0] == pytest.approx(odds.std())


def test_users_that_nothing_tells_apart_are_refused() -> None:
    values, evidence, _ = population(100, np.random.default_rng(4))
    with pytest.raises(NotEnoughSamples, match="No feature tells 100 users apart"):
        bootstrap(values * 0 + 1, evidence, 4, np.random.default_rng(0), MODEL_FEATURES)

"""The projection into the model's space."""

import numpy as np
import pytest

from features.catalogue import CATALOGUE, FEATURE_NAMES, MODEL_FEATURES, feature_index
from segments.errors import UnknownFeature
from segments.scaling import Scaling, reliability
from segments.transforms import INVERSES, TRANSFORMS


def scaling(*features: str) -> Scaling:
    chosen = [CATALOGUE[feature_index(name)] for name in features]
    d = len(chosen)
    return Scaling(
        features,
        tuple(f.transform for f in chosen),
        np.array([f.prior_weight for f in chosen], dtype=float),
        np.zeros(d),
        np.ones(d),
    )


def rows(n: int, **values: float) -> np.ndarray:
    table = np.full((n, len(FEATURE_NAMES)), np.nan)
    for name, value in values.items():
        table[:, feature_index(name)] = value
    return table


def test_every_transform_of_the_catalogue_exists_and_can_be_undone() -> None:
    names = {feature.transform for feature in CATALOGUE}
    assert names == set(TRANSFORMS) == set(INVERSES)
    for name in names:
        values = np.array([0.002, 0.1, 0.5, 0.9, 0.998])
        assert INVERSES[name](TRANSFORMS[name](values)) == pytest.approx(values, rel=1e-12)


def test_a_null_is_the_population_mean() -> None:
    z = scaling(*MODEL_FEATURES).project(rows(2), rows(2))
    assert (z == 0.0).all()


@pytest.mark.parametrize("evidence", [np.nan, -1.0, 0.0])
def test_a_value_without_evidence_is_the_population_mean(evidence: float) -> None:
    z = scaling("ctr").project(rows(1, ctr=0.4), rows(1, ctr=evidence))
    assert z.tolist() == [[0.0]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_the_population_mean(value: float) -> None:
    z = scaling("page_views_per_day").project(
        rows(1, page_views_per_day=value), rows(1, page_views_per_day=5.0)
    )
    assert z.tolist() == [[0.0]]


def test_evidence_equal_to_the_prior_weight_makes_a_value_half_trusted() -> None:
    weight = CATALOGUE[feature_index("ctr")].prior_weight
    half = scaling("ctr").project(rows(1, ctr=0.9), rows(1, ctr=weight))
    whole = scaling("ctr").project(rows(1, ctr=0.9), rows(1, ctr=np.inf))
    assert half[0, 0] == pytest.approx(whole[0, 0] / 2)
    assert whole[0, 0] == pytest.approx(np.log(9.0))


def test_a_prior_weight_of_nothing_trusts_at_once() -> None:
    assert reliability(np.array([[1.0, 0.0]]), np.array([0.0, 0.0])).tolist() == [[1.0, 0.0]]


def test_an_extreme_value_is_clipped_at_four_deviations() -> None:
    z = scaling("page_views_per_day").project(
        rows(1, page_views_per_day=1e12), rows(1, page_views_per_day=np.inf)
    )
    assert z.tolist() == [[4.0]]


def test_values_at_a_centroid_are_those_of_a_fully_reliable_user_there() -> None:
    some = scaling("page_views_per_day", "ctr")
    z = some.project(
        rows(1, page_views_per_day=7.0, ctr=0.25),
        rows(1, page_views_per_day=np.inf, ctr=np.inf),
    )
    assert some.values_at(z)[0].tolist() == pytest.approx([7.0, 0.25])


def test_a_feature_the_catalogue_lacks_is_refused_by_name() -> None:
    with pytest.raises(UnknownFeature, match="'shoe_size'"):
        Scaling(("shoe_size",), ("log1p",), np.ones(1), np.zeros(1), np.ones(1))


def test_one_user_is_projected_like_many() -> None:
    rng = np.random.default_rng(5)
    n, columns = 300, len(FEATURE_NAMES)
    values = rng.choice([0.0, -1e-9, 0.4, 1.0, 3.0, 1e6, np.nan, np.inf], (n, columns))
    evidence = rng.choice([0.0, -1.0, 0.5, 28.0, 1e9, np.inf, np.nan], (n, columns))
    names = tuple(feature.name for feature in CATALOGUE)
    transforms = tuple(str(feature.transform) for feature in CATALOGUE)
    weights = np.array([feature.prior_weight for feature in CATALOGUE], dtype=np.float64)
    scaling = Scaling(names, transforms, weights, rng.normal(size=columns), np.full(columns, 0.7))
    many = scaling.project(values, evidence)
    ones = [
        scaling.project_one(*row) for row in zip(values.tolist(), evidence.tolist(), strict=True)
    ]
    np.testing.assert_allclose(ones, many, rtol=1e-12, atol=1e-12)

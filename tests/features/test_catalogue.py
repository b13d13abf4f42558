"""The catalogue is complete, ordered and fingerprinted."""

import subprocess
import sys

import pytest

from features.catalogue import (
    CATALOGUE,
    FEATURE_NAMES,
    MODEL_FEATURES,
    catalogue_fingerprint,
    feature_index,
)


def test_names_are_unique_and_in_the_order_of_the_columns() -> None:
    assert len(set(FEATURE_NAMES)) == len(CATALOGUE) == 13
    assert [feature_index(name) for name in FEATURE_NAMES] == list(range(13))


def test_the_last_three_features_are_not_in_the_model() -> None:
    assert FEATURE_NAMES[:10] == MODEL_FEATURES


def test_an_unknown_feature_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        feature_index("shoe_size")


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    code = "from features.catalogue import catalogue_fingerprint as f; print(f())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == catalogue_fingerprint()
    assert len(catalogue_fingerprint()) == 16


def test_every_feature_says_what_it_is() -> None:
    for feature in CATALOGUE:
        assert all((feature.unit, feature.window, feature.evidence, feature.description))
        assert feature.transform in ("log1p", "logit")
        assert feature.prior_weight >= 0.0

"""Reasons are the exact parts of the difference of two squared distances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segments.assignment import squared_distances
from segments.reasons import contributions, reasons

EIGHTHS = st.integers(-32, 32).map(lambda n: n / 8)  # squares and sums of these are exact


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(EIGHTHS, EIGHTHS, EIGHTHS), min_size=1, max_size=12))
def test_contributions_sum_to_the_difference_of_the_squared_distances_exactly(
    columns: list[tuple[float, float, float]],
) -> None:
    z, previous, current = (np.array([row]) for row in zip(*columns, strict=True))
    difference = squared_distances(z, previous) - squared_distances(z, current)
    assert contributions(z, previous, current).sum() == difference[0, 0]


def test_contributions_of_any_numbers_sum_to_it_within_rounding() -> None:
    rng = np.random.default_rng(5)
    z, previous, current = rng.normal(size=(3, 200, 10))
    total = contributions(z, previous, current).sum(axis=1)
    expected = np.square(z - previous).sum(axis=1) - np.square(z - current).sum(axis=1)
    assert total == pytest.approx(expected, abs=1e-12)


def test_the_three_largest_are_named_largest_first_with_their_values() -> None:
    z = np.array([[1.0, 2.0, 0.5, -3.0]])
    values = np.array([[10.0, np.nan, 30.0, 40.0]])
    (named,) = reasons(z, np.zeros((1, 4)), z, ("a", "b", "c", "d"), values)
    assert [(r.feature, r.value, r.contribution) for r in named] == [
        ("d", 40.0, 9.0),
        ("b", None, 4.0),
        ("a", 10.0, 1.0),
    ]


def test_a_model_of_two_features_gives_two_reasons() -> None:
    (named,) = reasons(np.ones((1, 2)), np.zeros((1, 2)), np.ones((1, 2)), "ab", np.ones((1, 2)))
    assert [r.feature for r in named] == ["a", "b"]

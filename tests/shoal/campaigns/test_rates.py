from __future__ import annotations

import numpy as np
import pytest

from shoal.campaigns.rates import (
    CLICK_PRIOR_MIN,
    Trials,
    interval,
    posterior,
    worth_of,
)


def counts(*numbers: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(numbers, np.float64)


def test_segments_that_agree_are_believed_to_be_one_population() -> None:
    trials = counts(10_000, 12_000, 9_000, 40)
    found = posterior(counts(200, 245, 182, 3), trials, CLICK_PRIOR_MIN)
    # 3 of 40 is not 7.5 %: it is luck.
    assert found.mean[3] == pytest.approx(0.0204, abs=0.002)


def test_segments_that_differ_keep_their_own_rates() -> None:
    found = posterior(counts(500, 1_500, 3_000), counts(10_000, 10_000, 10_000), CLICK_PRIOR_MIN)
    np.testing.assert_allclose(found.mean, [0.05, 0.15, 0.30], rtol=0.05)


def test_a_segment_without_trials_is_like_everybody_and_very_unsure() -> None:
    found = posterior(counts(500, 3_000, 0), counts(10_000, 10_000, 0), CLICK_PRIOR_MIN)
    assert found.mean[2] == pytest.approx(found.prior_rate)
    low, high = interval(found.draws(np.random.default_rng(1)))
    width = high - low
    assert width[2] > 5 * width[0]


def test_the_mean_is_that_of_the_draws() -> None:
    found = posterior(counts(30, 90), counts(300, 400), CLICK_PRIOR_MIN)
    assert found.prior_rate == pytest.approx(120.5 / 701)
    assert found.belief.sum() == pytest.approx(1)
    draws = found.draws(np.random.default_rng(1))
    np.testing.assert_allclose(draws.mean(axis=0), found.mean, rtol=0.01)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(60):
        truth = rng.beta(30, 170, 6)
        trials = rng.integers(50, 5_000, 6).astype(np.float64)
        found = posterior(rng.binomial(trials.astype(int), truth).astype(float), trials, 1.0)
        low, high = interval(found.draws(rng))
        hits += ((low <= truth) & (truth <= high)).tolist()
    assert 0.92 <= np.mean(hits) <= 0.99


def test_more_conversions_than_clicks_are_not_a_rate_above_one() -> None:
    trials = Trials(counts(100), counts(10), counts(10), counts(25))
    worth = worth_of(trials, np.random.default_rng(1))
    assert 0 < worth.mean[0] < worth.ctr.mean[0] < 1


def test_equal_seeds_give_equal_draws() -> None:
    trials = Trials(counts(100, 900), counts(10, 30), counts(10, 30), counts(1, 2))
    one, other = (worth_of(trials, np.random.default_rng(5)).draws for _ in range(2))
    np.testing.assert_array_equal(one, other)

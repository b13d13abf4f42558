from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.campaigns.split import Floats, Market, best_split, shared_split

WORTH = np.array([0.001, 0.004, 0.002])


def market(fatigue: float = 1.0, cap: int = 10, price: float = 0.005) -> Market:
    return Market(np.array([1_000.0, 500.0, 2_000.0]), np.full(3, price), cap, fatigue)


def brought(of: Market, spend: Floats) -> float:
    return float(WORTH @ of.fresh_impressions(spend))


def test_money_goes_to_the_best_segment_up_to_its_cap_and_then_to_the_next() -> None:
    np.testing.assert_allclose(best_split(market(), WORTH, 20, 0), [0, 20, 0])
    np.testing.assert_allclose(best_split(market(), WORTH, 60, 0), [0, 25, 35])


def test_every_segment_gets_its_minimum_or_all_that_its_cap_allows() -> None:
    spend = best_split(market(), WORTH, 60, 0.2)
    np.testing.assert_allclose(spend, [12, 25, 23])
    tiny = Market(np.array([1_000.0, 500.0, 2_000.0]), np.full(3, 0.005), 1)
    np.testing.assert_allclose(best_split(tiny, WORTH, 15, 1 / 3), [5, 2.5, 7.5])


def test_a_price_counts_against_the_worth() -> None:
    dear = Market(np.full(3, 1_000.0), np.array([0.001, 0.008, 0.004]), 10)
    assert best_split(dear, WORTH, 5, 0).argmax() == 0


def test_what_the_caps_do_not_allow_is_not_spent() -> None:
    np.testing.assert_allclose(best_split(market(), WORTH, 1_000, 0.05), market().room)
    np.testing.assert_allclose(shared_split(market(), np.ones(3), 1_000), market().room)


def test_with_fatigue_first_impressions_of_more_people_come_before_later_ones() -> None:
    spend = best_split(market(0.5), WORTH, 20, 0)
    # Worth .004, then .002 (as much as a first one in segment 2), then .001 in all three.
    assert spend[1] >= 5 - 1e-9
    assert spend[2] >= 10 - 1e-9
    assert spend.sum() == pytest.approx(20)
    first, second = 2.5, 10.0
    assert brought(market(0.5), spend) == pytest.approx(
        brought(market(0.5), np.array([0, 2 * first, second])) + 5 / 0.005 * 0.001
    )


def test_impressions_are_counted_by_what_they_are_worth() -> None:
    bought = np.array([5_000.0, 750.0, 0.0]) * 0.005
    np.testing.assert_allclose(market().fresh_impressions(bought), [5_000, 750, 0])
    fresh = market(0.5).fresh_impressions(bought)
    np.testing.assert_allclose(fresh, [1_000 * (1 + 0.5 + 0.25 + 0.125 + 0.0625), 625, 0])


def test_shares_follow_the_weights_and_go_round_full_segments() -> None:
    np.testing.assert_allclose(shared_split(market(), np.ones(3), 30), [10, 10, 10])
    np.testing.assert_allclose(shared_split(market(), market().reach, 35), [10, 5, 20])
    np.testing.assert_allclose(shared_split(market(), np.ones(3), 90), [32.5, 25, 32.5])


@settings(max_examples=60)
@given(
    worth=st.lists(st.floats(1e-5, 0.1), min_size=3, max_size=3),
    budget=st.floats(0.5, 400),
    fatigue=st.sampled_from([1.0, 0.9, 0.5]),
    min_share=st.floats(0, 0.3),
)
def test_no_other_split_within_the_limits_brings_more(
    worth: list[float], budget: float, fatigue: float, min_share: float
) -> None:
    of, value = market(fatigue), np.array(worth)
    best = best_split(of, value, budget, min_share)
    least = np.minimum(min_share * budget, of.room)
    assert (best >= least - 1e-6).all()
    assert (best <= of.room + 1e-6).all()
    assert best.sum() == pytest.approx(min(budget, of.room.sum()))
    ours = value @ of.fresh_impressions(np.minimum(best, of.room))
    grid = np.linspace(0, 1, 9)
    for one, other in itertools.product(grid, grid):
        if one + other > 1:
            continue
        spend = np.array([one, other, 1 - one - other]) * budget
        if (spend >= least).all() and (spend <= of.room).all():
            assert value @ of.fresh_impressions(spend) <= ours * (1 + 1e-6) + 1e-9

"""Decayed weights change by exact powers of two."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.decay import (
    HALF_LIFE_MS,
    PERIOD_HALF_LIVES,
    as_of_factors,
    event_weights,
    periods,
    rebase_factors,
)

times_ms = st.integers(-(10**12), 4 * 10**12)
ANY = np.array([0])


def weight(time_ms: int, period: int) -> float:
    return float(event_weights(np.array([time_ms]), np.array([period]))[0])


def period_of(time_ms: int) -> int:
    return int(periods(np.array([time_ms // 3_600_000]))[0])


@given(times_ms, st.integers(1, 3))
def test_one_half_life_later_weighs_exactly_twice(time_ms: int, later: int) -> None:
    period = period_of(time_ms) + later
    assert weight(time_ms + HALF_LIFE_MS, period) == 2 * weight(time_ms, period)


@given(times_ms, st.integers(0, 3), st.integers(0, 3))
def test_rebasing_gives_the_bits_of_the_later_period(time_ms: int, ahead: int, later: int) -> None:
    period = period_of(time_ms) + ahead
    factor = float(rebase_factors(np.array([period]), np.array([period + later]))[0])
    assert weight(time_ms, period) * factor == weight(time_ms, period + later)


@given(st.integers(0, 4 * 10**12))
def test_an_event_at_the_as_of_time_weighs_1(time_ms: int) -> None:
    period = period_of(time_ms)
    now = weight(time_ms, period) * as_of_factors(np.array([period]), time_ms)[0]
    assert np.isclose(now, 1.0, rtol=1e-14)


def test_a_period_is_64_half_lives() -> None:
    hours = PERIOD_HALF_LIVES * HALF_LIFE_MS // 3_600_000
    assert periods(np.array([hours - 1, hours, -1])).tolist() == [0, 1, -1]


def test_weights_of_a_forgotten_age_fade_to_0_without_a_warning() -> None:
    assert rebase_factors(ANY, ANY + 40).tolist() == [0.0]
    assert as_of_factors(ANY, 10**15).tolist() == [0.0]

from __future__ import annotations

from datetime import date

import numpy as np

from features.tiles import HOUR_MS
from producer.personas import PERSONAS
from producer.rhythm import DayClock, day_factors, is_weekend

EPOCH = date(1970, 1, 1)


def test_weekend_is_saturday_and_sunday_of_the_calendar() -> None:
    for day in range(19_000, 19_400):
        calendar = date.fromordinal(EPOCH.toordinal() + day)
        assert is_weekend(day) == (calendar.weekday() >= 5)


def test_weekly_rhythm_keeps_the_mean_of_the_week() -> None:
    factors = np.array([0.2, 1.0, 3.0])
    weekday, weekend = day_factors(factors, weekend=False), day_factors(factors, weekend=True)
    np.testing.assert_allclose((5 * weekday + 2 * weekend) / 7, 1)
    np.testing.assert_allclose(weekend / weekday, factors)


def test_most_of_the_day_s_activity_is_near_the_persona_s_peaks() -> None:
    clock = DayClock(PERSONAS)
    uniform = np.random.default_rng(1).random((len(PERSONAS), 20_000))
    times_ms = clock.draw_ms(np.arange(len(PERSONAS)), uniform)
    assert times_ms.min() >= 0
    assert times_ms.max() < 24 * HOUR_MS
    for persona, times in zip(PERSONAS, times_ms / HOUR_MS, strict=True):
        near = np.zeros(len(times), dtype=bool)
        for hour, width, _ in persona.peaks:
            apart = np.abs(times - hour)
            near |= np.minimum(apart, 24 - apart) < 2 * width
        # 95 % of each peak, and the part of the even background that falls there.
        assert near.mean() > 0.84, persona.name
        for hour, width, weight in persona.peaks:
            apart = np.abs(times - hour)
            share = (np.minimum(apart, 24 - apart) < 2 * width).mean()
            assert share > 0.9 * 0.95 * weight - 0.02, (persona.name, hour)

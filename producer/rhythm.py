"""When in the day and in the week a persona is active."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.tiles import HOUR_MS
from producer.personas import Persona

_STEPS = 24 * 12  # Five minutes: finer than any peak is wide.
_BACKGROUND = 0.1  # Share of the activity spread evenly over the day: nobody keeps strict hours.
_WEEKDAYS_PER_WEEK, _WEEKEND_DAYS_PER_WEEK = 5, 2
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0.
_SATURDAY = 5


def is_weekend(epoch_day: int) -> bool:
    """Say whether a day, counted from 1970-01-01 in UTC, is a Saturday or a Sunday.

    Example:
        >>> is_weekend(0), is_weekend(2)
        (False, True)
    """
    return (epoch_day + _EPOCH_WEEKDAY) % 7 >= _SATURDAY


def day_factors(weekend_factors: NDArray[np.float64], weekend: bool) -> NDArray[np.float64]:
    """Return activity on such a day ÷ mean activity over a whole week.

    Args:
        weekend_factors: float64[n], weekend day ÷ weekday.
        weekend: Which of the two is asked for.

    Returns:
        float64[n]; five weekdays and two weekend days average to 1.
    """
    weekday = 7 / (_WEEKDAYS_PER_WEEK + _WEEKEND_DAYS_PER_WEEK * weekend_factors)
    return weekday * weekend_factors if weekend else weekday


class DayClock:
    """Draws hours of the day from the personas' peaks, by inverse distribution function."""

    def __init__(self, personas: Sequence[Persona]) -> None:
        """Tabulate each persona's distribution once; peaks wrap around midnight."""
        edges = np.linspace(0.0, 24.0, _STEPS + 1)
        centres = (edges[1:] + edges[:-1]) / 2
        self._edges_ms = edges * HOUR_MS
        self._cumulative = [_cumulative(persona, centres) for persona in personas]

    def draw_ms(
        self, persona: NDArray[np.int64], uniform: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Turn uniform numbers into times of day.

        Args:
            persona: int64[n], index of each user's persona.
            uniform: float64[n, m] in [0, 1).

        Returns:
            int64[n, m], milliseconds since midnight UTC.
        """
        times_ms = np.empty(uniform.shape, dtype=np.int64)
        for index, cumulative in enumerate(self._cumulative):
            mine = persona == index
            times_ms[mine] = np.interp(uniform[mine], cumulative, self._edges_ms)
        return times_ms


def _cumulative(persona: Persona, centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distribution function at the step edges, float64[steps + 1]."""
    density = np.full(centres.shape, _BACKGROUND / centres.size)
    for hour, width, weight in persona.peaks:
        apart = np.abs(centres - hour)
        bump = np.exp(-0.5 * (np.minimum(apart, 24 - apart) / width) ** 2)
        density += (1 - _BACKGROUND) * weight * bump / bump.sum()
    cumulative = np.concatenate([[0.0], np.cumsum(density)])
    whole: float = cumulative[-1]
    return cumulative / whole

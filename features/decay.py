"""Decayed weights: a thing that happened at time t weighs 2^(t / half-life), up to a factor.

The factor is one per user: 2^(-64 p), where p counts whole periods of 64 half-lives up to the
user's newest hour. Only ratios of such weights, or weights brought to an as-of time, mean
anything. Both the split into whole half-lives and the change to a later period multiply by exact
powers of two, so a sum has the same bits whenever and in whatever batches it was made, and the
weights of an event one half-life later are exactly twice as heavy.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.catalogue import HALF_LIFE_DAYS
from features.tiles import DAY_MS, HOURS_PER_DAY

HALF_LIFE_MS: Final = HALF_LIFE_DAYS * DAY_MS
PERIOD_HALF_LIVES: Final = 64
_PERIOD_HOURS: Final = PERIOD_HALF_LIVES * HALF_LIFE_DAYS * HOURS_PER_DAY


def periods(newest_hour: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the period that a user's weights are relative to.

    Args:
        newest_hour: i8[n], hours since 1970.
    """
    return newest_hour // _PERIOD_HOURS


def event_weights(time_ms: NDArray[np.int64], period: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weigh events relative to their users' periods.

    Args:
        time_ms: i8[n], event times.
        period: i8[n], see `periods`.

    Returns:
        f8[n].
    """
    half_lives, rest_ms = np.divmod(time_ms, HALF_LIFE_MS)
    return np.asarray(
        np.ldexp(np.exp2(rest_ms / HALF_LIFE_MS), half_lives - PERIOD_HALF_LIVES * period)
    )


def rebase_factors(old: NDArray[np.int64], new: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give what stored weights are multiplied by when their period moves on; powers of two."""
    return np.asarray(np.ldexp(1.0, PERIOD_HALF_LIVES * (old - new)))


def as_of_factors(period: NDArray[np.int64], as_of_ms: int) -> NDArray[np.float64]:
    """Give what stored weights are multiplied by so that an event at the as-of time weighs 1."""
    half_lives, rest_ms = divmod(as_of_ms, HALF_LIFE_MS)
    fraction = np.exp2(-np.array([rest_ms / HALF_LIFE_MS]))
    return np.asarray(np.ldexp(fraction, PERIOD_HALF_LIVES * period - half_lives))

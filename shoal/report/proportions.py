"""Shares of trials with the interval they are known to."""

import math

import msgspec

Z_95 = 1.959963984540054
"""Quantile of the normal distribution behind a 95 % interval."""


class Proportion(msgspec.Struct, frozen=True, kw_only=True):
    """Successes ÷ trials, pooled over the people of a group.

    Attributes:
        successes: at most as many as trials.
        trials: at least 1.
        share: the estimate.
        low, high: 95 % Wilson score interval.
        people: users with at least one trial; null where only events are counted.
    """

    successes: int
    trials: int
    share: float
    low: float
    high: float
    people: int | None


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Give the 95 % score interval of Wilson (1927) for a binomial share.

    Centre (k + z²/2) ÷ (n + z²), half-width z ÷ (n + z²) · √(k (n − k) ÷ n + z²/4). It keeps within
    [0, 1] and covers well for shares near 0, which click-through and conversion rates are.

    Args:
        successes: k, 0 … n.
        trials: n, at least 1.

    Example:
        >>> [round(bound, 4) for bound in wilson(10, 100)]
        [0.0552, 0.1744]
    """
    z2 = Z_95 * Z_95
    centre = (successes + z2 / 2) / (trials + z2)
    spread = math.sqrt(successes * (trials - successes) / trials + z2 / 4)
    half = Z_95 * spread / (trials + z2)
    return max(0.0, centre - half), min(1.0, centre + half)


def proportion(successes: int, trials: int, people: int | None) -> Proportion | None:
    """Estimate a share; None without trials.

    A conversion may come without its click in the window, so successes are cut at the trials.
    """
    if trials <= 0:
        return None
    successes = min(successes, trials)
    low, high = wilson(successes, trials)
    return Proportion(
        successes=successes,
        trials=trials,
        share=successes / trials,
        low=low,
        high=high,
        people=people,
    )

"""Shares of trials with the interval they are known to."""

import math

import msgspec
import numpy as np
import numpy.typing as npt

Z_95 = 1.959963984540054
"""Quantile of the normal distribution behind a 95 % interval."""


class Proportion(msgspec.Struct, frozen=True, kw_only=True):
    """Successes ÷ trials, pooled over the people of a group.

    Attributes:
        successes: at most as many as trials.
        trials: at least 1.
        share: the estimate.
        design: how much wider than for independent trials the interval had to be made, as a factor
            on the variance; at least 1, and 1 where people cannot be told apart.
        low, high: 95 % Wilson score interval, see `pooled`.
        people: users with at least one trial; null where only events are counted.
    """

    successes: int
    trials: int
    share: float
    design: float
    low: float
    high: float
    people: int | None


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """Give the 95 % score interval of Wilson (1927) for a binomial share.

    Centre (k + z²/2) ÷ (n + z²), half-width z ÷ (n + z²) · √(k (n − k) ÷ n + z²/4). It keeps within
    [0, 1] and covers well for shares near 0, which click-through and conversion rates are.

    Args:
        successes: k, 0 … n.
        trials: n, above 0; need not be whole.

    Example:
        >>> [round(bound, 4) for bound in wilson(10, 100)]
        [0.0552, 0.1744]
    """
    z2 = Z_95 * Z_95
    centre = (successes + z2 / 2) / (trials + z2)
    spread = math.sqrt(successes * (trials - successes) / trials + z2 / 4)
    half = Z_95 * spread / (trials + z2)
    return max(0.0, centre - half), min(1.0, centre + half)


def proportion(successes: int, trials: int) -> Proportion | None:
    """Estimate a share of trials that are taken as independent; None without trials."""
    return _proportion(successes, trials, 1.0, None) if trials > 0 else None


def pooled(successes: npt.NDArray[np.int64], trials: npt.NDArray[np.int64]) -> Proportion | None:
    """Estimate the share of a group of people; None without trials.

    A person's trials go together: some click on everything, and a bot does so hundreds of times.
    The variance between people, Σ (k − p n)² ÷ Σ n p (1 − p), is how much less the trials say than
    as many independent ones (the design effect of Kish, 1965): Wilson's interval is given for
    trials ÷ that, if it is above 1.

    Args:
        successes: int64[people].
        trials: int64[people].
    """
    total = int(trials.sum())
    if total <= 0:
        return None
    share = min(1.0, float(successes.sum()) / total)
    explained = total * share * (1.0 - share)
    design = 1.0
    if explained > 0:
        design = max(1.0, float(((successes - share * trials) ** 2).sum()) / explained)
    return _proportion(int(successes.sum()), total, design, int((trials > 0).sum()))


def _proportion(successes: int, trials: int, design: float, people: int | None) -> Proportion:
    # A conversion may come without its click in the window.
    successes = min(successes, trials)
    low, high = wilson(successes / design, trials / design)
    return Proportion(
        successes=successes,
        trials=trials,
        share=successes / trials,
        design=design,
        low=low,
        high=high,
        people=people,
    )

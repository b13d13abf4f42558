"""What an impression on somebody of a segment is worth, and how sure that is.

Clicks per impression and conversions per click of each segment get a Beta posterior. Its prior is
the whole population, with a weight learnt from how much the segments differ (hierarchical Bayes):
a segment with three clicks is believed to be like everybody, until it has shown otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

Floats = NDArray[np.float64]

DRAWS = 4_000
INTERVAL = (2.5, 97.5)
"""Percentiles of every interval."""
CLICK_PRIOR_MIN = 200.0
"""Impressions that the population counts for at least, however much the segments differ."""
CONVERSION_PRIOR_MIN = 50.0
"""Clicks, likewise."""
_WEIGHT_MAX = 1e7
_WEIGHTS = 200
# Half a success in one trial more: nobody is certain never to click.
_PSEUDO = 0.5


@dataclass(frozen=True)
class Trials:
    """What k segments did; float64[k] each, and never more successes than trials.

    Not whole numbers: a rate that profiles know counts as a few trials.

    Attributes:
        impressions: What might have been clicked on.
        clicks: Of those.
        chances: Clicks that might have led to a conversion.
        conversions: Of those.
    """

    impressions: Floats
    clicks: Floats
    chances: Floats
    conversions: Floats

    def __post_init__(self) -> None:
        """Clip what a rate cannot be: conversions without a click, clicks on unseen ads."""
        object.__setattr__(self, "clicks", np.minimum(self.clicks, self.impressions))
        object.__setattr__(self, "conversions", np.minimum(self.conversions, self.chances))


@dataclass(frozen=True)
class Posterior:
    """A rate of k segments: a mixture of Beta distributions, one for each weight of the prior.

    Attributes:
        successes: float64[k], of each segment.
        trials: float64[k], likewise.
        prior_rate: The population's rate.
        prior_weights: float64[g], trials that the population may count for.
        belief: float64[g], how likely each weight is; they add up to 1.
    """

    successes: Floats
    trials: Floats
    prior_rate: float
    prior_weights: Floats
    belief: Floats

    @property
    def mean(self) -> Floats:
        """Expected rates, float64[k]."""
        weights = self.prior_weights[:, None]
        means = (weights * self.prior_rate + self.successes) / (weights + self.trials)
        return np.asarray(self.belief @ means)

    def draws(self, rng: np.random.Generator) -> Floats:
        """Draw rates, float64[DRAWS, k]."""
        weights = rng.choice(self.prior_weights, DRAWS, p=self.belief)[:, None]
        successes = weights * self.prior_rate + self.successes
        return rng.beta(successes, weights + self.trials - successes)


@dataclass(frozen=True)
class Worth:
    """What impressions bring.

    Attributes:
        ctr: Clicks per impression.
        conversion_rate: Conversions per click.
        click_draws: float64[DRAWS, k], clicks per impression.
        draws: float64[DRAWS, k], conversions per impression.
    """

    ctr: Posterior
    conversion_rate: Posterior
    click_draws: Floats
    draws: Floats

    @property
    def mean(self) -> Floats:
        """Expected conversions per impression, float64[k]; the two rates are independent."""
        return self.ctr.mean * self.conversion_rate.mean


def worth_of(trials: Trials, rng: np.random.Generator) -> Worth:
    """Say what an impression in each segment brings.

    Args:
        trials: Of k segments.
        rng: Draws from the posteriors; the same seed gives the same intervals.
    """
    ctr = posterior(trials.clicks, trials.impressions, CLICK_PRIOR_MIN)
    conversion = posterior(trials.conversions, trials.chances, CONVERSION_PRIOR_MIN)
    clicks = ctr.draws(rng)
    return Worth(ctr, conversion, clicks, clicks * conversion.draws(rng))


def posterior(successes: Floats, trials: Floats, weight_min: float) -> Posterior:
    """Combine what each segment did with what everybody did.

    Args:
        successes: float64[k].
        trials: float64[k], ≥ successes.
        weight_min: Trials that everybody counts for at least.

    Returns:
        Beta(m·μ + s, m·(1 - μ) + n - s) per segment, mixed over m: μ is the rate of all, m the
        trials that it counts for. How likely each m is follows from the counts of all segments
        together (beta-binomial); beforehand every shrinkage m ÷ (m + n₀) from 0 to 1 is equally
        likely, n₀ the median number of trials (Christiansen and Morris, "Hierarchical Poisson
        regression modeling", JASA 1997).
    """
    rate = float((successes.sum() + _PSEUDO) / (trials.sum() + 2 * _PSEUDO))
    weights = np.geomspace(weight_min, max(_WEIGHT_MAX, 10 * weight_min), _WEIGHTS)
    typical = max(float(np.median(trials)), 1.0)
    # The density of m is n0 / (n0 + m)^2; the grid's steps are proportional to m.
    before = np.log(weights) - 2 * np.log(typical + weights)
    a, b = weights[:, None] * rate, weights[:, None] * (1 - rate)
    evidence = betaln(a + successes, b + trials - successes) - betaln(a, b)
    belief = before + evidence.sum(axis=1)
    belief = np.exp(belief - belief.max())
    return Posterior(successes, trials, rate, weights, belief / belief.sum())


def interval(draws: Floats) -> tuple[Floats, Floats]:
    """Give the 95 % interval of each column.

    Args:
        draws: float64[DRAWS, k] or float64[DRAWS].

    Returns:
        Lower and upper ends, float64[k] or scalars.
    """
    low, high = np.percentile(draws, INTERVAL, axis=0)
    return low, high

"""What sets groups of people apart: each feature of a segment against everybody else."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.catalogue import CATALOGUE, FEATURE_NAMES
from segments.scaling import reliability
from segments.transforms import INVERSES, TRANSFORMS
from shoal.report.population import Floats, Ints, ReportPopulation

SMALL, MEDIUM, LARGE = 0.2, 0.5, 0.8
"""Cohen's (1988) words for effect sizes."""


@dataclass(frozen=True)
class Contrasts:
    """k groups against the whole population and against the rest of it.

    Attributes:
        effect: float64[k, 13], Cohen's d against everybody else; NaN where nothing is known.
        deviation: float64[k, 13], mean of the group − mean of the population, in standard
            deviations of the population (the radar).
        value: float64[k, 13], the group's mean brought back to the feature's unit.
        typical: float64[13], the population's.
        known: int64[k, 13], people for whom the feature is known.
    """

    effect: Floats
    deviation: Floats
    value: Floats
    typical: Floats
    known: Ints


def contrasts(people: ReportPopulation, group: Ints, groups: int) -> Contrasts:
    """Compare groups.

    Means and variances are of the transformed values (log1p, logit), each user weighted by the
    reliability of the value, n ÷ (n + w): a rate seen in three trials counts little.

    Args:
        people: everybody.
        group: int64[n], 0 … groups − 1, or −1 for people in none; these are in the population.
        groups: how many groups there are.
    """
    shape = (groups, len(FEATURE_NAMES))
    effect, deviation, value = (np.full(shape, np.nan) for _ in range(3))
    typical, known = np.full(shape[1], np.nan), np.zeros(shape, np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        for column, feature in enumerate(CATALOGUE):
            x = TRANSFORMS[feature.transform](people.values[:, column])
            evidence = people.evidence[:, [column]]
            weight = reliability(evidence, np.array([feature.prior_weight]))[:, 0]
            weight = np.where(np.isfinite(x), weight, 0.0)
            sums = _sums(np.nan_to_num(x), weight, group, groups)
            inside, total = sums[1:], sums.sum(axis=0)
            mean, variance = _moments(inside)
            rest_mean, rest_variance = _moments(total - inside)
            everybody, spread = _moments(total)
            spread = np.maximum(spread, 0.0)
            both = inside[:, 0] * variance + (total - inside)[:, 0] * rest_variance
            pooled = np.sqrt(np.maximum(both / total[0], 0.0))
            effect[:, column] = np.where(pooled > 0, (mean - rest_mean) / pooled, np.nan)
            deviation[:, column] = np.where(spread > 0, (mean - everybody) / np.sqrt(spread), 0.0)
            inverse = INVERSES[feature.transform]
            value[:, column], typical[column] = inverse(mean), float(inverse(everybody))
            there = (weight > 0) & (group >= 0)
            known[:, column] = np.bincount(group[there], minlength=groups)
    return Contrasts(effect, deviation, value, typical, known)


def _sums(x: Floats, weight: Floats, group: Ints, groups: int) -> Floats:
    """Give Σw, Σwx, Σwx² of nobody's group (row 0) and of each group, float64[groups + 1, 3]."""
    columns = [np.bincount(group + 1, weight * x**power, groups + 1) for power in (0, 1, 2)]
    return np.array(columns, np.float64).T


def _moments(sums: Floats) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give weighted means and variances of rows Σw, Σwx, Σwx²."""
    mean = sums[..., 1] / sums[..., 0]
    return mean, np.maximum(sums[..., 2] / sums[..., 0] - mean**2, 0.0)

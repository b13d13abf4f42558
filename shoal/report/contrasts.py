"""What sets groups of people apart: each feature of a segment against everybody else."""

from dataclasses import dataclass

import numpy as np

from features.catalogue import CATALOGUE, FEATURE_NAMES
from segments.scaling import reliability
from segments.transforms import INVERSES, SHARE_MAX, SHARE_MIN, TRANSFORMS, logit
from shoal.report.population import Floats, Ints, ReportPopulation

SMALL, MEDIUM, LARGE = 0.2, 0.5, 0.8
"""Cohen's (1988) words for effect sizes."""
_OWN_SPREAD_MIN = 0.25  # log odds; less than this between people cannot be told from chance


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

    Means are over people, each weighted by the reliability of the value, n ÷ (n + w): a rate seen
    in three trials counts little. Counts and durations are compared as log(1 + x). Shares are
    averaged within a group and then compared as log odds; chance (binomial, n trials) is taken out
    of their variance, or a rate tried five times a person could never set anybody apart.

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
            share = feature.transform == "logit"
            x, evidence = people.values[:, column], people.evidence[:, column]
            x = x if share else TRANSFORMS[feature.transform](x)
            weight = reliability(evidence[:, None], np.array([feature.prior_weight]))[:, 0]
            weight = np.where(np.isfinite(x), weight, 0.0)
            sums = _sums(np.nan_to_num(x), weight, evidence, group, groups)
            people_of = sums[:, 0]
            means, variances = (_share_moments if share else _moments)(sums)
            rest = np.tile(people_of, (groups, 1))
            rest[np.arange(groups), np.arange(groups) + 1] = 0.0
            mean, variance = means[1:], variances[1:]
            rest_mean, rest_variance = _mixed(rest, means, variances)
            everybody, spread = _mixed(people_of, means, variances)
            inside, total = people_of[1:], people_of.sum()
            both = inside * variance + (total - inside) * rest_variance
            pooled = np.sqrt(both / total)
            effect[:, column] = np.where(pooled > 0, (mean - rest_mean) / pooled, np.nan)
            deviation[:, column] = np.where(spread > 0, (mean - everybody) / np.sqrt(spread), 0.0)
            inverse = INVERSES[feature.transform]
            value[:, column], typical[column] = inverse(mean), float(inverse(everybody))
            there = (weight > 0) & (group >= 0)
            known[:, column] = np.bincount(group[there], minlength=groups)
    return Contrasts(effect, deviation, value, typical, known)


def _sums(x: Floats, weight: Floats, evidence: Floats, group: Ints, groups: int) -> Floats:
    """Give Σw, Σwx, Σwx², Σw÷n of nobody's group (row 0) and of each, float64[groups + 1, 4]."""
    per_trial = np.where(weight > 0, weight / np.where(evidence > 0, evidence, 1.0), 0.0)
    columns = [
        np.bincount(group + 1, one, groups + 1)
        for one in (weight, weight * x, weight * x**2, per_trial)
    ]
    return np.array(columns, np.float64).T


def _mixed(weights: Floats, means: Floats, variances: Floats) -> tuple[Floats, Floats]:
    """Give mean and variance of several groups together.

    Args:
        weights: float64[…, groups], how much each group counts.
        means: float64[groups]; NaN where nothing is known, and so the weight is 0.
        variances: float64[groups], likewise.
    """
    means, variances = np.nan_to_num(means), np.nan_to_num(variances)
    total = weights.sum(axis=-1)
    mean = np.asarray((weights * means).sum(axis=-1) / total)
    around = variances + (means - mean[..., None]) ** 2
    return mean, (weights * around).sum(axis=-1) / total


def _moments(sums: Floats) -> tuple[Floats, Floats]:
    """Give weighted means and variances of rows of sums."""
    mean = sums[..., 1] / sums[..., 0]
    return mean, np.maximum(sums[..., 2] / sums[..., 0] - mean**2, 0.0)


def _share_moments(sums: Floats) -> tuple[Floats, Floats]:
    """Give the log odds of mean shares, and the variance of people's own log odds around them.

    By the method of moments: what m (1 − m) ÷ n of chance does not explain, brought to log odds by
    the slope 1 ÷ (m (1 − m)) there.
    """
    share, variance = _moments(sums)
    share = np.clip(share, SHARE_MIN, SHARE_MAX)
    scale = share * (1.0 - share)
    own = variance - scale * sums[..., 3] / sums[..., 0]
    return logit(share), np.maximum(own / scale**2, _OWN_SPREAD_MIN**2)

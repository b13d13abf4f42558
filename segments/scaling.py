"""From feature values to the space the segments live in.

One coordinate per feature of the model: transform, standardise with the mean and deviation
frozen in the model, clip to ±4, then shrink towards the population's mean (0) by the
reliability of the value, n ÷ (n + w), where n is the evidence behind it and w how much
evidence makes a value half trusted. A null is the mean: nothing known, nothing claimed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.catalogue import FEATURE_NAMES, feature_index
from segments.errors import UnknownFeature
from segments.transforms import INVERSES, ONE, TRANSFORMS, Floats

CLIP = 4.0  # standard deviations; one extreme coordinate must not outvote all the others


def reliability(evidence: Floats, prior_weights: Floats) -> Floats:
    """How far to trust values with so much evidence.

    Args:
        evidence: float64[n, d], in the unit of each feature's evidence; infinite means certain,
            NaN or ≤ 0 means none.
        prior_weights: float64[d], ≥ 0, the w of the catalogue.

    Returns:
        float64[n, d] in [0, 1]: n ÷ (n + w), the weight of the observed mean in the posterior
        mean of a normal model with prior strength w.
    """
    known = evidence > 0.0  # False for NaN
    # 1 ÷ (1 + w ÷ n) is the same share and has a value for infinite n.
    return np.where(known, 1.0 / (1.0 + prior_weights / np.where(known, evidence, 1.0)), 0.0)


def columns_of(features: tuple[str, ...]) -> NDArray[np.intp]:
    """Find the catalogue's columns of some features.

    Args:
        features: Names of the catalogue.

    Returns:
        intp[d], positions in a row of feature values.

    Raises:
        UnknownFeature: The catalogue lacks one of them.
    """
    for name in features:
        if name not in FEATURE_NAMES:
            raise UnknownFeature(name)
    return np.array([feature_index(name) for name in features], dtype=np.intp)


def transform_columns(values: Floats, transforms: tuple[str, ...]) -> Floats:
    """Transform each column by its own transform.

    Args:
        values: float64[n, d].
        transforms: d names of `TRANSFORMS`.

    Returns:
        float64[n, d], null (NaN) wherever the value is not finite.
    """
    transformed = np.where(np.isfinite(values), values, np.nan)
    for name, transform in TRANSFORMS.items():
        columns = [j for j, wanted in enumerate(transforms) if wanted == name]
        if columns:
            transformed[:, columns] = transform(transformed[:, columns])
    return transformed


@dataclass(frozen=True)
class Scaling:
    """The frozen projection of one major version.

    Attributes:
        features: The d features of the model, in the order of the coordinates.
        transforms: Their transforms.
        prior_weights: float64[d], the w of each.
        mean: float64[d], of the transformed values at the bootstrap.
        deviation: float64[d], > 0, likewise.
    """

    features: tuple[str, ...]
    transforms: tuple[str, ...]
    prior_weights: Floats
    mean: Floats
    deviation: Floats
    columns: NDArray[np.intp] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Resolve the features to columns of the catalogue."""
        assert (self.deviation > 0.0).all(), "a constant feature must be left out of the model"
        object.__setattr__(self, "columns", columns_of(self.features))

    def project(self, values: Floats, evidence: Floats) -> Floats:
        """Project users into the model's space.

        Args:
            values: float64[n, 13], a column per feature of the catalogue, NaN where null.
            evidence: float64[n, 13], what stands behind each value.

        Returns:
            float64[n, d] within ±4, always finite; 0 is the population's mean.
        """
        transformed = transform_columns(values[:, self.columns], self.transforms)
        z = np.clip((transformed - self.mean) / self.deviation, -CLIP, CLIP)
        z *= reliability(evidence[:, self.columns], self.prior_weights)
        return np.where(np.isnan(z), 0.0, z)

    def project_one(self, values: Sequence[float], evidence: Sequence[float]) -> list[float]:
        """Project one user: `project` without numpy, six times as fast for a single row.

        Args:
            values: 13 values, NaN where null.
            evidence: What stands behind each.

        Returns:
            d coordinates, equal to those of `project` up to the last bits of a logarithm.
        """
        point = []
        for column, transform, mean, deviation, weight in self._steps:
            value, behind = values[column], evidence[column]
            if not (math.isfinite(value) and behind > 0.0):
                point.append(0.0)
                continue
            z = (transform(value) - mean) / deviation
            point.append(min(max(z, -CLIP), CLIP) / (1.0 + weight / behind))
        return point

    @cached_property
    def _steps(self) -> list[tuple[int, Callable[[float], float], float, float, float]]:
        """Column, transform, mean, deviation and evidence weight of each coordinate."""
        return list(
            zip(
                self.columns.tolist(),
                (ONE[name] for name in self.transforms),
                self.mean.tolist(),
                self.deviation.tolist(),
                self.prior_weights.tolist(),
                strict=True,
            )
        )

    def values_at(self, z: Floats) -> Floats:
        """Say what feature values a point stands for, for people to read.

        Args:
            z: float64[n, d], for instance centroids.

        Returns:
            float64[n, d] in each feature's own unit: the value of a fully reliable user there.
        """
        transformed = z * self.deviation + self.mean
        for name, inverse in INVERSES.items():
            columns = [j for j, used in enumerate(self.transforms) if used == name]
            if columns:
                transformed[:, columns] = inverse(transformed[:, columns])
        return transformed

"""The two transforms that turn a feature value into something near a bell curve, and back.

Counts and durations are skewed over decades and shares pile up at their ends. Measured on
synthetic populations, k-means on transformed values finds the personas with an adjusted Rand
index of .93, on raw ones .73 (docs/segmentation.md).
"""

import math
from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHARE_MIN = 0.001  # logit has no value at 0 and 1; a share closer to them than this is noise
SHARE_MAX = 1.0 - SHARE_MIN


def log1p(values: Floats) -> Floats:
    """Transform counts and durations.

    Args:
        values: Any shape, ≥ 0 in the feature's own unit; negative rounding noise counts as 0.

    Returns:
        ln(1 + value), the same shape; NaN stays NaN.
    """
    return np.log1p(np.maximum(values, 0.0))


def expm1(transformed: Floats) -> Floats:
    """Undo `log1p`.

    Args:
        transformed: Any shape.

    Returns:
        Values ≥ 0 in the feature's own unit.
    """
    return np.maximum(np.expm1(transformed), 0.0)


def logit(values: Floats) -> Floats:
    """Transform shares.

    Args:
        values: Any shape, shares in [0, 1].

    Returns:
        The log odds of the share clipped to [.001, .999]; NaN stays NaN.
    """
    share = np.clip(values, SHARE_MIN, SHARE_MAX)
    return np.log(share / (1.0 - share))


def expit(transformed: Floats) -> Floats:
    """Undo `logit`.

    Args:
        transformed: Any shape, log odds.

    Returns:
        Shares in (0, 1).
    """
    return 1.0 / (1.0 + np.exp(-transformed))


def log1p_of_one(value: float) -> float:
    """`log1p` of one number."""
    return math.log1p(max(value, 0.0))


def logit_of_one(value: float) -> float:
    """`logit` of one number."""
    share = min(max(value, SHARE_MIN), SHARE_MAX)
    return math.log(share / (1.0 - share))


Transform = Callable[[Floats], Floats]

TRANSFORMS: MappingProxyType[str, Transform] = MappingProxyType({"log1p": log1p, "logit": logit})
INVERSES: MappingProxyType[str, Transform] = MappingProxyType({"log1p": expm1, "logit": expit})

ONE: MappingProxyType[str, Callable[[float], float]] = MappingProxyType(
    {"log1p": log1p_of_one, "logit": logit_of_one}
)

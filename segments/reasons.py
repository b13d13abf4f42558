"""Why a user moved: the exact share of each feature in the difference of the distances."""

from collections.abc import Sequence

import numpy as np

from segments.changes import Reason
from segments.transforms import Floats

REASONS = 3  # features named in a published change


def contributions(z: Floats, previous: Floats, current: Floats) -> Floats:
    """Split the difference of the squared distances over the features.

    Args:
        z: float64[n, d], the users.
        previous: float64[n, d], the centroids they left; the population's mean (0) for a user
            who had none.
        current: float64[n, d], the centroids they are at now.

    Returns:
        float64[n, d]: (z − previous)² − (z − current)². A row sums to the squared distance to
        the previous centroid minus that to the current one; positive spoke for the move.
    """
    return np.square(z - previous) - np.square(z - current)


def reasons(
    z: Floats, previous: Floats, current: Floats, features: Sequence[str], values: Floats
) -> list[list[Reason]]:
    """Name the features that did most for each move.

    Args:
        z: float64[n, d], the users in the model's space.
        previous: float64[n, d], see `contributions`.
        current: float64[n, d].
        features: d names.
        values: float64[n, d], the values of these features in their own units, NaN where null.

    Returns:
        n lists of the three largest contributions (fewer if d < 3), largest first; equal ones
        in the order of the features.
    """
    parts = contributions(z, previous, current)
    order = np.argsort(-parts, axis=1, kind="stable")[:, :REASONS]
    top = np.take_along_axis(parts, order, axis=1).tolist()
    shown = np.take_along_axis(values, order, axis=1).tolist()
    return [
        [
            Reason(
                feature=features[j],
                value=None if value != value else value,  # noqa: PLR0124 -- NaN is null
                contribution=part,
            )
            for j, value, part in zip(columns, user_values, user_parts, strict=True)
        ]
        for columns, user_values, user_parts in zip(order.tolist(), shown, top, strict=True)
    ]

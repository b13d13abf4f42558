"""Where a value stands among the people of now: percentiles over users drawn at random from Redis.

Drawn, not kept in the model: it costs two round trips a minute, says what is true now (before the
first model as well), and knows features that no model uses. With 1,000 users a percentile is off by
3 points at most in 19 of 20 cases (the standard error at the median is 1.6).
"""

import numpy as np
import numpy.typing as npt

DRAWN_USERS = 1_000


class Percentiles:
    """The sorted values of every feature among the users drawn."""

    def __init__(self, values: npt.NDArray[np.float64]) -> None:
        """Sort.

        Args:
            values: float64[n, features], NaN where unknown.
        """
        self._sorted = [np.sort(column[np.isfinite(column)]) for column in values.T]

    def of(self, values: npt.NDArray[np.float64]) -> list[float | None]:
        """Give the percentile of each value of one user among the users whose value is known.

        Args:
            values: float64[features], NaN where unknown.

        Returns:
            0 to 100: the share below plus half of the share that is equal. None for an unknown
            value, or where nobody's is known.
        """
        return [
            _percentile(column, value) for column, value in zip(self._sorted, values, strict=True)
        ]


def _percentile(column: npt.NDArray[np.float64], value: float) -> float | None:
    if not len(column) or not np.isfinite(value):
        return None
    below, up_to = np.searchsorted(column, value, "left"), np.searchsorted(column, value, "right")
    return round(50.0 * float(below + up_to) / len(column), 1)

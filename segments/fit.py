"""How the users seen lately lie around the centroids."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segments.assignment import squared_distances
from segments.transforms import Floats


@dataclass(frozen=True)
class Fit:
    """n users and the centroids nearest to them.

    Attributes:
        z: float64[n, d].
        centroids: float64[k, d].
        rows: intp[n], each user's nearest centroid.
        squared: float64[n], the squared distance to it.
        users: int64[k], how many are nearest to each.
    """

    z: Floats
    centroids: Floats
    rows: NDArray[np.intp]
    squared: Floats
    users: NDArray[np.int64]

    @classmethod
    def of(cls, z: Floats, centroids: Floats) -> "Fit":
        """Find everybody's nearest centroid.

        Args:
            z: float64[n, d].
            centroids: float64[k, d].
        """
        distances = squared_distances(z, centroids)
        rows = np.argmin(distances, axis=1)
        users = np.bincount(rows, minlength=len(centroids)).astype(np.int64)
        return cls(z, centroids, rows, distances[np.arange(len(z)), rows], users)

    def separation(self) -> Floats:
        """How clearly each two segments are apart, along the line between their centroids.

        Returns:
            float64[k, k]: their distance ÷ the deviation of their users along that line. Two
            halves of one bell curve reach 2.65 (1.6 ÷ .6 of its deviations), whatever the number
            of features; two centroids at one place 0. Infinite on the diagonal, and where one of
            the two has no users.
        """
        k = len(self.centroids)
        spread = np.zeros((k, self.z.shape[1], self.z.shape[1]))
        for row in range(k):
            beside = self.z[self.rows == row] - self.centroids[row]
            spread[row] = np.einsum("ni,nj->ij", beside, beside)  # not BLAS: the same bits always
        apart = np.full((k, k), np.inf)
        for a in range(k):
            for b in range(a + 1, k):
                if self.users[a] and self.users[b]:
                    apart[a, b] = apart[b, a] = self._along(a, b, spread[a] + spread[b])
        return apart

    def _along(self, a: int, b: int, spread: Floats) -> float:
        line = self.centroids[b] - self.centroids[a]
        length = float(np.sqrt(np.square(line).sum()))
        if length == 0.0:
            return 0.0
        line /= length
        variance = float(np.einsum("i,ij,j->", line, spread, line))
        return float(length / np.sqrt(max(variance / (self.users[a] + self.users[b]), 1e-12)))

"""River's k-means with the traps closed (River 0.26, each reproduced in the tests).

* `seed` does not seed: the order of a *set of feature names* decides which draw becomes which
  coordinate, so `PYTHONHASHSEED` decides the centres. The centres are always set from outside,
  as plain dicts with every key, and River's own draws are never used.
* Feature keys are the small integers 0 … d − 1, not names. River adds up a distance in the
  order of a set of the keys. Sets of small contiguous integers iterate in rising order; sets of
  strings in an order that changes with `PYTHONHASHSEED`, and with it the last bits of a distance.
* A defaultdict centre would invent a random coordinate for an unknown key: a plain dict raises.
* A missing feature counts as 0 in the distance but is not learnt, and one NaN poisons a centre
  for good: only complete, finite rows come in here (`Scaling.project` gives no others).
* `clone()` drops the centres: nothing here clones.
* The parameter River calls `halflife` is a constant step size; here it has that name.
"""

from collections.abc import Sequence
from typing import Any

from river import cluster


class OnlineKMeans:
    """k centroids that follow the samples, one at a time."""

    def __init__(
        self, ids: Sequence[int], centroids: Sequence[Sequence[float]], step_size: float
    ) -> None:
        """Start from given centroids.

        Args:
            ids: k segment ids; ties in distance go to the earlier one.
            centroids: k × d finite coordinates.
            step_size: Share of the way to the sample that the nearest centroid moves, (0, 1].
        """
        # Any: River's methods carry no types, and its `centers` is declared as defaultdicts.
        kmeans: Any = cluster.KMeans
        self._kmeans = kmeans(n_clusters=len(ids), halflife=step_size)
        self._kmeans.centers = {
            segment: dict(enumerate(row)) for segment, row in zip(ids, centroids, strict=True)
        }

    @property
    def centroids(self) -> tuple[tuple[float, ...], ...]:
        """K × d coordinates now, in the order of the ids."""
        return tuple(tuple(centre.values()) for centre in self._kmeans.centers.values())

    def nearest(self, z: Sequence[float]) -> tuple[int, list[float]]:
        """Find the nearest centroid without learning.

        Args:
            z: d finite coordinates.

        Returns:
            Its id and how far the sample lies beside it in each coordinate.
        """
        segment: int = self._kmeans.predict_one(dict(enumerate(z)))
        centre = self._kmeans.centers[segment]
        return segment, [x - centre[j] for j, x in enumerate(z)]

    def learn(self, z: Sequence[float]) -> None:
        """Move the nearest centroid towards a sample.

        Args:
            z: d finite coordinates.
        """
        self._kmeans.learn_one(dict(enumerate(z)))

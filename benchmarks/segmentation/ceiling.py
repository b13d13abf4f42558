"""What no online system can know: k-means on everybody as they are at the end, with hindsight."""

import numpy as np

from benchmarks.segmentation.stream import Ints, Looks
from segments.assignment import nearest_rows
from segments.bootstrap import freeze_scaling
from segments.lloyd import best_centroids

RESTARTS = 50


class Ceiling:
    """Batch k-means over the final vectors of all users, then applied to the whole stream.

    Features, transforms and shrinking are Shoal's; mean and deviation are those of the final
    vectors; the best of 50 starts. Its ids mean the same throughout, since it never learns.
    """

    name = "batch k-means with hindsight (the ceiling)"

    def __init__(self, end: Looks, features: tuple[str, ...], segments: int) -> None:
        self._scaling, _ = freeze_scaling(end.values, end.evidence, features)
        z = self._scaling.project(end.values, end.evidence)
        self._centroids = best_centroids(z, segments, np.random.default_rng(0), RESTARTS)

    def look(self, looks: Looks) -> Ints:
        z = self._scaling.project(looks.values, looks.evidence)
        return nearest_rows(z, self._centroids).astype(np.int64)

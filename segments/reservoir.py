"""The release gate: would a version move more users than the budget allows?

The users seen lately are assigned with the released version and then with the new one, by the
workers' own hysteresis. So the share that moves is the share that workers would publish.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segments.assignment import Assigned, assign, nearest_rows
from segments.model import NO_SEGMENT, CompiledModel
from segments.transforms import Floats

SWEEP_WEIGHT = 2  # a version is looked at once; no second event will come to confirm it


@dataclass(frozen=True)
class Flips:
    """What a version would do to the users seen lately.

    Attributes:
        moved: Users who would change segment.
        share: The same as a share.
        lingering: Those who would then not be in the segment of their nearest centroid, because
            hysteresis keeps them: (place counted from the newest user, segment id).
    """

    moved: int
    share: float
    lingering: tuple[tuple[int, int], ...]


class Reservoir:
    """The users seen lately, in the segments where the released version has them."""

    def __init__(self, z: Floats, released: CompiledModel, lingering: Mapping[int, int]) -> None:
        """Put everybody in their segment.

        Args:
            z: float64[n, d], the newest user first, in the released version's space.
            released: The newest release.
            lingering: Place → segment of those whom hysteresis kept at that release. All others
                were in the segment of the nearest centroid.
        """
        self._z = z
        segment = released.ids[nearest_rows(z, released.centroids)]
        for place, kept in lingering.items():
            segment[place] = kept
        # Who has changed since and moves for that reason does not count against a new version.
        self._segment = self._look(segment, released).segment

    def flips(self, version: CompiledModel) -> Flips:
        """Look at everybody with a version of the same space.

        Args:
            version: The version to try.

        Returns:
            Who would move.
        """
        outcome = self._look(self._segment, version)
        moved = int(outcome.moved.sum())
        places = np.flatnonzero(outcome.segment != outcome.nearest)
        kept = outcome.segment[places].tolist()
        share = moved / max(len(self._z), 1)
        return Flips(moved, share, tuple(zip(places.tolist(), kept, strict=True)))

    def allows(self, flips: Flips, budget: float) -> bool:
        """Whether a version is within the budget.

        Args:
            flips: What it would do.
            budget: Share of the users that it may move; one user may always move.
        """
        return flips.moved <= max(1, int(budget * len(self._z)))

    def _look(self, segment: NDArray[np.int32], model: CompiledModel) -> Assigned:
        n = len(self._z)
        nobody = np.full(n, NO_SEGMENT, dtype=np.int32)
        none = np.zeros(n, dtype=np.uint8)
        return assign(self._z, model, segment, nobody, none, weight=SWEEP_WEIGHT)

"""Whom two versions' segments have in common, and which of them are the same segment.

Two major versions have different scalings, so their centroids cannot be compared directly. What
can be compared is whom they hold: the same users are assigned with both, and a segment is the
one that holds the same people. Measured against matching by the distance of the centroids:
docs/segmentation.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

SAME = 1 / 3
"""Jaccard overlap from which a segment stays itself: at equal sizes, half of its users remain."""
NAMEABLE = 0.2  # share from which one of several origins or heirs is worth mentioning


@dataclass(frozen=True)
class Overlap:
    """Whom two partitions of the same users have in common.

    Attributes:
        table: int64[k_before, k_after] users.
    """

    table: NDArray[np.int64]

    @classmethod
    def of(
        cls, before: NDArray[np.intp], after: NDArray[np.intp], k_before: int, k_after: int
    ) -> "Overlap":
        """Count.

        Args:
            before: intp[n] rows of segments of the version before.
            after: intp[n] rows of segments of this version.
            k_before: Segments of the version before.
            k_after: Segments of this version.
        """
        cells = np.bincount(before * k_after + after, minlength=k_before * k_after)
        return cls(cells.astype(np.int64).reshape(k_before, k_after))

    def matches(self) -> dict[int, int]:
        """Pair segments that hold the same people, one to one.

        Returns:
            Row after → row before. The pairing maximises the sum of the Jaccard overlaps (Kuhn,
            "The Hungarian method", 1955); pairs that overlap by less than a third are let go.
        """
        sizes_before, sizes_after = self.table.sum(axis=1), self.table.sum(axis=0)
        union = sizes_before[:, None] + sizes_after[None, :] - self.table
        jaccard = self.table / np.maximum(union, 1)
        rows, columns = linear_sum_assignment(jaccard, maximize=True)
        return {
            int(after): int(before)
            for before, after in zip(rows, columns, strict=True)
            if jaccard[before, after] >= SAME
        }

    def origins(self, after: int) -> tuple[NDArray[np.intp], float]:
        """Say where the users of a segment come from.

        Args:
            after: Its row.

        Returns:
            Rows before that gave at least a fifth, most first; the share of the first.
        """
        return _main(self.table[:, after])

    def heirs(self, before: int) -> tuple[NDArray[np.intp], float]:
        """Say where the users of a segment are now.

        Args:
            before: Its row.

        Returns:
            Rows after that took at least a fifth, most first; the share of the first.
        """
        return _main(self.table[before])


def _main(users: NDArray[np.int64]) -> tuple[NDArray[np.intp], float]:
    shares = users / max(int(users.sum()), 1)
    order = np.argsort(-shares, kind="stable")
    return order[shares[order] >= NAMEABLE], float(shares.max(initial=0.0))

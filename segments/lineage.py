"""What became of each segment in a major version, and how that is told from the users.

Two major versions have different scalings, so their centroids cannot be compared directly. What
can be compared is whom they hold: the same users are assigned with both, and a segment is the
one that holds the same people. Measured against matching by the distance of the centroids:
docs/segmentation.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

LineageKind = Literal["kept", "renamed", "split_from", "merged_into", "retired", "new", "restored"]


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """One segment's fate in a major version (or in a rename).

    Attributes:
        id: The segment.
        name: What it is called in this version; for one that is gone, what it was called.
        kind: kept; renamed (kept, under another name); split_from (new id, most of its users
            come from one segment, which lost them to several); merged_into (gone, most of its
            users are now in one segment); retired (gone, its users are scattered); new (its
            users come from everywhere); restored (a rollback brought it back).
        from_ids: Where its users come from: segments of the version before.
        into_ids: Where its users are now: segments of this version.
        share: Share of its users (before, for kept, merged and retired ones; now, for others)
            that the first of these ids accounts for.
    """

    id: int
    name: str
    kind: LineageKind
    from_ids: tuple[int, ...] = ()
    into_ids: tuple[int, ...] = ()
    share: float = 1.0


SAME = 1 / 3
"""Jaccard overlap from which a segment stays itself: at equal sizes, half of its users remain."""
MOST = 0.5  # share of a segment's users that makes another one its origin or its heir
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


def trace(
    overlap: Overlap, before: Mapping[int, str], after: Mapping[int, str]
) -> tuple[Lineage, ...]:
    """Tell the fate of every segment.

    Args:
        overlap: Of the users, rows and columns in the order of the two tables of names.
        before: Id → name in the version before.
        after: Id → name in this version; an id that is in both is the same segment.

    Returns:
        This version's segments in their order, then those that are gone in theirs.
    """
    ids_before, ids_after = list(before), list(after)
    told = []
    for row, (segment, name) in enumerate(after.items()):
        if segment in before:
            share = _share(overlap.table[ids_before.index(segment)], row)
            kind: LineageKind = "kept" if name == before[segment] else "renamed"
            told.append(
                Lineage(
                    id=segment,
                    name=name,
                    kind=kind,
                    share=share,
                    from_ids=(segment,),
                    into_ids=(segment,),
                )
            )
            continue
        rows, share = overlap.origins(row)
        kind = "split_from" if share >= MOST else "new"
        from_ids = tuple(ids_before[i] for i in (rows[:1] if kind == "split_from" else rows))
        told.append(Lineage(id=segment, name=name, kind=kind, from_ids=from_ids, share=share))
    for row, (segment, name) in enumerate(before.items()):
        if segment in after:
            continue
        rows, share = overlap.heirs(row)
        kind = "merged_into" if share >= MOST else "retired"
        into_ids = tuple(ids_after[j] for j in (rows[:1] if kind == "merged_into" else rows))
        told.append(Lineage(id=segment, name=name, kind=kind, into_ids=into_ids, share=share))
    return tuple(told)


def _share(users: NDArray[np.int64], row: int) -> float:
    return float(users[row] / max(int(users.sum()), 1))

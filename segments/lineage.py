"""What became of each segment in a major version."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # it needs scipy, which a look-up does not wait for
    from segments.overlap import Overlap

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


MOST = 0.5  # share of a segment's users that makes another one its origin or its heir


def trace(
    overlap: "Overlap", before: Mapping[int, str], after: Mapping[int, str]
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

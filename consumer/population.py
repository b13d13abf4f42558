"""The users a step touches: who they were before it, who counts, who is assigned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from consumer.decisions import Decision, Slots
from consumer.meta import PartitionMeta
from features.slab import Slab
from segments.changes import Cause
from segments.model import NO_SEGMENT


@dataclass(frozen=True)
class Rules:
    """Who is assigned, who is sampled, who is removed."""

    min_events: int
    sample_interval_ms: int
    removal_ms: int


@dataclass(frozen=True)
class Population:
    """The users a step touches, as they were before it.

    Attributes:
        slots: int64[n], distinct and rising.
        segment: int32[n].
        user_version: uint32[n].
        counted: bool[n], who was in the partition's user counts.
        eligible: bool[n], who had enough behind them to be assigned.
    """

    slots: Slots
    segment: npt.NDArray[np.int32]
    user_version: npt.NDArray[np.uint32]
    counted: npt.NDArray[np.bool_]
    eligible: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, slab: Slab, slots: Slots, rules: Rules) -> "Population":
        """Note how the users in these distinct, rising slots are now."""
        head = slab.head[slots]
        return cls(
            slots, head["segment"], head["user_version"], counted(slab, slots),
            eligible(slab, slots, rules),
        )  # fmt: skip

    def rows_of(self, slots: Sequence[int] | Slots) -> npt.NDArray[np.int64]:
        """Find members by slot."""
        return np.searchsorted(self.slots, slots)

    def recount(self, meta: PartitionMeta, slab: Slab) -> None:
        """Bring the user counts of `meta` up to what the slab says now."""
        segment, counts_now = slab.head["segment"][self.slots], counted(slab, self.slots)
        differs = (segment != self.segment) | (counts_now != self.counted)
        for sign, was, inside in ((-1, self.segment, self.counted), (1, segment, counts_now)):
            ids, counts = np.unique(was[differs & inside], return_counts=True)
            for segment_id, count in zip(ids.tolist(), counts.tolist(), strict=True):
                if segment_id == NO_SEGMENT:
                    meta.unassigned += sign * count
                else:
                    meta.users[segment_id] = meta.users.get(segment_id, 0) + sign * count
        meta.users = {segment_id: n for segment_id, n in meta.users.items() if n}

    def leaving(
        self,
        at: int,
        user_ids: Sequence[str],
        cause: Cause,
        source_offset: int,
        event_ms: int | None,
    ) -> Decision:
        """Say that member `at` is in no segment any more."""
        return Decision(
            user_id=user_ids[int(self.slots[at])],
            previous=int(self.segment[at]),
            current=NO_SEGMENT,
            cause=cause,
            user_version=int(self.user_version[at]) + 1,
            source_offset=source_offset,
            event_ms=event_ms,
        )


def counted(slab: Slab, slots: Slots) -> npt.NDArray[np.bool_]:
    """Tell who is a user: has applied events, or a segment taken over from the feed."""
    head = slab.head[slots]
    return np.asarray((head["applied"] > 0) | (head["segment"] != NO_SEGMENT))


def eligible(slab: Slab, slots: Slots, rules: Rules) -> npt.NDArray[np.bool_]:
    """Tell whom to assign: enough events, or a profile with metrics."""
    head = slab.head[slots]
    return np.asarray((head["applied"] >= rules.min_events) | (head["known_mask"] != 0))

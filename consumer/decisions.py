"""Who moves where, and the numbered message that says so."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from consumer.meta import PartitionMeta
from features.slab import Slab
from features.vector import Vectors
from segments.assignment import assign
from segments.changes import Cause, Reason, SegmentChange, rfc3339
from segments.model import NO_SEGMENT, CompiledModel
from segments.reasons import reasons

Slots = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One user's move, not numbered yet.

    `current` is NO_SEGMENT for a user who was forgotten or removed. `event_ms` is the time of the
    event that decided, None when time alone did.
    """

    user_id: str
    previous: int
    current: int
    cause: Cause
    user_version: int
    source_offset: int
    event_ms: int | None = None
    margin: float | None = None
    reasons: list[Reason] = field(default_factory=list)


@dataclass(frozen=True)
class Observation:
    """What decides about n users: their slots, their vectors, and what to say if they move.

    Attributes:
        slots: int64[n], distinct.
        vectors: their features.
        causes: n causes.
        source_offsets: int64[n], the input record behind each.
        event_ms: int64[n], that record's event time; None in a sweep.
    """

    slots: Slots
    vectors: Vectors
    causes: Sequence[Cause]
    source_offsets: npt.NDArray[np.int64]
    event_ms: npt.NDArray[np.int64] | None

    def part(self, rows: npt.NDArray[np.int64]) -> "Observation":
        """Give the users at these rows."""
        return Observation(
            self.slots[rows],
            Vectors(self.vectors.values[rows], self.vectors.evidence[rows]),
            [self.causes[row] for row in rows.tolist()],
            self.source_offsets[rows],
            None if self.event_ms is None else self.event_ms[rows],
        )


def observe(
    slab: Slab,
    user_ids: Sequence[str],
    seen: Observation,
    model: CompiledModel,
    *,
    weight: int,
    as_of_ms: int,
) -> list[Decision]:
    """Hold users against the model once; note the outcome in the slab.

    Args:
        slab: user states; segment, candidate, version and `since` of those seen are moved on.
        user_ids: user id by slot.
        seen: whom to look at.
        model: the release to assign with.
        weight: observations this one counts as.
        as_of_ms: the time that a new assignment counts from, where no event says better.

    Returns:
        A decision for each user who moved.
    """
    head, slots = slab.head, seen.slots
    z = model.scaling.project(seen.vectors.values, seen.vectors.evidence)
    previous = head["segment"][slots]
    outcome = assign(
        z,
        model,
        previous,
        head["candidate"][slots],
        head["candidate_count"][slots],
        weight=weight,
    )
    head["segment"][slots] = outcome.segment
    head["candidate"][slots] = outcome.candidate
    head["candidate_count"][slots] = outcome.candidate_count
    rows = np.flatnonzero(outcome.moved)
    if not len(rows):
        return []
    moved = seen.part(rows)
    since_ms = np.full(len(rows), as_of_ms) if moved.event_ms is None else moved.event_ms
    head["user_version"][moved.slots] += 1
    head["since_ms"][moved.slots] = since_ms
    why = reasons(
        z[rows],
        model.centroids_of(previous[rows]),
        model.centroids_of(outcome.segment[rows]),
        model.model.features,
        moved.vectors.values[:, model.scaling.columns],
    )
    return [
        Decision(
            user_id=user_ids[slot],
            previous=int(previous[row]),
            current=int(outcome.segment[row]),
            cause=moved.causes[i],
            user_version=int(head["user_version"][slot]),
            source_offset=int(moved.source_offsets[i]),
            event_ms=None if moved.event_ms is None else int(moved.event_ms[i]),
            margin=float(outcome.margin[row]),
            reasons=why[i],
        )
        for i, (row, slot) in enumerate(zip(rows.tolist(), moved.slots.tolist(), strict=True))
    ]


def number(
    decisions: list[Decision],
    meta: PartitionMeta,
    model: CompiledModel | None,
    *,
    partition: int,
    now_ms: int,
) -> list[SegmentChange]:
    """Turn decisions into messages, numbered on from `meta.sequence`, which is moved on.

    They are put in the order of the records that decided them (a user's `current: null` before a
    new start in the same batch): catch-up relies on it when only some of them were published.
    """
    ordered = sorted(decisions, key=lambda d: (d.source_offset, d.current != NO_SEGMENT))
    changes = []
    for decision in ordered:
        meta.sequence += 1
        changes.append(_change(decision, meta.sequence, model, partition, now_ms))
    return changes


def _change(
    decision: Decision, sequence: int, model: CompiledModel | None, partition: int, now_ms: int
) -> SegmentChange:
    return SegmentChange(
        change_id=f"{partition}-{sequence}",
        user_id=decision.user_id,
        previous=model.ref(decision.previous) if model else None,
        current=model.ref(decision.current) if model else None,
        cause=decision.cause,
        model_version=model.version if model else None,
        margin=decision.margin,
        reasons=decision.reasons,
        event_time=None if decision.event_ms is None else rfc3339(decision.event_ms),
        changed_at=rfc3339(now_ms),
        user_version=decision.user_version,
        sequence=sequence,
        source_offset=decision.source_offset,
    )

"""The step over records whose decisions are published already: take them over, decide nothing."""

from collections.abc import Sequence

import numpy as np

from consumer.decisions import Slots
from consumer.effects import Batch, Effects, Moment, advanced, last_applied
from consumer.meta import PartitionMeta
from consumer.population import Population, Rules
from features.fold import fold
from features.slab import Slab
from features.vector import next_look_ms
from segments.changes import SegmentChange
from segments.model import NO_SEGMENT


def step_catch_up(
    slab: Slab,
    meta: PartitionMeta,
    batch: Batch,
    forced: Sequence[tuple[int, SegmentChange]],
    rules: Rules,
    moment: Moment,
) -> Effects:
    """Apply a batch whose decisions are published already: take them over, decide nothing.

    Args:
        slab: user states; moved on in place.
        meta: the partition before the batch; not changed.
        batch: records at or below the catch-up floor.
        forced: slot and published change, in the order of their sequence, each decided by one of
            these records. A removal ends its batch (`records.batches` cuts there).
        rules: who is assigned, sampled, removed.
        moment: where and when.
    """
    columns = batch.columns
    forced_slots = np.array([slot for slot, _ in forced], np.int64)
    before = Population.of(slab, np.union1d(columns.slot, forced_slots), rules)
    folded = fold(slab, columns)
    after = advanced(meta, batch, folded.outcome, moment)
    _keep_segments(slab, before, folded.forgotten)
    removed = _take_over(slab, forced, moment)
    after.sequence = max([after.sequence, *(change.sequence for _, change in forced)])
    touched, _ = last_applied(columns.slot, folded.outcome)
    written = np.setdiff1d(np.union1d(touched, forced_slots), removed)
    before.recount(after, slab)
    published = [change for _, change in forced]
    moved = [
        (slot, change.source_offset, change.current.id if change.current else NO_SEGMENT)
        for slot, change in forced
    ]
    segment = before.segment[before.rows_of(columns.slot)]
    return Effects(
        meta=after,
        written=written,
        removed=removed,
        due_slots=written,
        due_ms=next_look_ms(slab, written, moment.as_of_ms, rules.removal_ms),
        dead=batch.unpublished,
        tally=batch.tally(meta.stream_ms, folded.outcome, segment, published, moved),
    )


def _keep_segments(slab: Slab, before: Population, forgotten: dict[int, int]) -> None:
    """Undo what a forget request did to segments while catching up.

    Whether it ended a segment is among the published changes too. If it is not, the segment is
    younger than the request: seeded from the feed, after the user had come back.
    """
    slots = np.array(list(forgotten), np.int64)
    at = before.rows_of(slots)
    slab.head["segment"][slots] = before.segment[at]
    slab.head["user_version"][slots] = before.user_version[at]


def _take_over(slab: Slab, forced: Sequence[tuple[int, SegmentChange]], moment: Moment) -> Slots:
    """Put published changes into the states; give the slots of users that were removed."""
    removed = []
    for slot, change in forced:
        if change.current is None and change.cause != "forget":
            slab.clear(np.array([slot]))
            removed.append(slot)
            continue
        row = slab.head[slot : slot + 1]
        row["candidate"], row["candidate_count"] = NO_SEGMENT, 0
        if change.current is None:
            # The fold has wiped this user, but an earlier change of the same batch (they were
            # assigned, then forgotten) has put a segment back.
            row["segment"], row["user_version"], row["since_ms"] = NO_SEGMENT, 0, 0
        else:
            row["segment"], row["user_version"] = change.current.id, change.user_version
            row["since_ms"] = moment.as_of_ms
    return np.array(sorted(removed), np.int64)

"""What a step is given and what it decides, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from consumer.dead_letters import DeadLetter
from consumer.decisions import Slots
from consumer.meta import PartitionMeta
from consumer.tally import StreamTimes, Tally, moves_of, segments_at, tally_batch
from features.columns import Columns
from features.fold import APPLIED, DUPLICATE, LATE
from segments.changes import SegmentChange

_NO_SLOTS: Slots = np.empty(0, np.int64)


@dataclass(frozen=True)
class Moment:
    """Where and when a step happens: `as_of_ms` reads the features, `now_ms` stamps the changes."""

    partition: int
    as_of_ms: int
    now_ms: int


@dataclass(frozen=True)
class Batch:
    """A judged batch, ready to be folded.

    Attributes:
        columns: the n valid events as columns.
        offsets: int64[n], their input offsets.
        next_offset: the input offset after the batch, dead letters included.
        stream_end_ms: stream time after the batch.
        dead: all its dead letters.
        dead_floor: dead letters at or below this offset are counted, but published already.
    """

    columns: Columns
    offsets: npt.NDArray[np.int64]
    next_offset: int
    stream_end_ms: int
    dead: Sequence[DeadLetter] = ()
    dead_floor: int = -1

    @property
    def unpublished(self) -> list[DeadLetter]:
        """The dead letters that nobody has published yet."""
        return [letter for letter in self.dead if letter.offset > self.dead_floor]

    def tally(
        self,
        before_ms: int,
        outcome: npt.NDArray[np.uint8],
        segment: npt.NDArray[np.int32],
        changes: Sequence[SegmentChange],
        moved: Sequence[tuple[int, int, int]],
    ) -> Tally:
        """Count what the batch adds to the trend.

        Args:
            before_ms: stream time before it.
            outcome: uint8[n], what became of each event.
            segment: int32[n], where each event's user was before the batch; changed in place.
            changes: what was decided by its records.
            moved: slot, source offset and new segment of those users who have moved and may have
                later events in the batch, in the order of the changes.
        """
        columns = self.columns
        times = StreamTimes(before_ms, self.offsets, columns.stream_ms, self.dead)
        return tally_batch(
            columns,
            outcome,
            segments_at(segment, columns.slot, self.offsets, moved),
            moves_of(changes, times),
            self.stream_end_ms,
        )


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What one step decided.

    Attributes:
        meta: the partition's counters after the step.
        written: slots whose state must be stored.
        removed: slots whose user ceases to exist.
        due_slots: users to look at again …
        due_ms: … and when (int64, same length).
        changes: segment changes, numbered.
        dead: dead letters to publish.
        samples: encoded training samples.
        tally: what the step adds to the trend.
    """

    meta: PartitionMeta
    written: Slots
    removed: Slots = field(default_factory=lambda: _NO_SLOTS)
    due_slots: Slots
    due_ms: npt.NDArray[np.int64]
    changes: list[SegmentChange] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    samples: list[bytes] = field(default_factory=list)
    tally: Tally


def last_applied(
    slot: Slots, outcome: npt.NDArray[np.uint8]
) -> tuple[Slots, npt.NDArray[np.int64]]:
    """Give the distinct users of applied records, rising, and the row of each one's last."""
    rows = np.flatnonzero(outcome == APPLIED)
    slots, inverse = np.unique(slot[rows], return_inverse=True)
    last = np.empty(len(slots), np.int64)
    last[inverse] = rows  # of repeated indices numpy keeps the last
    return slots, last


def moved_on(meta: PartitionMeta, moment: Moment) -> PartitionMeta:
    """Give the counters after one more commit."""
    after = meta.following()
    after.as_of_ms = max(after.as_of_ms, moment.as_of_ms)
    return after


def advanced(
    meta: PartitionMeta, batch: Batch, outcome: npt.NDArray[np.uint8], moment: Moment
) -> PartitionMeta:
    """Give the counters after a batch, whose valid records came out like this."""
    after = moved_on(meta, moment)
    after.applied_offset = batch.next_offset
    after.stream_ms = batch.stream_end_ms
    if after.applied_offset > after.floor:
        after.floor = -1
    counts = np.bincount(outcome, minlength=3).tolist()
    after.outcomes.applied += counts[APPLIED]
    after.outcomes.duplicate += counts[DUPLICATE]
    after.outcomes.late += counts[LATE]
    for letter in batch.dead:
        dead = after.outcomes.dead
        dead[letter.reason] = dead.get(letter.reason, 0) + 1
    return after

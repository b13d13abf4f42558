"""The core step: user states + a batch of records (or a sweep) → what has to be written and said.

No I/O, no clock: times come in, effects go out. The slab that is passed in is moved on in place;
if the effects then cannot be committed, the partition's states are dropped and read again.

    batch:    fold ── forgotten? ── observe, weight 1 ── samples ──┐
    catch-up: fold ── take over what is published already ─────────┼──→ Effects
    sweep:    remove the silent ── observe, weight 2 ──────────────┘
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from consumer.dead_letters import DeadLetter
from consumer.decisions import Decision, Observation, Slots, number, observe
from consumer.meta import PartitionMeta
from consumer.population import Population, Rules, eligible
from features.columns import Columns
from features.events import TYPE_CODES, event_id_hash
from features.fold import APPLIED, DUPLICATE, LATE, fold
from features.slab import Slab
from features.vector import next_look_ms, vectors
from segments.changes import Cause, SegmentChange
from segments.model import NO_SEGMENT, CompiledModel
from segments.samples import encode_samples

BATCH_WEIGHT = 1
SWEEP_WEIGHT = 2  # no event will come to give a second observation

_PROFILE = TYPE_CODES["profile"]
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
    """

    meta: PartitionMeta
    written: Slots
    removed: Slots = field(default_factory=lambda: _NO_SLOTS)
    due_slots: Slots
    due_ms: npt.NDArray[np.int64]
    changes: list[SegmentChange] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    samples: list[bytes] = field(default_factory=list)


def step_batch(
    slab: Slab,
    user_ids: Sequence[str],
    meta: PartitionMeta,
    batch: Batch,
    model: CompiledModel | None,
    rules: Rules,
    moment: Moment,
) -> Effects:
    """Apply a batch and decide.

    Args:
        slab: user states; moved on in place.
        user_ids: user id by slot.
        meta: the partition before the batch; not changed.
        batch: the records.
        model: the release to assign with; None before the first one.
        rules: who is assigned, sampled, removed.
        moment: where and when.
    """
    columns = batch.columns
    before = Population.of(slab, np.unique(columns.slot), rules)
    folded = fold(slab, columns)
    after = _advance(meta, batch, folded.outcome, moment)
    decisions = _forgets(before, user_ids, batch, folded.forgotten)
    touched, rows = _last_applied(columns.slot, folded.outcome)
    observed = eligible(slab, touched, rules)
    rows = rows[observed]
    seen = Observation(
        slots=touched[observed],
        vectors=vectors(slab, touched[observed], moment.as_of_ms),
        causes=_causes(before, touched[observed], columns.type_code[rows] == _PROFILE),
        source_offsets=batch.offsets[rows],
        event_ms=columns.time_ms[rows],
    )
    if model is not None:
        decisions += observe(
            slab, user_ids, seen, model, weight=BATCH_WEIGHT, as_of_ms=moment.as_of_ms
        )
    samples = _samples(slab, user_ids, seen, batch.stream_end_ms, rules, moment)
    before.recount(after, slab)
    return Effects(
        meta=after,
        written=touched,
        due_slots=touched,
        due_ms=next_look_ms(slab, touched, moment.as_of_ms, rules.removal_ms),
        changes=number(decisions, after, model, partition=moment.partition, now_ms=moment.now_ms),
        dead=batch.unpublished,
        samples=samples,
    )


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
    after = _advance(meta, batch, folded.outcome, moment)
    _keep_segments(slab, before, folded.forgotten)
    removed = _take_over(slab, forced, moment)
    after.sequence = max([after.sequence, *(change.sequence for _, change in forced)])
    touched, _ = _last_applied(columns.slot, folded.outcome)
    written = np.setdiff1d(np.union1d(touched, forced_slots), removed)
    before.recount(after, slab)
    return Effects(
        meta=after,
        written=written,
        removed=removed,
        due_slots=written,
        due_ms=next_look_ms(slab, written, moment.as_of_ms, rules.removal_ms),
        dead=batch.unpublished,
    )


def step_sweep(
    slab: Slab,
    user_ids: Sequence[str],
    meta: PartitionMeta,
    slots: Slots,
    queued: npt.NDArray[np.bool_],
    model: CompiledModel | None,
    rules: Rules,
    moment: Moment,
) -> Effects:
    """Look at users whose windows moved on without an event.

    Args:
        slab: user states; moved on in place.
        user_ids: user id by slot.
        meta: the partition before the sweep; not changed.
        slots: distinct users that are due, rising.
        queued: bool[n], who was queued by a new model rather than by time.
        model: the release to assign with; None before the first one.
        rules: who is assigned, sampled, removed.
        moment: where and when.
    """
    before = Population.of(slab, slots, rules)
    head = slab.head[slots]
    after = _moved_on(meta, moment)
    source_offset = meta.applied_offset - 1
    gone = head["last_ms"] + rules.removal_ms <= moment.as_of_ms
    decisions = [
        before.leaving(at, user_ids, "expiry", source_offset, None)
        for at in np.flatnonzero(gone & (before.segment != NO_SEGMENT)).tolist()
    ]
    observed = before.eligible & ~gone
    if model is not None:
        seen = Observation(
            slots=slots[observed],
            vectors=vectors(slab, slots[observed], moment.as_of_ms),
            causes=["model" if by_model else "expiry" for by_model in queued[observed].tolist()],
            source_offsets=np.full(int(observed.sum()), source_offset),
            event_ms=None,
        )
        decisions += observe(
            slab, user_ids, seen, model, weight=SWEEP_WEIGHT, as_of_ms=moment.as_of_ms
        )
    stays = slots[~gone]
    slab.clear(slots[gone])
    before.recount(after, slab)
    return Effects(
        meta=after,
        written=slots[~gone & (slab.head[slots] != head)],
        removed=slots[gone],
        due_slots=stays,
        due_ms=next_look_ms(slab, stays, moment.as_of_ms, rules.removal_ms),
        changes=number(decisions, after, model, partition=moment.partition, now_ms=moment.now_ms),
    )


def _last_applied(
    slot: Slots, outcome: npt.NDArray[np.uint8]
) -> tuple[Slots, npt.NDArray[np.int64]]:
    """Give the distinct users of applied records, rising, and the row of each one's last."""
    rows = np.flatnonzero(outcome == APPLIED)
    slots, inverse = np.unique(slot[rows], return_inverse=True)
    last = np.empty(len(slots), np.int64)
    last[inverse] = rows  # of repeated indices numpy keeps the last
    return slots, last


def _moved_on(meta: PartitionMeta, moment: Moment) -> PartitionMeta:
    after = meta.copy()
    after.commits += 1
    after.as_of_ms = max(after.as_of_ms, moment.as_of_ms)
    return after


def _advance(
    meta: PartitionMeta, batch: Batch, outcome: npt.NDArray[np.uint8], moment: Moment
) -> PartitionMeta:
    after = _moved_on(meta, moment)
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


def _forgets(
    before: Population, user_ids: Sequence[str], batch: Batch, forgotten: dict[int, int]
) -> list[Decision]:
    """Say of forgotten users that they are in no segment any more."""
    rows, times_ms = before.rows_of(list(forgotten)).tolist(), batch.columns.time_ms
    return [
        before.leaving(at, user_ids, "forget", int(batch.offsets[row]), int(times_ms[row]))
        for at, row in zip(rows, forgotten.values(), strict=True)
        if before.segment[at] != NO_SEGMENT
    ]


def _causes(before: Population, slots: Slots, by_profile: npt.NDArray[np.bool_]) -> list[Cause]:
    """Say why a batch's users would move.

    Whenever there is a model, an eligible user has a segment after the next look. So a user who
    was eligible before this batch and has none is waiting for the first model.
    """
    at = before.rows_of(slots)
    waiting = before.eligible[at] & (before.segment[at] == NO_SEGMENT)
    causes = np.where(waiting, "model", np.where(by_profile, "profile", "behaviour"))
    return causes.tolist()  # type: ignore[no-any-return]


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


def _samples(
    slab: Slab,
    user_ids: Sequence[str],
    seen: Observation,
    stream_ms: int,
    rules: Rules,
    moment: Moment,
) -> list[bytes]:
    """Sample who has not been sampled lately, in the order of their records."""
    sampled_ms = slab.head["sampled_ms"]
    fresh = np.flatnonzero(stream_ms - sampled_ms[seen.slots] >= rules.sample_interval_ms)
    if not len(fresh):
        return []
    fresh = fresh[np.argsort(seen.source_offsets[fresh])]
    chosen = seen.part(fresh)
    sampled_ms[chosen.slots] = stream_ms
    return encode_samples(
        moment.partition,
        chosen.source_offsets.tolist(),
        [event_id_hash(user_ids[slot]) for slot in chosen.slots.tolist()],
        [stream_ms] * len(fresh),
        values=chosen.vectors.values,
        evidence=chosen.vectors.evidence,
    )

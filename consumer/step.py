"""The core step: user states + a batch of records (or a sweep) → what has to be written and said.

No I/O, no clock: times come in, effects go out. The slab that is passed in is moved on in place;
if the effects then cannot be committed, the partition's states are dropped and read again.

    batch:    fold ── forgotten? ── observe, weight 1 ── samples ──┐
    catch-up: fold ── take over what is published already ─────────┼──→ Effects
    sweep:    remove the silent ── observe, weight 2 ──────────────┘
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from consumer.decisions import Decision, Observation, Slots, number, observe
from consumer.effects import Batch, Effects, Moment, advanced, last_applied, moved_on
from consumer.meta import PartitionMeta
from consumer.population import Population, Rules, eligible
from consumer.tally import Tally
from features.events import TYPE_CODES, event_id_hash
from features.fold import fold
from features.slab import Slab
from features.vector import next_look_ms, vectors
from segments.changes import Cause
from segments.model import NO_SEGMENT, CompiledModel
from segments.samples import encode_samples

BATCH_WEIGHT = 1
SWEEP_WEIGHT = 2  # no event will come to give a second observation

_PROFILE = TYPE_CODES["profile"]


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
    after = advanced(meta, batch, folded.outcome, moment)
    decisions = _forgets(before, user_ids, batch, folded.forgotten)
    touched, rows = last_applied(columns.slot, folded.outcome)
    observed = eligible(slab, touched, rules)
    rows = rows[observed]
    seen = Observation(
        slots=touched[observed],
        vectors=vectors(slab, touched[observed], moment.as_of_ms),
        causes=_causes(before, touched[observed], columns.type_code[rows] == _PROFILE, model),
        source_offsets=batch.offsets[rows],
        event_ms=columns.time_ms[rows],
    )
    if model is not None:
        decisions += observe(
            slab, user_ids, seen, model, weight=BATCH_WEIGHT, as_of_ms=moment.as_of_ms
        )
    samples = _samples(slab, user_ids, seen, batch.stream_end_ms, rules, moment)
    before.recount(after, slab)
    changes = number(decisions, after, model, partition=moment.partition, now_ms=moment.now_ms)
    return Effects(
        meta=after,
        written=touched,
        due_slots=touched,
        due_ms=next_look_ms(slab, touched, moment.as_of_ms, rules.removal_ms),
        changes=changes,
        dead=batch.unpublished,
        samples=samples,
        tally=batch.tally(
            meta.stream_ms,
            folded.outcome,
            before.segment[before.rows_of(columns.slot)],
            changes,
            # Moves come at a user's last record; only who is forgotten may go on in the batch.
            [(slot, int(batch.offsets[row]), NO_SEGMENT) for slot, row in folded.forgotten.items()],
        ),
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
        queued: bool[n], who was queued by a new major version rather than by time.
        model: the release to assign with; None before the first one.
        rules: who is assigned, sampled, removed.
        moment: where and when.
    """
    before = Population.of(slab, slots, rules)
    head = slab.head[slots]
    after = moved_on(meta, moment)
    source_offset = meta.applied_offset - 1
    gone = head["last_ms"] + rules.removal_ms <= moment.as_of_ms
    decisions = [
        before.leaving(at, user_ids, "expiry", source_offset, None)
        for at in np.flatnonzero(gone & (before.segment != NO_SEGMENT)).tolist()
    ]
    observed = before.eligible & ~gone
    if model is not None:
        by_model = queued[observed] | _retired(before.segment[observed], model)
        seen = Observation(
            slots=slots[observed],
            vectors=vectors(slab, slots[observed], moment.as_of_ms),
            causes=["model" if one else "expiry" for one in by_model.tolist()],
            source_offsets=np.full(int(observed.sum()), source_offset),
            event_ms=None,
        )
        decisions += observe(
            slab, user_ids, seen, model, weight=SWEEP_WEIGHT, as_of_ms=moment.as_of_ms
        )
    stays = slots[~gone]
    slab.clear(slots[gone])
    before.recount(after, slab)
    changes = number(decisions, after, model, partition=moment.partition, now_ms=moment.now_ms)
    return Effects(
        meta=after,
        written=slots[~gone & (slab.head[slots] != head)],
        removed=slots[gone],
        due_slots=stays,
        due_ms=next_look_ms(slab, stays, moment.as_of_ms, rules.removal_ms),
        changes=changes,
        tally=Tally.of_sweep(changes, meta.stream_ms),
    )


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


def _causes(
    before: Population,
    slots: Slots,
    by_profile: npt.NDArray[np.bool_],
    model: CompiledModel | None,
) -> list[Cause]:
    """Say why a batch's users would move.

    Whenever there is a model, an eligible user has a segment after the next look. So a user who
    was eligible before this batch and has none is waiting for the first model. And a user in a
    segment that the model does not have moves because a major version has retired it.
    """
    at = before.rows_of(slots)
    by_model = before.eligible[at] & (before.segment[at] == NO_SEGMENT)
    by_model |= _retired(before.segment[at], model)
    causes = np.where(by_model, "model", np.where(by_profile, "profile", "behaviour"))
    return causes.tolist()  # type: ignore[no-any-return]


def _retired(segment: npt.NDArray[np.int32], model: CompiledModel | None) -> npt.NDArray[np.bool_]:
    """Tell who is in a segment that the model does not have."""
    if model is None:
        return np.zeros(len(segment), np.bool_)
    return np.asarray((segment != NO_SEGMENT) & (model.rows_of(segment) < 0))


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

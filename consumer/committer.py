"""Carrying a step's effects out: one conditional write to Redis, then one Kafka transaction.

    step k      │ step k+1     │ wait for k │ step k+2 …          (the worker's thread)
                └─ Redis k → Kafka k ──────┘└─ Redis k+1 → …     (a thread of the pool)

A partition has one commit under way. The next one waits for its transaction, because it overwrites
the outbox that would repair it; the next read waits too, because Redis answers only to the meta it
has. Meanwhile the worker goes on with what it has in memory: if the commit fails, the partition is
dropped with everything that was built on it.
"""

from concurrent.futures import Executor

import numpy as np

from consumer import crash
from consumer.cache import UserCache
from consumer.effects import Effects
from consumer.meta import encode_meta
from consumer.outbox import Outbox, encode_outbox
from consumer.partition import OwnedPartition
from consumer.progress import Progress
from consumer.store import Commit
from features import codec


class Committer:
    """Writes effects, at most one commit at a time for each partition."""

    def __init__(self, cache: UserCache, pool: Executor, progress: Progress) -> None:
        """Remember where states are read from and where commits run."""
        self._cache = cache
        self._pool = pool
        self._progress = progress
        self._stages = progress.stages

    def commit(self, owned: OwnedPartition, effects: Effects, *, keeps_queue: bool = False) -> None:
        """Start carrying effects out; the partition counts as moved on from here.

        Args:
            owned: the partition.
            effects: what a step decided.
            keeps_queue: whom a new model has queued stays queued, whatever the effects say.

        Raises:
            Fenced, Away: the commit before failed; drop the partition.
        """
        with self._stages.time("encode"):
            owned.trend.add(effects.tally, effects.meta)
            outbox = Outbox(effects.changes, effects.dead)
            commit = self._commit_of(owned, effects, outbox, keeps_queue=keeps_queue)
        with self._stages.time("wait for commit"):
            owned.settle()

        def carry_out() -> None:
            crash.point("before the Redis commit")
            owned.store.commit(commit)
            crash.point("after the Redis commit")
            owned.publisher.publish(outbox, effects.samples)

        before, changes = owned.meta, len(effects.changes)
        owned.committing = self._pool.submit(carry_out)
        owned.on_committed = lambda: self._progress.count(before, effects.meta, changes)
        owned.unpublished = len(outbox.changes) + len(outbox.dead)
        owned.meta, owned.stored_meta = effects.meta, commit.new_meta
        owned.untidy = owned.untidy or bool(outbox)
        self._remember(owned, effects, due_known=not keeps_queue)

    def _commit_of(
        self, owned: OwnedPartition, effects: Effects, outbox: Outbox, *, keeps_queue: bool
    ) -> Commit:
        cache, written, removed = self._cache, effects.written, effects.removed.tolist()
        states: list[bytes] = [b""] * (2 * len(written))
        states[::2] = [cache.redis_keys[slot] for slot in written.tolist()]
        states[1::2] = codec.encode(cache.slab, written)
        # Most users are due at the same midnight as before: only what differs is sent.
        moved = cache.due_ms[effects.due_slots] != effects.due_ms
        due: list[bytes] = [b""] * (2 * int(moved.sum()))
        due[::2] = [b"%d" % ms for ms in effects.due_ms[moved].tolist()]
        due[1::2] = [cache.user_ids[slot].encode() for slot in effects.due_slots[moved].tolist()]
        trend = owned.trend.take()
        deleted = [cache.redis_keys[slot] for slot in removed]
        if trend.restart:
            deleted.append(owned.store.keys.trend.encode())
        return Commit(
            expected_meta=owned.stored_meta,
            new_meta=encode_meta(owned.nonce, effects.meta),
            outbox=encode_outbox(outbox),
            states=states,
            deleted=deleted,
            due=due,
            not_due=[cache.user_ids[slot].encode() for slot in removed],
            keeps_queue=keeps_queue,
            trend=trend.fields,
            trend_gone=trend.gone,
        )

    def _remember(self, owned: OwnedPartition, effects: Effects, *, due_known: bool) -> None:
        self._cache.due_ms[effects.due_slots] = effects.due_ms if due_known else np.nan
        self._cache.drop(effects.removed)
        if len(effects.due_ms):
            owned.next_due_ms = min(owned.next_due_ms, float(effects.due_ms.min()))

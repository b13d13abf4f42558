"""From raw records to a commit: judge, load, fold and decide, hand over to the committer.

records ─ batches ─→ judge ─→ load users ─→ step (pure) ─→ committer (Redis, then Kafka)
                        └── dead letters ─────┘
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

import numpy as np
import structlog

from consumer import crash
from consumer.allowance import Allowance
from consumer.cache import UserCache
from consumer.catch_up import step_catch_up
from consumer.committer import Committer
from consumer.config import WorkerConfig
from consumer.effects import Batch, Effects, Moment
from consumer.judge import Judged, Partitioning, judge
from consumer.partition import OwnedPartition
from consumer.population import Rules
from consumer.progress import Progress
from consumer.records import Records, batches
from consumer.step import step_batch, step_sweep
from features.columns import build_columns
from features.tiles import DAY_MS
from segments.changes import SegmentChange, rfc3339
from segments.model import CompiledModel

_log = structlog.get_logger(__name__)

# One record with the timestamp of arrival among history's ages everybody in its partition.
LEAP_DAYS = 7


class Applier:
    """Carries batches and sweeps of owned partitions through to Redis and Kafka."""

    def __init__(
        self,
        config: WorkerConfig,
        partitions: int,
        pool: Executor,
        clock: Callable[[], int],
        progress: Progress,
    ) -> None:
        """Allocate the cache.

        Args:
            config: the deployment.
            partitions: partition count of the events topic.
            pool: runs the Kafka transactions.
            clock: wall clock, ms.
            progress: counts and times what is done.
        """
        self.cache = UserCache(config.cache_users)
        self._committer = Committer(self.cache, pool, progress)
        self.model: CompiledModel | None = None
        self._config = config
        self._partitions = partitions
        self._clock = clock
        self._progress = progress
        # History is replayed as it was lived, however long that takes.
        live = config.clock == "wall"
        self._reassigning = Allowance(config.reassign_users_per_s if live else None, time.monotonic)
        self._rules = Rules(
            min_events=config.min_events,
            sample_interval_ms=config.sample_interval_s * 1000,
            removal_ms=config.removal_days * DAY_MS,
        )

    def apply(self, owned: OwnedPartition, records: Records) -> None:
        """Apply records that follow each other from the applied offset on.

        Raises:
            Fenced, Away: nothing is lost; drop the partition and take it again.
        """
        if self.cache.reset_if_crowded():
            self._progress.cache_resets += 1
        cuts = [owned.floor, *(c.source_offset for c in owned.forced if c.current is None)]
        end = int(records.offsets[-1])
        for batch in batches(
            records,
            stream_ms=owned.meta.stream_ms,
            records_max=self._config.batch_records,
            cut_after=cuts,
        ):
            # History crosses a midnight in every few batches: everybody is looked at before the
            # next day's records. Live events come first, a sweep takes its turn.
            while self.is_due(owned, is_newest=False):
                self.sweep(owned, is_newest=False)
                if self._config.clock == "wall":
                    break
            self._apply_batch(owned, batch, is_newest=int(batch.offsets[-1]) == end)

    def is_due(self, owned: OwnedPartition, *, is_newest: bool = True) -> bool:
        """Tell whether somebody can be looked at now."""
        if owned.catching_up:
            return False
        as_of_ms = self.as_of_ms(owned, owned.meta.stream_ms, is_newest=is_newest)
        if as_of_ms >= owned.next_due_ms or owned.queued is None:
            return True
        return owned.queued > 0 and self._reassigning.left != 0

    def as_of_ms(self, owned: OwnedPartition, stream_ms: int, *, is_newest: bool = True) -> int:
        """Give the time to read features at: the stream time, or the wall clock without lag."""
        as_of_ms = max(stream_ms, owned.meta.as_of_ms)
        if self._config.clock == "wall" and owned.caught_up and is_newest:
            return max(as_of_ms, self._clock())
        return as_of_ms

    def _apply_batch(self, owned: OwnedPartition, records: Records, *, is_newest: bool) -> None:
        stages = self._progress.stages
        place = Partitioning(owned.number, self._partitions, self._config.event_bytes_max)
        with stages.time("decode and judge"):
            known_here = self.cache.held_in(owned.number)
            judged = judge(records, place, stream_ms=owned.meta.stream_ms, routed=known_here)
        self._warn_of_leap(owned, judged.stream_end_ms)
        next_offset = int(records.offsets[-1]) + 1
        catching_up = int(records.offsets[0]) <= owned.floor
        forced = self._forced_before(owned, next_offset)
        with stages.time("load users"):
            self._load(owned, [*judged.user_ids, *(change.user_id for change in forced)])
        with stages.time("columns"):
            batch = self._columns(owned, judged, next_offset)
        with stages.time("fold and decide"):
            if catching_up:
                effects = self._catch_up(owned, batch, forced, is_newest=is_newest)
            else:
                effects = step_batch(
                    self.cache.slab, self.cache.user_ids, owned.meta, batch, self._model_for(owned),
                    self._rules, self._moment(owned, batch.stream_end_ms, is_newest=is_newest),
                )  # fmt: skip
        # A user whom a new model has queued is looked at once under it, whatever happens meanwhile.
        self._committer.commit(owned, effects, keeps_queue=owned.queued != 0)
        if catching_up:
            self.take_over_sweeps(owned)

    def take_over_sweeps(self, owned: OwnedPartition) -> None:
        """Take over published changes that no record still to come decided (a sweep did).

        Raises:
            Fenced, Away: as for `apply`.
        """
        while forced := self._forced_before(owned, owned.meta.applied_offset):
            self._load(owned, [change.user_id for change in forced])
            nothing = Judged.nothing(owned.meta.stream_ms)
            batch = self._columns(owned, nothing, owned.meta.applied_offset)
            effects = self._catch_up(owned, batch, forced, is_newest=False)
            self._committer.commit(owned, effects, keeps_queue=owned.queued != 0)

    def sweep(self, owned: OwnedPartition, *, is_newest: bool = True) -> int:
        """Look at up to `sweep_users` users; give how many were looked at.

        Those whose time has come go first. Those queued by a new major version follow at a
        bounded rate, so that events and subscribers are not held up behind all of them.

        Args:
            owned: the partition.
            is_newest: no record that was fetched is still to be applied.

        Raises:
            Fenced, Away: as for `apply`.
        """
        as_of_ms = self.as_of_ms(owned, owned.meta.stream_ms, is_newest=is_newest)
        owned.settle()
        limit, allowed = self._config.sweep_users, self._reassigning.left
        due = owned.store.due(
            owned.stored_meta, as_of_ms, limit, limit if allowed is None else min(limit, allowed)
        )
        owned.next_due_ms = np.inf if due.next_ms is None else due.next_ms
        owned.queued = due.queued_left
        if not due.user_ids:
            return 0
        passing = self.cache.missing(due.user_ids)
        self._load(owned, due.user_ids)
        slots = self.cache.slots(due.user_ids)
        order = np.argsort(slots)
        queued = np.array(due.scores_ms) == 0
        self._reassigning.take(int(queued.sum()))
        effects = step_sweep(
            self.cache.slab, self.cache.user_ids, owned.meta, slots[order], queued[order],
            self._model_for(owned), self._rules, Moment(owned.number, as_of_ms, self._clock()),
        )  # fmt: skip
        crash.point("during the sweep")
        self._committer.commit(owned, effects)
        # Users who came only to be looked at must not push out those who have events.
        self.cache.drop_users([user for user in passing if user in self.cache.slot_of])
        self._progress.swept += len(slots)
        return len(slots)

    def queue_everybody(self, owned: OwnedPartition) -> None:
        """Make every user of the partition due now: there is a new major version.

        Raises:
            Fenced, Away: as for `apply`.
        """
        assert self.model is not None
        meta = owned.meta.following()
        meta.model_major = self.model.model.major
        owned.write(meta, queue_everybody=True)
        crash.point("after queueing everybody")
        owned.queued = None
        self.cache.due_ms[self.cache.partition == owned.number] = np.nan

    def _catch_up(
        self,
        owned: OwnedPartition,
        batch: Batch,
        forced: Sequence[SegmentChange],
        *,
        is_newest: bool,
    ) -> Effects:
        slots = self.cache.slots([change.user_id for change in forced])
        moment = self._moment(owned, batch.stream_end_ms, is_newest=is_newest)
        pairs = list(zip(slots.tolist(), forced, strict=True))
        effects = step_catch_up(self.cache.slab, owned.meta, batch, pairs, self._rules, moment)
        crash.point("during catch-up")
        return effects

    def _forced_before(self, owned: OwnedPartition, next_offset: int) -> list[SegmentChange]:
        """Take out the next published changes that records below `next_offset` decided.

        At most `sweep_users`: a sweep may have moved more users than the cache holds, all of them
        at one offset. The rest follows in commits without records (`take_over_sweeps`).
        """
        forced: list[SegmentChange] = []
        while (
            owned.forced
            and owned.forced[0].source_offset < next_offset
            and len(forced) < self._config.sweep_users
        ):
            forced.append(owned.forced.popleft())
        return forced

    def _warn_of_leap(self, owned: OwnedPartition, stream_ms: int) -> None:
        before_ms = owned.meta.stream_ms
        if before_ms and stream_ms - before_ms > LEAP_DAYS * DAY_MS:
            _log.warning(
                "stream time leaps: whoever has been silent so long is moved or removed",
                partition=owned.number,
                from_time=rfc3339(before_ms),
                to_time=rfc3339(stream_ms),
            )

    def _model_for(self, owned: OwnedPartition) -> CompiledModel | None:
        """Give the model to decide with; none while ours is of an older major than the users'."""
        model = self.model
        return model if model and model.model.major >= owned.meta.model_major else None

    def _load(self, owned: OwnedPartition, user_ids: Sequence[str]) -> None:
        missing = self.cache.missing(user_ids)
        if missing:
            owned.settle()  # Redis answers only to the meta that it has
            prefix = owned.store.keys.user_prefix
            states = owned.store.read(
                owned.stored_meta, [prefix + user_id.encode() for user_id in missing]
            )
            self.cache.admit(owned.store.keys, missing, states, keep=user_ids)

    def _columns(self, owned: OwnedPartition, judged: Judged, next_offset: int) -> Batch:
        columns = build_columns(
            judged.events,
            self.cache.slots(judged.user_ids),
            judged.stream_ms,
            self.cache.slab.interests,
            time_ms=judged.times_ms,
        )
        return Batch(
            columns=columns,
            offsets=judged.offsets,
            next_offset=next_offset,
            stream_end_ms=judged.stream_end_ms,
            dead=judged.dead,
            dead_floor=owned.dead_floor,
        )

    def _moment(self, owned: OwnedPartition, stream_ms: int, *, is_newest: bool) -> Moment:
        as_of_ms = self.as_of_ms(owned, stream_ms, is_newest=is_newest)
        return Moment(owned.number, as_of_ms, self._clock())

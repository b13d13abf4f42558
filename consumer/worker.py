"""The worker: feeds its partitions batch by batch and sweeps whoever is due.

One turn of the loop: fetch → take a newer model → apply each partition's records → sweep → take
waiting partitions again → once a second, commit offsets and compare idle partitions with Redis.
"""

import contextlib
import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
import structlog

from consumer.applier import Applier
from consumer.backlog import Backlog, Standing
from consumer.clock import wall_clock_ms
from consumer.config import WorkerConfig
from consumer.errors import Away, Fenced, KafkaAway, RedisAway
from consumer.group import Group
from consumer.health import Health
from consumer.lost_markers import hanging
from consumer.models import ModelFeed, mirror_model
from consumer.outages import Outages
from consumer.ownership import Ownership
from consumer.partition import OwnedPartition
from consumer.partitions import Partitions
from consumer.progress import Progress
from consumer.readback import ReadBack
from consumer.records import Records
from consumer.redis_client import open_redis
from consumer.setup import prepare, write_topology
from consumer.vitals import Vitals
from segments.model import CompiledModel, SegmentModel

_log = structlog.get_logger(__name__)

POLL_S = 0.1  # how long an idle worker waits for a record
HOUSEKEEPING_S = 1.0  # how often offsets are committed and idle partitions compared with Redis
# Tens of thousands of short-lived records and events a second, none of them in a cycle: with the
# default threshold of 700 the collector looks at them for a tenth of the time and finds nothing.
GC_THRESHOLDS = (50_000, 20, 50)

POOL_THREADS = 16  # transactions and ownerships under way at once; they mostly wait for a broker

P = ParamSpec("P")
R = TypeVar("R")


class Worker:
    """One process's share of the events topic."""

    def __init__(self, config: WorkerConfig, *, clock: Callable[[], int] = wall_clock_ms) -> None:
        """Check that everything is in place and connect; the group is joined by `run`.

        Args:
            config: the deployment.
            clock: wall clock, ms.

        Raises:
            ServiceUnavailable, NotSetUp, ProtectsData: see `setup.prepare`.
        """
        self.config = config
        self.progress = Progress()
        self.health = Health()
        self._outages = Outages(self.health, config.outage_limit_s)
        self._clock = clock
        self._troubles = 0
        self._redis = client = open_redis(config.redis_url, timeout_s=config.redis_timeout_s)
        self._partition_count = partition_count = prepare(config, client)
        self._read_back = ReadBack(config)
        with contextlib.suppress(KafkaAway):  # only to be quick later
            self._read_back.warm()
        self._feed = ModelFeed(config.kafka, config.topics.models)
        self._pool = ThreadPoolExecutor(POOL_THREADS, thread_name_prefix="partition")
        ownership = Ownership(config, client, self._read_back, clock)
        self._partitions = Partitions(ownership.take, self._pool, self._outages)
        self._applier = Applier(config, partition_count, self._pool, clock, self.progress)
        self._group = Group(
            config,
            self._partitions,
            self._outages,
            self.progress,
            on_taken=self._on_taken,
            on_gone=self._on_gone,
        )
        self.vitals = Vitals(config, self.progress, self.health, self._partitions, clock)
        self._backlog = Backlog(in_step=config.clock == "event")
        self._shared_keys_due = False
        self._idle_since_s: float | None = None
        self._housekept_s = 0.0

    @property
    def owned(self) -> dict[int, OwnedPartition]:
        """The partitions held now."""
        return self._partitions.owned

    @property
    def idle_s(self) -> float:
        """For how long nothing has been left to read, decide, publish or look at."""
        return 0.0 if self._idle_since_s is None else time.monotonic() - self._idle_since_s

    def run(self, stop: threading.Event, *, until_idle_s: float | None = None) -> Progress:
        """Work until `stop` is set, or until nothing has been left to do for so long.

        Raises:
            ServiceUnavailable: Kafka or Redis stayed away beyond the outage limit.
            ProtectsData: going on would damage or lose data.
        """
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        try:
            self._feed.catch_up()
            if self._feed.newest is not None:
                self._adopt(self._feed.newest)
            self._group.join()
            while not stop.is_set():
                self._turn()
                if until_idle_s is not None and self.idle_s >= until_idle_s:
                    break
        finally:
            self._group.leave()
            self._pool.shutdown()
            self._feed.close()
            self._read_back.close()
        return self.progress

    def _turn(self) -> None:
        due = any(self._applier.is_due(owned) for owned in self.owned.values())
        with self.progress.stages.time("fetch"):
            news = self._group.fetch(0 if due else POLL_S)
        newest = self._feed.poll()
        if newest is not None:
            self._adopt(newest)
        for number, records in news.records.items():
            self.progress.note_work()
            self._guarded(number, self._queue, records)
        self._apply_backlog()
        swept = self._sweep_all()
        self._group.take_again()
        if time.monotonic() - self._housekept_s >= HOUSEKEEPING_S:
            self._housekept_s = time.monotonic()
            self._keep_house()
        self._note_idle(busy=bool(news.records) or len(self._backlog) > 0 or swept > 0)
        self._note_health()
        self._outages.check()

    def _sweep_all(self) -> int:
        """Look at whoever is due; give how many were looked at."""
        swept, troubles = 0, self._troubles
        for number in list(self.owned):
            swept += self._guarded(number, self._sweep) or 0
            if self._troubles > troubles:
                break
        return swept

    def _keep_house(self) -> None:
        for number in list(self.owned):
            self._guarded(number, self._look_after)
            if self._partitions.waiting:
                break  # Redis is away: one time-out tells it for all
        if self._shared_keys_due and not self._partitions.waiting:
            self._write_shared_keys()
        self._group.commit_hints()
        self._group.look_around()

    def _guarded(
        self,
        number: int,
        work: Callable[Concatenate[OwnedPartition, P], R],
        *arguments: P.args,
        **options: P.kwargs,
    ) -> R | None:
        """Do something with a partition; when its memory may be wrong afterwards, drop it."""
        owned = self.owned.get(number)
        if owned is None:
            return None
        try:
            return work(owned, *arguments, **options)
        except (Fenced, Away) as error:
            # Each failure may have cost a time-out; the group is to be heard before the next.
            self._troubles += 1
            self._group.drop(number, error)
            if isinstance(error, RedisAway):
                # One Redis serves them all: each would wait for a time-out of its own, and fetch
                # on into memory until then.
                for other in list(self.owned):
                    self._group.drop(other, error)
            return None

    def _on_taken(self, owned: OwnedPartition) -> None:
        self.progress.taken += 1
        self._shared_keys_due = True  # Redis may have lost them together with what it had of this
        before = self._partitions.counted.pop(owned.number, None)
        if before is not None and owned.meta.outcomes.records > before.outcomes.records:
            # A commit whose outcome was unknown came through.
            self.progress.count(before, owned.meta, owned.meta.sequence - before.sequence)
        self._guarded(owned.number, self._applier.take_over_sweeps)

    def _write_shared_keys(self) -> None:
        """Write what stands in Redis beside the partitions: a Redis that went back lost it too."""
        try:
            write_topology(self.config, self._redis, self._partition_count)
            if self._feed.newest is not None:
                mirror_model(self._redis, self.config.namespace, self._feed.newest)
        except RedisAway:
            return  # due as before; a partition will notice and wait
        self._shared_keys_due = False

    def _on_gone(self, number: int) -> None:
        self._backlog.drop(number)
        self._applier.cache.drop_partition(number)

    def _queue(self, owned: OwnedPartition, records: Records) -> None:
        """Put fetched records into the backlog, checked to follow each other."""
        assert (np.diff(records.offsets) > 0).all(), "offsets of a partition rise strictly"
        first = int(np.searchsorted(records.offsets, owned.next_offset))
        records = records.part(first, len(records))
        if len(records):
            self._check_gap(owned, int(records.offsets[0]))
            owned.next_offset = int(records.offsets[-1]) + 1
            self._note_pause(owned, int(records.timestamps_ms[0]))
            self._backlog.add(owned.number, records)

    def _note_pause(self, owned: OwnedPartition, first_ms: int) -> None:
        """Measure how long a partition that was moved here has stood still."""
        if owned.is_moved and self.config.clock == "wall":
            self.progress.pauses.add(max(0.0, (self._clock() - first_ms) / 1000))
        owned.is_moved = False

    def _apply_backlog(self) -> None:
        troubles = self._troubles
        while self._troubles == troubles:
            standings = {
                number: Standing(owned.meta.stream_ms, owned.caught_up)
                for number, owned in self.owned.items()
            }
            taken = self._backlog.next(standings, time.monotonic())
            if taken is None:
                break
            self._guarded(taken[0], self._applier.apply, taken[1])
        self._group.pause(self._backlog.to_hold())
        self._group.resume(self._backlog.to_release())

    def _check_gap(self, owned: OwnedPartition, offset: int) -> None:
        """Believe a hole in the offsets only if a fresh reader sees it too.

        Holes are normal (control records, aborted and compacted ones), so "previous + 1" is the
        wrong check; but a client that skips records looks the same. A hole right after a partition
        was taken is always confirmed, of the others the 1st, 2nd, 4th, 8th …
        """
        expected = owned.next_offset
        is_first, owned.gap_trusted = not owned.gap_trusted, True
        if offset == expected:
            return
        self.progress.gaps += 1
        if is_first or self.progress.gaps & (self.progress.gaps - 1) == 0:
            found = self._read_back.next_offset(self.config.topics.events, owned.number, expected)
            if found != offset:
                why = f"the fetch went on at offset {offset}, the log has {found} after {expected}"
                raise Fenced(owned.number, why)

    def _sweep(self, owned: OwnedPartition) -> int:
        owned.settle_if_done()
        model = self._applier.model
        if model and not owned.catching_up and model.model.major > owned.meta.model_major:
            self._applier.queue_everybody(owned)
        return self._applier.sweep(owned) if self._applier.is_due(owned) else 0

    def _adopt(self, newest: SegmentModel) -> None:
        self._applier.model = CompiledModel(newest)
        self.vitals.model = newest
        self._shared_keys_due = True
        _log.info("model taken", version=newest.version, segments=len(newest.ids))

    def _look_after(self, owned: OwnedPartition) -> None:
        """Tidy an idle partition; notice a Redis that restarted with a shorter log meanwhile."""
        owned.settle_if_done()
        if owned.committing is not None:
            return
        if owned.store.meta() != owned.stored_meta:
            raise Fenced(owned.number, "Redis holds another state than this worker wrote")
        if owned.caught_up and not owned.forced and not self._backlog.has(owned.number):
            if owned.untidy and hanging(self._read_back, owned.number):
                raise Fenced(owned.number, "Kafka has lost the end of what was published last")
            owned.tidy()

    def _note_health(self) -> None:
        health, waiting = self.health, len(self._partitions.waiting)
        health.turned_s = time.monotonic()
        if not self._group.joined:
            health.blocked = "the group has not said yet which partitions are this worker's"
        elif waiting:
            health.blocked = f"{waiting} of its {waiting + len(self.owned)} partitions wait"
        else:
            health.blocked = None

    def _note_idle(self, *, busy: bool) -> None:
        owned = self.owned.values()
        if busy or any(one.committing is not None for one in owned):
            self.progress.note_work()
        done = (
            self._group.joined
            and not busy
            and not self._partitions.waiting
            and not self._shared_keys_due
            and self._feed.caught_up
            and all(one.caught_up and one.committing is None for one in owned)
            and not any(one.queued or self._applier.is_due(one) for one in owned)
        )
        if not done:
            self._idle_since_s = None
        elif self._idle_since_s is None:
            self._idle_since_s = time.monotonic()

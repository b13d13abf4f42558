"""A worker's life on services in memory: the real protocol, with everything going wrong by lot.

Real: ownership, read-back's comparison, seeding, cutting, judging, cache, fold, decisions,
catch-up, sweeps, commits' contents, the partition's bookkeeping. Stood in for: Redis, Kafka,
threads, clocks.
"""

from contextlib import suppress
from random import Random
from typing import Any, cast
from unittest.mock import patch

from consumer import ownership as ownership_module
from consumer.applier import Applier
from consumer.config import Clock, WorkerConfig
from consumer.errors import Away, ConsumerError, Fenced
from consumer.keys import PartitionKeys
from consumer.ownership import Ownership
from consumer.partition import OwnedPartition
from consumer.progress import Progress
from features.tiles import HOUR_MS
from producer.kafka import KafkaConnection
from segments.model import CompiledModel
from tests.consumer.lives import LogRecord, as_records
from tests.consumer.services_in_memory import (
    Crash,
    Faults,
    MemoryKafka,
    MemoryPool,
    MemoryPublisher,
    MemoryReadBack,
    MemoryRedis,
    MemoryStore,
    Pending,
)
from tests.segments.models import model_with

FAULTY_TURNS_MAX = 30
TURNS_MAX = 5_000


def releases() -> list[CompiledModel]:
    """A first model, a refinement, and a new major version with a segment of its own."""

    def release(shift: float, **over: Any) -> CompiledModel:
        centroids = [[0.0 + shift, 0.3], [1.5, 0.0], [4.0, 0.5 - shift]]
        features = ("followed_accounts", "page_views_per_day")
        fields = {"features": features, "transforms": ("log1p",) * 2, "prior_weights": (0.0, 1.0)}
        return CompiledModel(model_with(centroids, **(fields | over)))

    return [release(0.0), release(0.2, minor=1), release(0.4, major=2, ids=(1, 4, 3))]


class Simulation:
    """One partition, from its first record to the last."""

    def __init__(self, random: Random, log: list[LogRecord]) -> None:
        self.random, self.log = random, log
        self.offsets = [one.offset for one in log]
        self.faults = Faults(random, chance=random.choice([0.0, 0.05, 0.3]))
        self.redis_loses = random.choice([0.0, 0.05, 0.2])
        batch, sweep = random.randint(1, 12), random.randint(1, 5)
        # Published sweeps of any number are taken over at once: room for everybody after a loss.
        self.config = WorkerConfig(
            kafka=KafkaConnection("nowhere"),
            redis_url="nowhere",
            clock=cast("Clock", random.choice(["wall", "event"])),
            min_events=3,
            batch_records=batch,
            sweep_users=sweep,
            cache_users=batch + sweep + (20 if self.faults.chance or self.redis_loses else 0),
        )
        self.redis, self.kafka = MemoryRedis(), MemoryKafka()
        self.keys = PartitionKeys(self.config.namespace, 0)
        self.models = releases()
        self.released = 0
        self.pending: list[Pending] = []  # commits of owners that are no more
        self.owned: OwnedPartition | None = None
        self.start_worker()

    @property
    def now_ms(self) -> int:
        """The wall clock: an hour after the newest record fetched."""
        return max(one.timestamp_ms for one in self.log[: self.position or 1]) + HOUR_MS

    def start_worker(self) -> None:
        self.position = 0
        self.drop()
        self.pool = MemoryPool(self.random)
        self.applier = Applier(self.config, 1, self.pool, lambda: self.now_ms, Progress())

    def drop(self) -> None:
        """Forget what is in memory; a commit under way may still come through, at any time."""
        if self.owned is not None:
            self.applier.cache.drop_partition(0)
            if self.owned.committing is not None:
                self.pending.append(cast("Pending", self.owned.committing))
        self.owned = None

    def run(self) -> None:
        """Read the whole log with faults, then whatever is left without."""
        for _ in range(FAULTY_TURNS_MAX):
            self.disturb()
            self.turn()
            if self.position == len(self.log) and self.random.random() < 0.2:
                break
        self.faults.chance = self.redis_loses = 0.0
        self.released = len(self.models)
        for _ in range(TURNS_MAX):
            self.turn()
            if self.is_idle():
                break
        else:
            raise AssertionError("the worker never came to rest")

    def is_idle(self) -> bool:
        owned = self.owned
        if owned is None or self.position < len(self.log) or owned.committing is not None:
            return False
        return not self.wants_look(owned)

    def wants_look(self, owned: OwnedPartition) -> bool:
        model = self.applier.model
        is_new = model is not None and model.model.major > owned.meta.model_major
        return is_new or self.applier.is_due(owned)

    def disturb(self) -> None:
        if self.pending and self.random.random() < 0.5:
            with suppress(ConsumerError, Crash):
                self.pending.pop().result()
        if self.random.random() < self.redis_loses:
            self.redis.lose(self.random.choice([1, 1, 2, 5, 20, 10_000]))
        if self.released < len(self.models) and self.random.random() < 0.05:
            self.released += 1
        if self.random.random() < self.faults.chance / 5:
            self.start_worker()

    def turn(self) -> None:
        """One turn of the worker's loop."""
        try:
            if self.owned is None:
                self.take()
            self.work(cast("OwnedPartition", self.owned))
        except Crash:
            self.start_worker()
        except (Fenced, Away):
            self.drop()

    def take(self) -> None:
        read_back = cast("Any", MemoryReadBack(self.kafka, self.offsets[-1] + 1))
        ownership = Ownership(self.config, None, read_back, lambda: self.now_ms)
        publisher = lambda *_: MemoryPublisher(self.kafka, self.faults)  # noqa: E731
        store = lambda *_: MemoryStore(self.redis, self.keys, self.faults)  # noqa: E731
        with (
            patch.object(ownership_module, "Publisher", publisher),
            patch.object(ownership_module, "PartitionStore", store),
        ):
            self.owned = ownership.take(0)
        applied = self.owned.meta.applied_offset
        self.position = sum(offset < applied for offset in self.offsets)
        self.applier.take_over_sweeps(self.owned)

    def work(self, owned: OwnedPartition) -> None:
        fetched = self.log[self.position : self.position + self.random.randint(0, 25)]
        self.position += len(fetched)
        owned.caught_up = self.position == len(self.log)
        if self.released:
            self.applier.model = self.models[self.released - 1]
        if fetched:
            self.applier.apply(owned, as_records(fetched))
        if self.random.random() < 0.5:
            owned.settle()
        model = self.applier.model
        if model and not owned.catching_up and model.model.major > owned.meta.model_major:
            self.applier.queue_everybody(owned)
        if self.applier.is_due(owned):
            self.applier.sweep(owned)
        if owned.committing is None and owned.store.meta() != owned.stored_meta:
            raise Fenced(owned.number, "Redis holds another state")

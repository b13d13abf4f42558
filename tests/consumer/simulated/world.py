"""Workers, Kafka, Redis and time, moved by a schedule. The workers are the real ones.

Real: `consumer.worker` and all it drives (group, ownership, read-back, seeding, judging, step,
committer, publisher, store). Stood in for: the clients of Kafka and Redis, threads, clocks.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any, cast

from confluent_kafka import KafkaException

from consumer.config import Clock, WorkerConfig
from consumer.errors import ServiceUnavailable
from consumer.keys import PartitionKeys
from consumer.worker import Worker
from features.tiles import HOUR_MS
from producer.kafka import KafkaConnection
from segments.model import SegmentModel
from tests.consumer.simulated.broker import Entry, MemoryBroker, MemoryProducer
from tests.consumer.simulated.consumers import Coordinator, Input, MemoryMember, MemoryReader
from tests.consumer.simulated.faults import Crash, Faults
from tests.consumer.simulated.redis import MemoryRedis, MemoryRedisClient
from tests.consumer.simulated.schedule import EVERYTHING, WORKERS, Act, Schedule
from tests.consumer.simulated.threads import Pending, pause
from tests.segments.models import model_with

TURNS_MAX = 400  # without faults, until nothing is left to do
TURN_S = 1.0


@cache
def releases() -> list[SegmentModel]:
    """A first model, a refinement, and a new major version with a segment of its own."""

    def release(shift: float, **over: Any) -> SegmentModel:
        centroids = [[0.0 + shift, 0.3], [1.5, 0.0], [4.0, 0.5 - shift]]
        features = ("followed_accounts", "page_views_per_day")
        fields = {"features": features, "transforms": ("log1p",) * 2, "prior_weights": (0.0, 1.0)}
        return model_with(centroids, **(fields | over))

    return [release(0.0), release(0.2, minor=1), release(0.4, major=2, ids=(1, 4, 3))]


@dataclass(eq=False)
class Process:
    """One worker's process: dead, or alive with everything it has in memory."""

    number: int
    lots: Random = field(default_factory=lambda: Random(0))
    worker: Worker | None = None
    member: MemoryMember | None = None
    commits: list[Pending] = field(default_factory=list)


class World:
    """One partition, from its first record to the last."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.monotonic_s = 1_000.0
        self.network: list[Callable[[], object]] = []
        self.faults = Faults(self._sleep, pause, self.network)
        self.config = WorkerConfig(
            kafka=KafkaConnection("nowhere"),
            redis_url="nowhere",
            clock=cast("Clock", schedule.clock),
            min_events=3,
            batch_records=schedule.batch_records,
            sweep_users=schedule.sweep_users,
            cache_users=schedule.batch_records + schedule.sweep_users,
        )
        self.keys = PartitionKeys(self.config.namespace, 0)
        self.redis, self.broker, self.coordinator = MemoryRedis(), MemoryBroker(), Coordinator()
        self.events = Input(self.config.topics.events, schedule.log, trailing=schedule.trailing)
        self.processes = [Process(number) for number in range(WORKERS)]
        self.released = 0
        self.nonces = 0
        self._running: list[Process] = []

    @property
    def running(self) -> Process:
        """The process that is at work now; the last in a row of which the others sleep."""
        return self._running[-1]

    def now_ms(self) -> int:
        """The wall clock: an hour after the newest record written."""
        log = self.schedule.log
        return max(one.timestamp_ms for one in log[: self.events.visible or 1]) + HOUR_MS

    def wait(self, seconds: float) -> None:
        self.monotonic_s += seconds

    def run(self) -> None:
        """Let the acts happen; then, without faults, let everybody finish."""
        for act in self.schedule.acts:
            self._act(act)
        self.faults.disarm()
        self.faults.off = True
        self.events.visible = len(self.schedule.log)
        self.released = len(releases())
        self._close_strangers()
        for turn in range(TURNS_MAX):
            self._deliver()
            self._straggle()
            for process in self.processes:
                if process.worker is not None or process.number == 0:
                    self._turn(process, turn)
            if self._is_at_rest():
                return
        raise AssertionError("the workers never came to rest")

    def _is_at_rest(self) -> bool:
        holders = [p for p in self.processes if p.worker and p.member is self.coordinator.holder]
        return (
            not self.network
            and any(p.worker.idle_s > 0 for p in holders if p.worker)
            and all(one.done() for process in self.processes for one in process.commits)
            and all(p.member in self.coordinator.members for p in self.processes if p.worker)
        )

    # --- acts -----------------------------------------------------------------------------------

    def _act(self, act: Act) -> None:
        process = self.processes[act.number % WORKERS]
        match act.kind:
            case "turn":
                self._turn(process, act.lot)
            case "arm":
                self.faults.arm(act.effect, act.fault)
            case "write":
                self.events.visible = min(len(self.schedule.log), self.events.visible + act.number)
            case "release":
                self.released = min(self.released + 1, len(releases()))
            case "lose":
                self.faults.note(
                    "Redis emptied" if act.number == EVERYTHING else "Redis loses writes"
                )
                self.redis.lose(act.number)
            case "arrive":
                self._deliver()
            case "straggle":
                self._straggle()
            case "open":
                self.faults.note("a stranger's transaction")
                epoch = self.broker.fence("a stranger")
                topic = self.config.topics.changes
                self.broker.append("a stranger", epoch, topic, 0, Entry(None))
            case "close":
                self._close_strangers()
            case _:
                self._act_on_worker(act.kind, process)

    def _act_on_worker(self, kind: str, process: Process) -> None:
        if process.worker is None or process.member is None:
            if kind == "move":
                self._guarded(process, lambda: self._start(process))
            return
        self.faults.note(f"{kind} a worker")
        match kind:
            case "kill":
                self._die(process)
            case "leave":
                worker = process.worker
                self._guarded(process, worker._group.leave)
                self._die(process)
            case "move":
                self.coordinator.heir = process.member
            case "evict":
                self.coordinator.remove(process.member)

    def _turn(self, process: Process, lot: int) -> None:
        process.lots.seed(lot)
        self.wait(TURN_S)
        if process.worker is None:
            self._guarded(process, lambda: self._start(process))
        if process.worker is not None:
            self._guarded(process, process.worker._turn)

    def _start(self, process: Process) -> None:
        process.worker = worker = Worker(self.config, clock=self.now_ms)
        worker._feed.catch_up()
        if worker._feed.newest is not None:
            worker._adopt(worker._feed.newest)
        worker._group.join()

    def _guarded(self, process: Process, work: Callable[[], object]) -> None:
        """Let a process work until it is done or dead."""
        self._running.append(process)
        try:
            work()
        except (Crash, ServiceUnavailable):
            self._die(process)
        finally:
            self._running.pop()

    def _die(self, process: Process) -> None:
        if process.member is not None:
            self.coordinator.remove(process.member)
        process.worker = process.member = None
        for pending in process.commits:
            with suppress(Crash):
                pending.end()
        process.commits.clear()

    def _sleep(self) -> None:
        """The running process stops here past its session; the others take over."""
        sleeper = self.running
        if len(self._running) > 1 or sleeper.member is None:
            return
        self.coordinator.remove(sleeper.member)
        for number in range(sleeper.lots.randint(1, 6)):
            awake = [process for process in self.processes if process is not sleeper]
            self._turn(sleeper.lots.choice(awake[:1] * 3 + awake), sleeper.lots.randrange(1000))
            if number == 0 and sleeper.lots.random() < 0.5:
                self.events.visible = min(len(self.schedule.log), self.events.visible + 3)

    def _deliver(self) -> None:
        if self.network:
            with suppress(KafkaException):  # nobody hears the answer
                self.network.pop(0)()

    def _straggle(self) -> None:
        for process in self.processes:
            process.commits[:] = [one for one in process.commits if not one.done()]
            for pending in list(process.commits):
                self._guarded(process, pending.run)

    def _close_strangers(self) -> None:
        self.broker.fence("a stranger")

    # --- what a worker is given -----------------------------------------------------------------

    def redis_client(self) -> MemoryRedisClient:
        return MemoryRedisClient(self.redis, self.faults)

    def producer(self, config: dict[str, Any]) -> MemoryProducer:
        return MemoryProducer(self.broker, self.faults, config)

    def reader(self, config: dict[str, Any]) -> MemoryReader:
        return MemoryReader(self.broker, self.events, self.faults, self.wait, config)

    def member(self) -> MemoryMember:
        process = self.running
        process.member = MemoryMember(
            self.coordinator, self.events, self.faults, self.wait, lambda: process.lots
        )
        return process.member

    def nonce(self) -> str:
        self.nonces += 1
        return f"nonce {self.nonces}"

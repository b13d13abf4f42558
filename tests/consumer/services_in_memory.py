"""Stand-ins for one partition's Redis and Kafka: dictionaries and lists that forget and fence.

They answer as the real ones do (`consumer/scripts/*.lua`, transactions with an epoch); the tests in
`tests/services` and the integration tests use those. Nothing here waits for anything.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Any

from consumer.dead_letters import DeadLetter
from consumer.errors import Fenced, PublishFailed, RedisAway
from consumer.keys import PartitionKeys
from consumer.outbox import Outbox, membership_of
from consumer.store import Commit, DueUsers
from segments.changes import Membership, SegmentChange, decode_change, encode_change


class Crash(Exception):
    """The process died here: what it had in memory is gone."""


@dataclass
class Faults:
    """Whether something goes wrong at the next opportunity, and what."""

    random: Random
    chance: float = 0.0

    def choice(self, *names: str) -> str | None:
        return self.random.choice(names) if self.random.random() < self.chance else None


@dataclass
class MemoryRedis:
    """One partition's keys; every commit is remembered, so that the last ones can be lost."""

    values: dict[bytes, bytes] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    history: list[tuple[dict[bytes, bytes], dict[str, float]]] = field(
        default_factory=lambda: [({}, {})]
    )

    def written(self) -> None:
        self.history.append((dict(self.values), dict(self.due)))

    def lose(self, writes: int) -> None:
        """Lose the last writes; all of them: Redis was emptied."""
        self.history = self.history[: max(1, len(self.history) - writes)]
        values, due = self.history[-1]
        self.values, self.due = dict(values), dict(due)


class MemoryStore:
    """`PartitionStore` on a `MemoryRedis`."""

    def __init__(self, redis: MemoryRedis, keys: PartitionKeys, faults: Faults) -> None:
        self.keys = keys
        self._redis, self._faults = redis, faults
        self._meta, self._outbox = keys.meta.encode(), keys.outbox.encode()

    def ping(self) -> None:
        """Always there."""

    def own(self, nonce: str) -> tuple[bytes, bytes]:
        values = self._redis.values
        body = values.get(self._meta, b"").partition(b"\n")[2]
        values[self._meta] = nonce.encode() + b"\n" + body
        self._redis.written()
        return values[self._meta], values.get(self._outbox, b"")

    def read(self, expected_meta: bytes, user_keys: Sequence[bytes]) -> list[bytes | None]:
        self._check(expected_meta)
        return [self._redis.values.get(key) for key in user_keys]

    def due(self, expected_meta: bytes, as_of_ms: int, limit: int, queued_max: int) -> DueUsers:
        self._check(expected_meta)
        entries = sorted((ms, user) for user, ms in self._redis.due.items())
        queued = [(ms, user) for ms, user in entries if ms <= 0]
        timed = entries[len(queued) :]
        found = [(ms, user) for ms, user in timed if ms <= as_of_ms][:limit]
        following = timed[len(found)][0] if len(found) < len(timed) else None
        taken = queued[: min(limit - len(found), queued_max)]
        found += taken
        users, scores = [user for _, user in found], [ms for ms, _ in found]
        return DueUsers(users, scores, following, len(queued) - len(taken))

    def commit(self, commit: Commit) -> None:
        fault = self._faults.choice("unanswered before", "unanswered after")
        if fault == "unanswered before":
            raise RedisAway(fault)
        redis = self._redis
        self._check(commit.expected_meta)
        redis.values |= zip(commit.states[::2], commit.states[1::2], strict=True)
        for key in commit.deleted:
            redis.values.pop(key, None)
        for ms, user in zip(commit.due[::2], commit.due[1::2], strict=True):
            earlier = redis.due.get(user.decode(), inf) if commit.keeps_queue else inf
            redis.due[user.decode()] = min(float(ms), earlier)
        for user in commit.not_due:
            redis.due.pop(user.decode(), None)
        if commit.queue_everybody:
            redis.due = dict.fromkeys(redis.due, 0.0)
        redis.values[self._outbox] = commit.outbox
        redis.values[self._meta] = commit.new_meta
        redis.written()
        if fault is not None:
            raise RedisAway(fault)

    def meta(self) -> bytes | None:
        return self._redis.values.get(self._meta)

    def _check(self, expected_meta: bytes) -> None:
        if self.meta() != expected_meta:
            raise Fenced(self.keys.partition, "Redis holds another state")


@dataclass
class MemoryKafka:
    """The output topics of one partition, and who may write to them."""

    changes: list[bytes] = field(default_factory=list)
    memberships: dict[str, Membership] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    samples: list[bytes] = field(default_factory=list)
    epoch: int = 0

    def all_changes(self) -> list[SegmentChange]:
        return [decode_change(value) for value in self.changes]


class MemoryPublisher:
    """`Publisher` into a `MemoryKafka`: all of a transaction or nothing, unless fenced."""

    def __init__(self, kafka: MemoryKafka, faults: Faults) -> None:
        self._kafka, self._faults = kafka, faults
        self._epoch = -1

    def fence(self) -> None:
        self._kafka.epoch += 1
        self._epoch = self._kafka.epoch

    def publish(self, outbox: Outbox, samples: Sequence[bytes] = ()) -> None:
        if not outbox and not samples:
            return
        fault = self._faults.choice("died before", "failed before", "died after", "failed after")
        if fault == "died before":
            raise Crash(fault)
        if fault == "failed before" or self._epoch != self._kafka.epoch:
            raise PublishFailed(0, fault or "fenced")
        for change in outbox.changes:
            self._kafka.changes.append(encode_change(change))
            membership = membership_of(change)
            if membership is None:
                self._kafka.memberships.pop(change.user_id, None)
            else:
                self._kafka.memberships[change.user_id] = membership
        self._kafka.dead += outbox.dead
        self._kafka.samples += samples
        if fault == "died after":
            raise Crash(fault)
        if fault == "failed after":
            raise PublishFailed(0, fault)


@dataclass(frozen=True)
class MemoryReadBack:
    """`ReadBack` from a `MemoryKafka`, whose events topic has these watermarks."""

    kafka: MemoryKafka
    log_end: int

    def watermarks(self, _topic: str, _partition: int) -> tuple[int, int]:
        return 0, self.log_end

    def changes_after(self, _partition: int, sequence: int) -> tuple[list[SegmentChange], int]:
        changes = self.kafka.all_changes()
        last = changes[-1].sequence if changes else 0
        return [change for change in changes if change.sequence > sequence], last

    def last_dead_offset(self, _partition: int) -> int:
        return self.kafka.dead[-1].offset if self.kafka.dead else -1

    def memberships(self, _partition: int) -> dict[str, Membership]:
        return dict(self.kafka.memberships)


class Pending(Future[None]):
    """Work that is done when somebody waits for it, at the latest."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work

    def run(self) -> None:
        if not self.done():
            try:
                self._work()
            except Exception as error:  # noqa: BLE001 -- as an executor does
                self.set_exception(error)
            else:
                self.set_result(None)

    def result(self, timeout: float | None = None) -> None:
        self.run()
        super().result(timeout)


class MemoryPool(Executor):
    """Does work at once or as late as possible, by lot: both ends of what a thread may do."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.last: Pending | None = None

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Any:
        self.last = Pending(lambda: work(*arguments, **options))
        if self._random.random() < 0.5:
            self.last.run()
        return self.last

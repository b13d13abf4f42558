"""Kafka consumers in memory: the reader of read-back, and a member of a group with one partition.

The group has one partition, so one member holds it. A member hears of a rebalance inside `poll` or
`consume`, like with librdkafka; one that slept through its session goes on from memory until it
hears that it is out.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import Any, Protocol

from confluent_kafka import OFFSET_END, KafkaError, KafkaException, Message, TopicPartition

from tests.consumer.lives import LogRecord
from tests.consumer.simulated.broker import Entry, MemoryBroker, is_committed
from tests.consumer.simulated.faults import Faults

_NO_MESSAGE_COSTS_S = 5.0  # so that a reader that can get no further soon reaches its deadline
_OFFSET = attrgetter("offset")


class Lots(Protocol):
    """The part of `random.Random` that decides what a client does within a turn."""

    def random(self) -> float: ...
    def randint(self, a: int, b: int) -> int: ...


@dataclass
class Input:
    """The events topic's one partition, growing."""

    topic: str
    log: tuple[LogRecord, ...]
    visible: int = 0  # so many records have been written so far
    trailing: int = 0  # offsets that markers take up behind the last record

    @property
    def end(self) -> int:
        last = self.log[self.visible - 1].offset + 1 if self.visible else 0
        return last + (self.trailing if self.visible == len(self.log) else 0)

    def at(self, position: int) -> LogRecord | None:
        """The first record at or after this offset, if it has been written."""
        index = bisect_left(self.log, position, hi=self.visible, key=_OFFSET)
        return self.log[index] if index < self.visible else None

    def message(self, one: LogRecord) -> Message:
        return Message(
            topic=self.topic,
            partition=0,
            offset=one.offset,
            key=one.key,
            value=one.payload,
            timestamp=(1, one.timestamp_ms),
        )


def _end_of(topic: str, partition: int, offset: int) -> Message:
    error = KafkaError(KafkaError._PARTITION_EOF)
    return Message(topic=topic, partition=partition, offset=offset, error=error)


def _timed_out() -> KafkaException:
    return KafkaException(KafkaError(KafkaError._TIMED_OUT, "timed out"))


class MemoryReader:
    """A consumer that is assigned by hand (`consumer.readback`)."""

    def __init__(
        self,
        broker: MemoryBroker,
        events: Input,
        faults: Faults,
        wait: Callable[[float], None],
        config: dict[str, Any],
    ) -> None:
        self._broker, self._events, self._faults, self._wait = broker, events, faults, wait
        self._committed_only = config["isolation.level"] == "read_committed"
        self._at: TopicPartition | None = None
        self._position = 0
        self._end_told = False

    def get_watermark_offsets(
        self, at: TopicPartition, timeout: float = 0.0, *, cached: bool = False
    ) -> tuple[int, int]:
        def look() -> tuple[int, int]:
            return 0, self._end(at.topic, at.partition)

        return self._faults.passing("watermarks", look, _timed_out)

    def assign(self, partitions: list[TopicPartition]) -> None:
        self._at = partitions[0]
        self._position, self._end_told = self._at.offset, False

    def unassign(self) -> None:
        self._at = None

    def close(self) -> None:
        """Nothing is open."""

    def poll(self, _timeout_s: float) -> Message | None:
        found = self._faults.passing("read back", self._next, _timed_out)
        if found is None:
            self._wait(_NO_MESSAGE_COSTS_S)
        return found

    def consume(self, _number: int, _timeout_s: float) -> list[Message]:
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    def _end(self, topic: str, partition: int) -> int:
        if topic == self._events.topic:
            return self._events.end
        log = self._broker.logs[topic, partition]
        return log.last_stable if self._committed_only else len(log.entries)

    def _next(self) -> Message | None:
        assert self._at is not None
        topic, partition = self._at.topic, self._at.partition
        if topic == self._events.topic:
            one = self._events.at(self._position)
            if one is not None:
                self._position = one.offset + 1
                return self._events.message(one)
        else:
            entries = self._broker.logs[topic, partition].entries
            end = self._end(topic, partition)
            for offset, entry in islice(enumerate(entries), self._position, end):
                if is_committed(entry) or (entry.transaction and not self._committed_only):
                    self._position = offset + 1
                    return _message(topic, partition, offset, entry)
        self._position, told = self._end(topic, partition), self._end_told
        self._end_told = True
        return None if told else _end_of(topic, partition, self._position)


def _message(topic: str, partition: int, offset: int, entry: Entry) -> Message:
    return Message(
        topic=topic, partition=partition, offset=offset, key=entry.key, value=entry.value,
        headers=entry.headers,
    )  # fmt: skip


@dataclass
class Coordinator:
    """Who holds the partition, and who is to have it."""

    holder: "MemoryMember | None" = None
    heir: "MemoryMember | None" = None
    members: list["MemoryMember"] = field(default_factory=list)
    committed: int = 0  # the hint for lag tools

    def remove(self, member: "MemoryMember") -> None:
        """A member left, or its session timed out; the next in the row gets what it had."""
        if member in self.members:
            self.members.remove(member)
        if self.holder is member:
            self.holder = None
        if self.heir is member:
            self.heir = self.members[0] if self.members else None

    def add(self, member: "MemoryMember") -> None:
        self.members.append(member)
        if self.heir is None:
            self.heir = member


class MemoryMember:
    """The consumer of the events topic (`consumer.group`)."""

    def __init__(
        self,
        coordinator: Coordinator,
        events: Input,
        faults: Faults,
        wait: Callable[[float], None],
        lots: Callable[[], Lots],
    ) -> None:
        self._coordinator, self._events, self._faults = coordinator, events, faults
        self._wait, self._lots = wait, lots
        self._position: int | None = None  # None: the partition is not assigned
        self._paused = False
        self._end_told = -1
        self._has_left = False

    def subscribe(self, _topics: list[str], **callbacks: Callable[..., None]) -> None:
        self._callbacks = callbacks
        self._coordinator.add(self)

    def poll(self, timeout_s: float) -> Message | None:
        self._faults.passing("poll", self._hear, _timed_out)
        found = self._next()
        self._wait(0.01 if found else max(timeout_s, self._lots().randint(0, 20) / 10))
        return found

    def consume(self, number: int, _timeout_s: float) -> list[Message]:
        found = []
        for _ in range(self._lots().randint(0, min(number, 25))):
            message = self._next()
            if message is None:
                break
            found.append(message)
        if self._lots().random() < 0.1:
            self._hear()  # what was just taken may belong to the assignment before
        return found

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        offset = partitions[0].offset
        self._position = self._events.end if offset == OFFSET_END else offset
        self._end_told = -1

    def incremental_unassign(self, _partitions: list[TopicPartition]) -> None:
        self._position = None

    def pause(self, _partitions: list[TopicPartition]) -> None:
        self._paused = True

    def resume(self, _partitions: list[TopicPartition]) -> None:
        self._paused = False

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        def take() -> None:
            if self._coordinator.holder is not self:
                raise KafkaException(KafkaError(KafkaError.UNKNOWN_MEMBER_ID, "not a member"))
            self._coordinator.committed = offsets[0].offset

        if not asynchronous:
            self._faults.passing("prove membership", take, _timed_out)
        elif self._coordinator.holder is self:
            take()

    def get_watermark_offsets(
        self, _at: TopicPartition, timeout: float = 0.0, *, cached: bool = False
    ) -> tuple[int, int]:
        return 0, self._events.end

    def list_topics(self, _topic: str, timeout: float) -> None:
        """It answers."""

    def unsubscribe(self) -> None:
        if self._position is not None and self in self._coordinator.members:
            self._call("revoked", "on_revoke")
        self._coordinator.remove(self)
        self._has_left = True

    def assignment(self) -> list[TopicPartition]:
        held = [] if self._position is None else [TopicPartition(self._events.topic, 0)]
        return [] if self._has_left else held

    def close(self) -> None:
        assert not self.assignment(), "an assignment at its end can make the client hang"

    def _hear(self) -> None:
        """Take part in what the group is at."""
        group = self._coordinator
        if self._has_left:
            return
        if self not in group.members:
            if self._lots().random() < 0.5:
                return  # the news has not come yet
            if self._position is not None:
                self._call("lost", "on_lost")
            group.add(self)
        elif group.holder is self and group.heir is not self:
            if self._position is not None:
                self._call("revoked", "on_revoke")
            if group.holder is self:
                group.holder = None
        elif group.heir is self and group.holder is None:
            group.holder = self
            self._call("assigned", "on_assign")

    def _call(self, effect: str, callback: str) -> None:
        partitions = [TopicPartition(self._events.topic, 0)]
        call = self._callbacks[callback]
        self._faults.passing(effect, lambda: call(self, partitions), _timed_out)

    def _next(self) -> Message | None:
        if self._position is None or self._paused:
            return None
        one = self._events.at(self._position)
        if one is not None:
            self._position = one.offset + 1
            return self._events.message(one)
        self._position = max(self._position, self._events.end)
        if self._end_told == self._position:
            return None
        self._end_told = self._position
        return _end_of(self._events.topic, 0, self._position)

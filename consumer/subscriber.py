"""What ad systems import: segment changes as a read_committed subscriber sees them.

    with Subscriber(kafka, TopicNames(), group="bidder") as changes:
        for change in changes:
            bidder.move(change.user_id, change.current)
            changes.done()

Changes come in order per user, each once as long as the subscriber says `done` after it has acted.
One that dies in between gets the change again: `change.change_id` is the same, and
`change.user_version` rises by 1 per user, so a repeat or a gap is seen at once.
"""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Literal, Self

from confluent_kafka import Consumer, KafkaError, TopicPartition

from consumer.config import WorkerConfig
from consumer.errors import ServiceUnavailable
from consumer.readback import ReadBack
from consumer.setup import check_topics
from consumer.topics import TopicNames
from producer.kafka import KafkaConnection
from segments.changes import Membership, SegmentChange, decode_change

From = Literal["earliest", "latest"]

_NOBODY = "shoal-watch"  # the library wants a group id even from a reader that joins none


class Subscriber:
    """Iterates over segment changes. For one thread."""

    def __init__(
        self,
        kafka: KafkaConnection,
        topics: TopicNames,
        *,
        group: str | None = None,
        start: From | None = None,
    ) -> None:
        """Connect.

        Args:
            kafka: where to.
            topics: topic names.
            group: consumer group; its members share the partitions, and a restarted member goes on
                where `done` left off. None: see every change, remember nothing.
            start: where to begin when the group has no place yet. By default a group begins with
                the oldest change kept, so that a member that stops before its first `done` misses
                nothing; a reader without a group begins with new changes.
        """
        self._topic = topics.changes
        self._group = group
        self._start: From = start or ("earliest" if group else "latest")
        options: dict[str, object] = {
            "group.id": group or _NOBODY,
            "isolation.level": "read_committed",
            "auto.offset.reset": self._start,
            "partition.assignment.strategy": "cooperative-sticky",
            "enable.auto.commit": group is not None,
            "enable.auto.offset.store": False,
            "fetch.queue.backoff.ms": 1,
        }
        self._consumer = Consumer(kafka.consumer_config(**options))
        self._given: dict[int, int] = {}  # partition → offset after the last change given
        if group is not None:
            self._consumer.subscribe([self._topic], on_revoke=self._forget, on_lost=self._forget)
        else:
            self._assign_all()

    def __enter__(self) -> Self:
        """Use as a context manager: closed at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Store the place and leave."""
        self._consumer.close()

    def __iter__(self) -> Iterator[SegmentChange]:
        """Wait for changes, for ever."""
        while True:
            change = self.next(timeout_s=1.0)
            if change is not None:
                yield change

    def next(self, *, timeout_s: float) -> SegmentChange | None:
        """Give the next change; None when none came in time.

        Raises:
            ServiceUnavailable: the Kafka client cannot go on.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            message = self._consumer.poll(max(0.0, deadline_s - time.monotonic()))
            if message is None:
                return None
            error = message.error()
            if error is not None:
                self._note(error)
                continue
            value = message.value()
            if value is None:
                continue  # a filler (`consumer.filler`)
            change = decode_change(value)
            self._given[message.partition() or 0] = (message.offset() or 0) + 1
            return change

    def done(self) -> None:
        """Say that every change given so far has been acted on: none of them will come again."""
        if self._group is None or not self._given:
            return
        places = [TopicPartition(self._topic, *place) for place in self._given.items()]
        self._given.clear()
        self._consumer.store_offsets(offsets=places)

    def _assign_all(self) -> None:
        metadata = self._consumer.list_topics(self._topic, timeout=5.0)
        numbers = sorted(metadata.topics[self._topic].partitions)
        first = -2 if self._start == "earliest" else -1  # librdkafka's logical offsets
        self._consumer.assign([TopicPartition(self._topic, number, first) for number in numbers])

    def _forget(self, _consumer: Consumer, revoked: list[TopicPartition]) -> None:
        """Leave the place of partitions that another member has now to that member."""
        for one in revoked:
            self._given.pop(one.partition, None)

    def _note(self, error: KafkaError) -> None:
        if error.fatal() or not (error.retriable() or error.code() < 0):
            msg = f"cannot read {self._topic}: {error.str()}"
            raise ServiceUnavailable(msg)


def snapshot(config: WorkerConfig) -> Iterator[Membership]:
    """Give everybody's current membership, partition by partition, from the compacted topic.

    Raises:
        KafkaAway: Kafka did not answer.
    """
    reader = ReadBack(config)
    try:
        for number in range(check_topics(config)):
            yield from reader.memberships(number).values()
    finally:
        reader.close()

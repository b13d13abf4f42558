"""Reading back what is published already: the output log is the record of decisions.

A `read_committed` reader, never past the high watermark that a `read_uncommitted` client sees:
the watermark of a read_committed client is the last stable offset, which hides committed records
above an open transaction. Control records and aborted ones take up offsets without being
delivered; the partition-EOF event tells how far the reader has come.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumer.config import WorkerConfig
from consumer.dead_letters import dead_letter_of
from consumer.errors import HeldUp, KafkaAway
from segments.changes import Membership, SegmentChange, decode_change, decode_membership

# Where a backward search starts; it grows eightfold with each miss. A dead letter may be large.
CHUNK_CHANGES = 1_000
CHUNK_DEAD = 10
_CHUNK_RECORDS = 20_000
# Kafka says that a transaction is over before it has written the markers.
_SETTLES_WITHIN_S = 3.0
_NONE = -1


class ReadBack:
    """Reads tails of the output partitions. Thread-safe: a lock around the readers.

    Attributes:
        topics: the topics' names.
    """

    def __init__(self, config: WorkerConfig, *, timeout_s: float = 30.0) -> None:
        """Make the two clients; nothing is connected yet."""
        self.topics = config.topics
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        options: dict[str, Any] = {
            "group_id": f"{config.group}-read-back",  # required by the library, never joined
            "enable_partition_eof": True,
            "fetch.queue.backoff.ms": 1,
            # Tails are short; the client's own limit is 64 MB fetched ahead.
            "queued.max.messages.kbytes": 8_192,
            # The end of a partition is known when a fetch comes back empty: not after 500 ms.
            "fetch.wait.max.ms": 10,
        }
        self._committed = Consumer(
            config.kafka.consumer_config(isolation_level="read_committed", **options)
        )
        self._uncommitted = Consumer(
            config.kafka.consumer_config(isolation_level="read_uncommitted", **options)
        )

    def warm(self) -> None:
        """Connect, so that the first rebalance does not wait for it (a cold start costs 0.5–1 s).

        Raises:
            KafkaAway: Kafka did not answer.
        """
        self.watermarks(self.topics.changes, 0)

    def close(self) -> None:
        """Close both clients."""
        self._committed.close()
        self._uncommitted.close()

    def watermarks(self, topic: str, partition: int) -> tuple[int, int]:
        """Give log start and high watermark, open transactions included."""
        return self._offsets(self._uncommitted, topic, partition)

    def held_up_at(
        self, topic: str, partition: int, is_ours: Callable[[Message], bool]
    ) -> int | None:
        """Give the offset at which a transaction without an end holds readers up.

        Args:
            topic: the topic.
            partition: its partition.
            is_ours: tells by its first record whether a transaction is one of ours.

        Returns:
            None when none of ours does.
        """
        _, high = self.watermarks(topic, partition)
        _, last_stable = self._offsets(self._committed, topic, partition)
        if last_stable >= high or not any(
            map(is_ours, self.records_from(topic, partition, last_stable)[:1])
        ):
            return None
        try:
            with self._lock:
                self._read(topic, partition, last_stable, until=high, timeout_s=_SETTLES_WITHIN_S)
        except HeldUp:
            return last_stable
        return None

    def records_from(self, topic: str, partition: int, offset: int) -> list[Message]:
        """Give all records from an offset on, those of open and aborted transactions too."""
        _, high = self.watermarks(topic, partition)
        with self._lock:
            return self._read(topic, partition, offset, until=high, reader=self._uncommitted)

    def _offsets(self, client: Consumer, topic: str, partition: int) -> tuple[int, int]:
        try:
            low, high = client.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=self._timeout_s
            )
        except KafkaException as error:
            msg = f"Kafka did not give the offsets of {topic} [{partition}]: {error.args[0].str()}"
            raise KafkaAway(msg) from error
        return low, high

    def changes_after(self, partition: int, sequence: int) -> tuple[list[SegmentChange], int]:
        """Give the published changes with a higher sequence, and the last sequence of all.

        The last sequence is 0 when nothing was ever published (or all of it has expired).
        """
        found = self.tail(
            self.topics.changes,
            partition,
            # One of two may be a filler.
            lambda messages: any(one.sequence <= sequence for one in _changes_in(messages[:2])),
            records=CHUNK_CHANGES,
        )
        changes = _changes_in(found)
        last = changes[-1].sequence if changes else 0
        return [change for change in changes if change.sequence > sequence], last

    def last_dead_offset(self, partition: int) -> int:
        """Give the input offset of the newest published dead letter; -1 if there is none."""
        found = self.tail(self.topics.dead, partition, lambda _: True, records=CHUNK_DEAD)
        letters = [letter for one in found if (letter := dead_letter_of(one)) is not None]
        return letters[-1].offset if letters else _NONE

    def memberships(self, partition: int) -> dict[str, Membership]:
        """Give everybody's latest membership (the whole compacted partition is read)."""
        latest: dict[str, Membership] = {}
        topic = self.topics.memberships
        low, high = self.watermarks(topic, partition)
        with self._lock:
            found = self._read(topic, partition, low, until=high)
        for message in found:
            user_id, value = (message.key() or b"").decode(), message.value()
            if value is None:
                latest.pop(user_id, None)
            else:
                latest[user_id] = decode_membership(value)
        return latest

    def last_change_of(self, partition: int, user_id: str) -> SegmentChange | None:
        """Give a user's last published change; None if the topic has none of them any more.

        The partition is read backwards until one is found, all of it if there is none.
        """
        key = user_id.encode()
        found = self.tail(
            self.topics.changes,
            partition,
            lambda messages: any(message.key() == key for message in messages),
            records=CHUNK_CHANGES,
        )
        values = [message.value() for message in found if message.key() == key]
        return decode_change(values[-1]) if values and values[-1] is not None else None

    def records(self, topic: str, partition: int, start: int, until: int) -> Iterator[Message]:
        """Give the records from `start` up to, not including, `until`, some thousands at a time."""
        for first in range(start, until, _CHUNK_RECORDS):
            with self._lock:
                found = self._read(
                    topic, partition, first, until=min(until, first + _CHUNK_RECORDS)
                )
            yield from found

    def next_offset(self, topic: str, partition: int, offset: int) -> int | None:
        """Give the offset of the first record at or after `offset`; None when there is none yet.

        A fresh fetch: it tells a hole in the log from a client that skipped records.
        """
        with self._lock:
            found = self._read(topic, partition, offset, until=offset + 1, at_most=1)
        return found[0].offset() if found else None

    def tail(
        self,
        topic: str,
        partition: int,
        enough: Callable[[list[Message]], bool],
        *,
        records: int,
        aborted_too: bool = False,
    ) -> list[Message]:
        """Read the end of a partition.

        Args:
            topic: the topic.
            partition: its partition.
            enough: tells whether these records (in order, at least one) go back far enough.
            records: how far to go back at first.
            aborted_too: give records that no reader of committed ones will ever see as well.
        """
        reader = self._uncommitted if aborted_too else self._committed
        low, high = self.watermarks(topic, partition)
        with self._lock:
            while True:
                start = max(low, high - records)
                found = self._read(topic, partition, start, until=high, reader=reader)
                if start == low or (found and enough(found)):
                    return found
                records *= 8

    def _read(
        self,
        topic: str,
        partition: int,
        start: int,
        *,
        until: int,
        at_most: int | None = None,
        reader: Consumer | None = None,
        timeout_s: float | None = None,
    ) -> list[Message]:
        """Read from `start` up to, not including, the offset `until`."""
        if start >= until:
            return []
        reader = reader or self._committed
        timeout_s = timeout_s or self._timeout_s
        reader.assign([TopicPartition(topic, partition, start)])
        deadline = time.monotonic() + timeout_s
        found: list[Message] = []
        ended_at = -1
        try:
            while time.monotonic() < deadline:
                for message in _next_messages(reader):
                    error, offset = message.error(), message.offset() or 0
                    if error is None:
                        if offset < until or at_most is not None:
                            found.append(message)
                        if offset + 1 >= until or len(found) == at_most:
                            return found
                    elif _is_end(error, topic, partition):
                        ended_at = offset
                        if offset >= until or at_most is not None:
                            return found
        finally:
            reader.unassign()
        msg = f"{topic} [{partition}] could not be read up to offset {until} in {timeout_s:.0f} s"
        if reader is self._committed and 0 <= ended_at < until:
            raise HeldUp(f"{msg}; is another program holding a transaction open on it?")
        raise KafkaAway(msg)


def _is_end(error: KafkaError, topic: str, partition: int) -> bool:
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 -- its only name
        return True
    if error.fatal() or not error.retriable():
        msg = f"reading back {topic} [{partition}] failed: {error.str()}"
        raise KafkaAway(msg)
    return False


def _changes_in(messages: Iterable[Message]) -> list[SegmentChange]:
    return [decode_change(value) for one in messages if (value := one.value()) is not None]


def _next_messages(reader: Consumer) -> list[Message]:
    # consume(n, t) waits for n messages or the whole of t; this takes what is there.
    first = reader.poll(0.1)
    return [] if first is None else [first, *reader.consume(10_000, 0)]

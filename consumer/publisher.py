"""The Kafka side of a commit: one transactional producer per owned partition.

Its `transactional.id` names what it protects (namespace, topic, partition) and is the same on every
worker, so a new owner's `init_transactions` fences the old one and aborts what it left open.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

from consumer import crash
from consumer.config import WorkerConfig
from consumer.dead_letters import dead_letter_headers
from consumer.errors import DeadLetterTooLarge, Fenced, PublishFailed
from consumer.filler import abort_a_filler
from consumer.outbox import Outbox, membership_of
from consumer.topics import ONLY_PARTITION
from producer.undisguised import undisguised
from segments.changes import SegmentChange, change_headers, encode_change

_log = structlog.get_logger(__name__)

_encode_membership = msgspec.json.Encoder().encode

# A newer producer of the partition has been let in.
_FENCED = {
    KafkaError._FENCED,  # noqa: SLF001 -- its only name
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
}

# A dead letter may be as large as any record that the events topic was ever configured to take.
_MESSAGE_BYTES_MAX = 100_000_000


class Publisher:
    """Publishes what one partition decided. Used by one thread at a time."""

    def __init__(self, config: WorkerConfig, partition: int) -> None:
        """Make the producer; nothing is sent yet."""
        self._topics = config.topics
        self._partition = partition
        self._source = f"/shoal/{config.namespace}".encode()
        self._timeout_s = config.transaction_timeout_ms / 1000
        self._producer = Producer(
            config.kafka.producer_config(
                transactional_id=f"{config.namespace}.{config.topics.changes}.{partition}",
                transaction_timeout_ms=config.transaction_timeout_ms,
                linger_ms=0,
                socket_nagle_disable=True,
                compression_type="lz4",
                message_max_bytes=_MESSAGE_BYTES_MAX,
            )
        )

    def fence(self) -> None:
        """Fence every older producer of this partition and abort its open transaction.

        Raises:
            PublishFailed: Kafka did not answer in time.
        """
        self._call(self._producer.init_transactions)

    def abort_filler(self, topic: str, partition: int) -> None:
        """Write one record and abort it: this ends whatever this producer's name left open there.

        Raises:
            PublishFailed: it may not have come to pass. This producer must not be used again.
            Fenced: another worker has taken the partition.
        """
        try:
            with undisguised():
                abort_a_filler(self._producer, topic, partition, self._timeout_s)
        except KafkaException as error:
            raise self._failed(error) from error

    def restate(self, changes: Sequence[SegmentChange]) -> None:
        """Publish once more the memberships that these changes have led to.

        Raises:
            PublishFailed, Fenced: as for `publish`.
        """
        if not changes:
            return
        try:
            with undisguised():
                self._producer.begin_transaction()
                for change in changes:
                    self._produce_membership(change)
        except KafkaException as error:
            raise self._failed(error) from error
        self._call(self._producer.commit_transaction)

    def publish(self, outbox: Outbox, samples: Sequence[bytes] = ()) -> None:
        """Publish everything in one transaction; a read_committed reader sees all of it or nothing.

        Raises:
            PublishFailed: it did not commit for sure. This producer must not be used again.
            Fenced: another worker has taken the partition.
            DeadLetterTooLarge: the dead-letter topic does not take a record this large.
        """
        if not outbox and not samples:
            return
        try:
            with undisguised():
                self._producer.begin_transaction()
                self._produce_all(outbox, samples)
        except KafkaException as error:
            raise self._failed(error) from error
        crash.point("before the Kafka commit")
        self._call(self._producer.commit_transaction)
        crash.point("after the Kafka commit")

    def _produce_all(self, outbox: Outbox, samples: Sequence[bytes]) -> None:
        topics, partition = self._topics, self._partition
        for change in outbox.changes:
            key = change.user_id.encode()
            self._produce(
                topics.changes, partition, encode_change(change), key,
                change_headers(change, self._source),
            )  # fmt: skip
            self._produce_membership(change)
        for letter in outbox.dead:
            headers = dead_letter_headers(letter, topics.events, partition)
            self._produce(topics.dead, partition, letter.value, letter.key, headers)
        for sample in samples:
            self._produce(topics.samples, ONLY_PARTITION, sample)

    def _produce_membership(self, change: SegmentChange) -> None:
        membership = membership_of(change)
        value = None if membership is None else _encode_membership(membership)
        self._produce(self._topics.memberships, self._partition, value, change.user_id.encode())

    def _produce(
        self,
        topic: str,
        partition: int,
        value: bytes | None,
        key: bytes | None = None,
        headers: Any = None,
    ) -> None:
        while True:
            try:
                self._producer.produce(
                    topic, value=value, key=key, partition=partition, headers=headers or []
                )
            except BufferError:  # the local queue is full: let it drain
                self._producer.poll(0.1)
            else:
                return

    def _call(self, call: Any) -> None:
        """Call a transaction step, the same again while Kafka says that this is safe."""
        attempts = 3
        while True:
            try:
                with undisguised():
                    call(self._timeout_s)
            except KafkaException as error:
                attempts -= 1
                if attempts and error.args[0].retriable():
                    continue
                raise self._failed(error) from error
            else:
                return

    def _failed(self, error: KafkaException) -> PublishFailed | Fenced:
        cause: KafkaError = error.args[0]
        if cause.txn_requires_abort():
            # The next owner's fence would abort it as well; readers wait less this way.
            with contextlib.suppress(KafkaException), undisguised():
                self._producer.abort_transaction(self._timeout_s)
        if cause.code() in _FENCED:
            why = "refused by Kafka: another worker owns it now"
            _log.warning(why, partition=self._partition)
            return Fenced(self._partition, why)
        if cause.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return DeadLetterTooLarge(self._partition, cause.str())
        return PublishFailed(self._partition, cause.str())

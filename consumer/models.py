"""The models topic: every release, in order; its newest record is the model.

Workers follow it with a `ModelFeed`, the trainer writes it (`model_publisher`). Redis holds a copy
of the newest one for look-ups; where the two differ, the topic is right.
"""

import time
from collections.abc import Callable

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumer.answers import Answer, decode_answer, is_answer
from consumer.errors import NotSetUp, ProtectsData, ServiceUnavailable
from consumer.keys import model_key
from consumer.redis_client import RedisClient
from consumer.store import calling_redis, script
from consumer.topics import ONLY_PARTITION
from producer.kafka import KafkaConnection
from segments.errors import UnknownModelSchema
from segments.model import SegmentModel, decode_model, encode_model

_log = structlog.get_logger(__name__)

CATCH_UP_S = 30.0
# A release and its transaction marker take two offsets. Every release has its own key, so the
# compacted topic keeps them all; the newest is looked for at the end first.
TAIL_OFFSETS = 1_000


class ModelFeed:
    """Follows the models topic; never goes back to a lower version.

    Attributes:
        newest: The newest model seen, None before the first release.
        caught_up: Whether everything published so far has been read.
    """

    def __init__(
        self,
        kafka: KafkaConnection,
        topic: str,
        *,
        on_record: Callable[[SegmentModel | Answer], None] = lambda _: None,
    ) -> None:
        """Make the client; `catch_up` connects and reads.

        Args:
            kafka: where Kafka is.
            topic: the models topic.
            on_record: called with every record read, releases and answers to orders.
        """
        self._on_record = on_record
        self._kafka = kafka
        self._topic = topic
        self._consumer = Consumer(
            kafka.consumer_config(
                group_id="shoal-models",  # required by the library, never joined
                isolation_level="read_committed",
                enable_partition_eof=True,
                fetch_queue_backoff_ms=1,
                auto_offset_reset="earliest",
            )
        )
        self._read_to = -1  # the offset at which the end was last reached
        self.newest: SegmentModel | None = None
        self.caught_up = False

    def catch_up(self, *, whole: bool = False) -> None:
        """Read on to the end of what is published so far.

        Args:
            whole: read the topic from its start, not only as far back as the newest model.

        Raises:
            ServiceUnavailable: Kafka did not answer, or an open transaction did not end, in 30 s.
            NotSetUp: the topic does not exist.
            ProtectsData: the newest record is not a model that this release can read.
        """
        low, high = self._watermarks()
        start = low if whole else max(low, high - TAIL_OFFSETS)
        self._read(start, high)
        if self.newest is None and start > low:
            self._read(low, high)

    def poll(self) -> SegmentModel | None:
        """Give the newest model if it is newer than the last one given or caught up with.

        Never waits.

        Raises:
            ProtectsData: see `catch_up`.
        """
        known = self.newest
        while (message := self._consumer.poll(0.0)) is not None:
            self._take(message)
        return None if self.newest is known else self.newest

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def _watermarks(self) -> tuple[int, int]:
        """Give log start and high watermark of the topic.

        Asked of a read_uncommitted client: a read_committed one answers the last stable offset,
        which hides committed records above an open transaction.
        """
        client = Consumer(
            self._kafka.consumer_config(group_id="shoal-models", isolation_level="read_uncommitted")
        )
        try:
            low, high = client.get_watermark_offsets(
                TopicPartition(self._topic, ONLY_PARTITION), timeout=CATCH_UP_S
            )
        except KafkaException as error:
            raise self._unreadable(error.args[0]) from error
        finally:
            client.close()
        return low, high

    def _read(self, start: int, end: int) -> None:
        """Read from `start` until nothing committed is left below `end`."""
        self._consumer.assign([TopicPartition(self._topic, ONLY_PARTITION, start)])
        self._read_to = -1
        deadline_s = time.monotonic() + CATCH_UP_S
        while self._read_to < end:
            message = self._consumer.poll(0.2)
            if message is not None:
                self._take(message)
            elif time.monotonic() > deadline_s:
                msg = (
                    f"Kafka did not deliver {self._topic} up to offset {end} in {CATCH_UP_S:.0f} s"
                )
                raise ServiceUnavailable(msg)

    def _take(self, message: Message) -> None:
        """Take a record, or the news that there is none left."""
        error = message.error()
        if error is None:
            self.caught_up = False
            record = _decoded(message)
            if record is None:
                return
            self._on_record(record)
            if isinstance(record, SegmentModel) and (
                self.newest is None or record.order > self.newest.order
            ):
                self.newest = record
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 -- the library's name
            self._read_to = message.offset() or 0
            self.caught_up = True
        elif not error.retriable() and error.code() not in _PASSING:
            raise self._unreadable(error)

    def _unreadable(self, error: KafkaError) -> NotSetUp | ServiceUnavailable:
        if error.code() in _MISSING and self._is_missing():
            return NotSetUp(f"the topic {self._topic} does not exist: run `shoal topics create`")
        return ServiceUnavailable(f"Kafka did not give the models ({error.str()})")

    def _is_missing(self) -> bool:
        """Ask Kafka: of a broker that is just coming up the client says the same."""
        try:
            return self._topic not in self._consumer.list_topics(timeout=CATCH_UP_S).topics
        except KafkaException:
            return False


# What librdkafka reports and mends by itself.
_PASSING = {
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
}
_MISSING = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
}


def _decoded(message: Message) -> SegmentModel | Answer | None:
    value = message.value()
    if value is None:  # a tombstone: an operator removed that version
        return None
    if is_answer(message.key()):
        return decode_answer(value)
    try:
        return decode_model(value)
    except UnknownModelSchema as error:
        raise ProtectsData(str(error)) from error


def read_newest_model(kafka: KafkaConnection, topic: str) -> SegmentModel | None:
    """Read the newest model once; None before the first release.

    Raises:
        ServiceUnavailable, NotSetUp, ProtectsData: see `ModelFeed.catch_up`.
    """
    feed = ModelFeed(kafka, topic)
    try:
        feed.catch_up()
    finally:
        feed.close()
    return feed.newest


def read_releases(kafka: KafkaConnection, topic: str) -> list[SegmentModel]:
    """Read all releases, the oldest version first (3 KB each, tens of thousands at most).

    Raises:
        ServiceUnavailable, NotSetUp, ProtectsData: see `ModelFeed.catch_up`.
    """
    found: dict[tuple[int, int], SegmentModel] = {}

    def keep(record: SegmentModel | Answer) -> None:
        if isinstance(record, SegmentModel):
            found[record.order] = record

    feed = ModelFeed(kafka, topic, on_record=keep)
    try:
        feed.catch_up(whole=True)
    finally:
        feed.close()
    return [found[order] for order in sorted(found)]


def mirror_model(client: RedisClient, namespace: str, model: SegmentModel) -> bool:
    """Copy a model to Redis unless a newer one is there; tell whether it was copied.

    Raises:
        RedisAway: Redis did not answer; call again.
    """
    key = model_key(namespace)
    arguments = (encode_model(model), model.major, model.minor)
    return bool(calling_redis(lambda: client.eval(script("keep_newer"), 1, key, *arguments)))

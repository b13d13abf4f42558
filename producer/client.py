"""The client that applications send events with.

    with Producer(ProducerSettings(KafkaConnection("localhost:9092"))) as producer:
        producer.send(event)

Every event is validated, keyed by its user and put into the partition that Java clients would
choose. Kafka stores it exactly once and in order per user as long as this producer lives
(idempotence); an event that Kafka does not take in the end is an error, never silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as KafkaProducer

from features.events import Event, encode_event, validate_event
from producer.errors import DeliveryFailed, FlushTimedOut, KafkaUnreachable, TopicMissing
from producer.kafka import KafkaConnection

# How long to wait for room in a full queue before looking again for failed deliveries.
_ROOM_S = 0.1
# Leaving after an error of the caller's must not take as long as leaving in good order.
_FAREWELL_S = 5.0
# Kafka has no time before 1970, and librdkafka reads 0 as "now".
_TIMESTAMP_MIN_MS = 1


@dataclass(frozen=True)
class ProducerSettings:
    """How to send.

    Attributes:
        kafka: Where to.
        topic: Name of the topic of events.
        linger_ms: How long an event may wait for others to share a request with.
        compression: Codec of the batches: lz4, zstd, snappy, gzip or none.
        delivery_timeout_s: When to give up on an event, retries included.
    """

    kafka: KafkaConnection
    topic: str = "user-events"
    linger_ms: int = 5
    compression: str = "lz4"
    delivery_timeout_s: float = 60.0


class Producer:
    """Sends events. For one thread at a time: give each thread a producer of its own.

    Delivery happens in the background, so `send` returns before Kafka has answered. What went
    wrong meanwhile is raised by the next `send`, `flush` or `wait`, once, as `DeliveryFailed`.
    """

    def __init__(self, settings: ProducerSettings) -> None:
        """Prepare; the connection is made in the background."""
        self._settings = settings
        self._failed = 0
        self._first_failure: tuple[str, str] | None = None
        self._kafka = KafkaProducer(
            settings.kafka.producer_config(
                enable_idempotence=True,
                acks="all",
                partitioner="murmur2",
                linger_ms=settings.linger_ms,
                compression_type=settings.compression,
                delivery_timeout_ms=int(settings.delivery_timeout_s * 1000),
                delivery_report_only_error=True,
                on_delivery=self._note_failure,
            )
        )

    def check(self, timeout_s: float = 5.0) -> int:
        """Make sure that Kafka answers and the topic exists; optional, for an early clear error.

        Returns:
            The number of partitions.

        Raises:
            KafkaUnreachable: No broker answered in time.
            TopicMissing: The topic is not there.
        """
        try:
            topics = self._kafka.list_topics(timeout=timeout_s).topics
        except KafkaException as failure:
            reason = _words(failure)
            raise KafkaUnreachable(self._settings.kafka.bootstrap_servers, reason) from failure
        if self._settings.topic not in topics:
            raise TopicMissing(self._settings.topic)
        return len(topics[self._settings.topic].partitions)

    def send(self, event: Event, timestamp_ms: int | None = None) -> None:
        """Validate an event and hand it over for delivery.

        Args:
            event: The event.
            timestamp_ms: Record timestamp, epoch milliseconds. Leave it out for what happens now;
                give the event's own time for historical data, since stream time follows it.

        Raises:
            MalformedEvent: The event is not valid; nothing was sent.
            DeliveryFailed: This or an earlier event cannot be delivered.
        """
        valid = validate_event(event)
        self.send_encoded(valid, encode_event(valid), timestamp_ms)

    def send_encoded(self, event: Event, payload: bytes, timestamp_ms: int | None = None) -> None:
        """Hand over an event that is known to be valid, with its bytes.

        Args:
            event: What the payload decodes to.
            payload: JSON; sent as it is, fields unknown to us included.
            timestamp_ms: As for `send`.

        Raises:
            DeliveryFailed: This or an earlier event cannot be delivered.
        """
        timestamp = 0 if timestamp_ms is None else max(timestamp_ms, _TIMESTAMP_MIN_MS)
        key = event.user_id.encode()
        self._kafka.poll(0)
        while True:
            self._raise_failure()
            try:
                self._kafka.produce(self._settings.topic, payload, key, timestamp=timestamp)
            except BufferError:
                self._kafka.poll(_ROOM_S)
            except KafkaException as failure:
                raise DeliveryFailed(event.event_id, _words(failure)) from failure
            else:
                return

    def wait(self, seconds: float) -> None:
        """Pass time between events, looking after deliveries meanwhile; for a steady rate.

        Raises:
            DeliveryFailed: An earlier event cannot be delivered.
        """
        self._kafka.poll(seconds)
        self._raise_failure()

    def flush(self, timeout_s: float | None = None) -> None:
        """Wait until Kafka has confirmed everything sent.

        Args:
            timeout_s: How long at most; without it as long as a delivery may take.

        Raises:
            DeliveryFailed: An event cannot be delivered.
            FlushTimedOut: Time is over and events remain; they are still being tried.
        """
        limit_s = (
            self._settings.delivery_timeout_s + _FAREWELL_S if timeout_s is None else timeout_s
        )
        remaining = self._kafka.flush(limit_s)
        self._raise_failure()
        if remaining:
            raise FlushTimedOut(remaining, limit_s)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Flush. After an error of the caller's only for a moment, and without another error."""
        if error_type is None:
            self.flush()
        else:
            self._kafka.flush(_FAREWELL_S)

    def _note_failure(self, error: KafkaError | None, message: Message) -> None:
        """Remember the first failed delivery and count the others; called within poll and flush."""
        if error is None:
            return
        self._failed += 1
        if self._first_failure is None:
            self._first_failure = (_event_id(message.value()), error.str())

    def _raise_failure(self) -> None:
        """Raise what was remembered, once."""
        if self._first_failure is None:
            return
        event_id, reason = self._first_failure
        failed, self._failed, self._first_failure = self._failed, 0, None
        raise DeliveryFailed(event_id, reason, failed)


class _Identified(msgspec.Struct):
    """The one field needed to name an event."""

    event_id: str


def _event_id(payload: bytes | None) -> str:
    """Return the id in a payload that this client has sent."""
    return msgspec.json.decode(payload or b"", type=_Identified).event_id


def _words(failure: KafkaException) -> str:
    """Return what Kafka says, without the numbers and the class name around it."""
    error = failure.args[0]
    return error.str() if isinstance(error, KafkaError) else str(error)

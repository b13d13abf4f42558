from __future__ import annotations

import time
from datetime import UTC, datetime

import msgspec
import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME

from features.errors import MalformedEvent
from features.events import Event, decode_event, encode_event
from producer.client import Producer, ProducerSettings
from producer.errors import DeliveryFailed, FlushTimedOut, KafkaUnreachable, TopicMissing
from producer.kafka import KafkaConnection
from producer.partitioner import murmur2_partition
from tests.producer.mock_kafka import MockKafka

# Port 1 is reserved and nobody listens on it.
NOWHERE = KafkaConnection("127.0.0.1:1")


def event(number: int = 1, user_id: str = "u1") -> Event:
    return Event(
        event_id=f"e{number}",
        user_id=user_id,
        type="page_view",
        timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


def settings_for(mock_kafka: MockKafka, topic: str, **config: str | int) -> ProducerSettings:
    return ProducerSettings(KafkaConnection(mock_kafka.bootstrap_servers, config), topic)


def test_events_arrive_keyed_in_the_murmur2_partition_and_in_order(mock_kafka: MockKafka) -> None:
    topic = mock_kafka.new_topic()
    users = [f"ü{number % 7}" for number in range(100)]
    with Producer(settings_for(mock_kafka, topic)) as producer:
        for number, user_id in enumerate(users):
            producer.send(event(number, user_id))

    records = mock_kafka.records(topic, len(users))
    numbers: dict[str, list[int]] = {}
    for record in records:
        sent = decode_event(record.value() or b"")
        assert (record.key() or b"").decode() == sent.user_id
        expected = murmur2_partition(sent.user_id.encode(), mock_kafka.partitions(topic))
        assert record.partition() == expected
        numbers.setdefault(sent.user_id, []).append(int(sent.event_id[1:]))
    assert len(numbers) == 7
    assert all(of_user == sorted(of_user) for of_user in numbers.values())


def test_record_timestamp_is_now_unless_given(mock_kafka: MockKafka) -> None:
    topic = mock_kafka.new_topic()
    before_ms = int(time.time() * 1000)
    with Producer(settings_for(mock_kafka, topic)) as producer:
        producer.send(event(1))
        producer.send(event(2), timestamp_ms=1_600_000_000_123)
        producer.send(event(3), timestamp_ms=-5)
    now, given, ancient = [record.timestamp() for record in mock_kafka.records(topic, 3)]
    assert before_ms <= now[1] <= time.time() * 1000
    assert given == (TIMESTAMP_CREATE_TIME, 1_600_000_000_123)
    assert ancient == (TIMESTAMP_CREATE_TIME, 1)


def test_malformed_event_is_refused_and_nothing_is_sent(mock_kafka: MockKafka) -> None:
    topic = mock_kafka.new_topic()
    with Producer(settings_for(mock_kafka, topic)) as producer:
        with pytest.raises(MalformedEvent, match="duration_s"):
            producer.send(msgspec.structs.replace(event(), duration_s=float("nan")))
        producer.send(event(2))
    assert len(mock_kafka.records(topic, 1)) == 1


def test_payload_known_to_be_valid_is_sent_as_it_is(mock_kafka: MockKafka) -> None:
    topic = mock_kafka.new_topic()
    payload = encode_event(event())[:-1] + b', "unknown": 1}'
    with Producer(settings_for(mock_kafka, topic)) as producer:
        producer.send_encoded(decode_event(payload), payload)
    assert mock_kafka.records(topic, 1)[0].value() == payload


def test_full_queue_makes_send_wait(mock_kafka: MockKafka) -> None:
    topic = mock_kafka.new_topic()
    small = {"queue.buffering.max.messages": 10}
    with Producer(settings_for(mock_kafka, topic, **small)) as producer:
        for number in range(500):
            producer.send(event(number))
    assert len(mock_kafka.records(topic, 500)) == 500


def test_undelivered_event_is_raised_with_its_id_and_the_reason() -> None:
    producer = Producer(ProducerSettings(NOWHERE, delivery_timeout_s=0.3))
    producer.send(event(17))
    producer.send(event(18))
    with pytest.raises(DeliveryFailed, match=r"e17 .*timed out") as raised:
        producer.flush(10)
    assert raised.value.event_id == "e17"
    assert raised.value.failed == 2


def test_failed_delivery_is_raised_by_a_later_send_once() -> None:
    producer = Producer(ProducerSettings(NOWHERE, delivery_timeout_s=0.3))
    producer.send(event(17))
    with pytest.raises(DeliveryFailed, match="e17"):
        send_until(producer, time.monotonic() + 10)
    producer.send(event(19))
    producer._kafka.purge()


def send_until(producer: Producer, deadline_s: float) -> None:
    while time.monotonic() < deadline_s:
        producer.send(event(18))
        producer.wait(0.05)


def test_event_too_large_for_kafka_is_named(mock_kafka: MockKafka) -> None:
    limited = settings_for(mock_kafka, mock_kafka.new_topic(), **{"message.max.bytes": 1000})
    with Producer(limited) as producer:
        with pytest.raises(DeliveryFailed, match=r"e5 .*too large"):
            producer.send_encoded(event(5), b"x" * 2000)
        producer.send(event(6))


def test_flush_says_how_many_remain() -> None:
    producer = Producer(ProducerSettings(NOWHERE))
    producer.send(event())
    with pytest.raises(FlushTimedOut, match=r"1 events were still not delivered after 0\.1 s"):
        producer.flush(0.1)
    producer._kafka.purge()


def test_leaving_normally_confirms_everything(mock_kafka: MockKafka) -> None:
    with Producer(settings_for(mock_kafka, mock_kafka.new_topic())) as producer:
        producer.send(event())
    assert len(producer._kafka) == 0


def test_check_tells_an_absent_broker_from_an_absent_topic(mock_kafka: MockKafka) -> None:
    with pytest.raises(KafkaUnreachable, match=r"127\.0\.0\.1:1 cannot be reached"):
        Producer(ProducerSettings(NOWHERE)).check(timeout_s=0.5)
    with pytest.raises(TopicMissing, match="absent does not exist: run `shoal topics create`"):
        Producer(settings_for(mock_kafka, "absent")).check()
    topic = mock_kafka.new_topic()
    assert Producer(settings_for(mock_kafka, topic)).check() == mock_kafka.partitions(topic)

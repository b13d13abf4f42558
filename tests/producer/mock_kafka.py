"""A broker without a server: librdkafka's mock cluster, reachable by any client of this machine."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition
from confluent_kafka import Producer as KafkaProducer

DEADLINE_S = 20.0


class MockKafka:
    """Lives as long as its first client; keeps the newest 5 MB of a partition in memory."""

    def __init__(self) -> None:
        logger = logging.getLogger("tests.mock_kafka")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        self._host = KafkaProducer({"test.mock.num.brokers": 1, "logger": logger})
        brokers = self._host.list_topics(timeout=DEADLINE_S).brokers.values()
        self.bootstrap_servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        self._topics = 0

    def new_topic(self) -> str:
        """Create a topic nobody else uses; the mock cluster does it when it is asked for one."""
        self._topics += 1
        topic = f"events-{self._topics}"
        deadline_s = time.monotonic() + DEADLINE_S
        while not self._host.list_topics(topic, timeout=DEADLINE_S).topics[topic].partitions:
            assert time.monotonic() < deadline_s, f"{topic} has no partitions"
        return topic

    def partitions(self, topic: str) -> int:
        return len(self._host.list_topics(topic, timeout=DEADLINE_S).topics[topic].partitions)

    def records(self, topic: str, expected: int) -> list[Message]:
        """Return the records of a topic by partition and offset; exactly the expected number."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap_servers, "group.id": "reader"})
        partitions = range(self.partitions(topic))
        consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
        try:
            records = list(self._consumed(consumer, expected))
        finally:
            consumer.close()
        return sorted(records, key=lambda record: (record.partition(), record.offset()))

    def _consumed(self, consumer: Consumer, expected: int) -> Iterator[Message]:
        deadline_s = time.monotonic() + DEADLINE_S
        seen = 0
        while seen < expected and time.monotonic() < deadline_s:
            for record in consumer.consume(10_000, timeout=0.2):
                assert record.error() is None, record.error()
                seen += 1
                yield record
        surplus = consumer.consume(1, timeout=0.3)
        assert (seen, surplus) == (expected, [])

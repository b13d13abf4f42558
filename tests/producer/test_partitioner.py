from __future__ import annotations

import pytest
from confluent_kafka import Producer as KafkaProducer
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.kafka import KafkaConnection
from producer.partitioner import murmur2, murmur2_partition, murmur2_partitions
from tests.producer.mock_kafka import DEADLINE_S, MockKafka

# From UtilsTest.testMurmur2 of Apache Kafka, where hashes are signed.
JAVA_VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
KEYS = [
    "",
    "a",
    "ab",
    "abc",
    "abcd",
    "u42",
    "Zoë",
    "用户42",
    "🐠",
    "x" * 31,
    "x" * 32,
    "x" * 1023,
    "x" * 1024,
    "x" * 3000,
    *(f"u{number}" for number in range(300)),
]


@pytest.mark.parametrize("key", JAVA_VECTORS)
def test_hash_is_that_of_the_java_client(key: bytes) -> None:
    assert murmur2(key) == JAVA_VECTORS[key] % 2**32


def test_sign_bit_is_dropped_before_the_remainder() -> None:
    assert murmur2_partition(b"21", 12) == (-973932308 & 0x7FFFFFFF) % 12


@settings(max_examples=200, deadline=None)
@given(
    keys=st.lists(st.binary(max_size=70) | st.binary(min_size=1000, max_size=1100), max_size=20),
    partitions=st.integers(1, 5000),
)
def test_many_keys_at_once_give_the_same_as_one_by_one(keys: list[bytes], partitions: int) -> None:
    expected = [murmur2_partition(key, partitions) for key in keys]
    assert murmur2_partitions(keys, partitions).tolist() == expected


def test_zero_bytes_at_the_end_are_part_of_the_key() -> None:
    keys = [b"", b"\0", b"\0\0", b"u\0", b"u"]
    assert murmur2_partitions(keys, 1 << 20).tolist() == [
        murmur2_partition(key, 1 << 20) for key in keys
    ]


def test_librdkafka_puts_every_key_where_we_expect_it(mock_kafka: MockKafka) -> None:
    topic = mock_kafka.new_topic()
    connection = KafkaConnection(mock_kafka.bootstrap_servers)
    producer = KafkaProducer(connection.producer_config(partitioner="murmur2"))
    for key in KEYS:
        producer.produce(topic, b"", key.encode())
    assert producer.flush(DEADLINE_S) == 0

    records = mock_kafka.records(topic, len(KEYS))
    found = [record.partition() for record in records]
    # An empty key arrives as none.
    keys = [record.key() or b"" for record in records]
    assert murmur2_partitions(keys, mock_kafka.partitions(topic)).tolist() == found
    assert len(set(found)) == mock_kafka.partitions(topic)

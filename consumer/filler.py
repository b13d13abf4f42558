"""A record that says nothing, written to be aborted.

A marker ends all that its producer has left open in a partition, a transaction included whose own
marker Kafka has lost (`lost_markers`); and a marker comes only where a record was written before.
Readers of committed records never see it. The others must pass over a record without a value.
"""

from confluent_kafka import Producer

_KEY = b""  # nobody's; a compacted topic takes no record without a key
_HEADERS: list[tuple[str, str | bytes | None]] = [("shoal.filler", b"says nothing")]


def abort_a_filler(producer: Producer, topic: str, partition: int, timeout_s: float) -> None:
    """Write one record and abort it.

    Raises:
        KafkaException: it may not have come to pass.
    """
    producer.begin_transaction()
    producer.produce(topic, value=None, key=_KEY, partition=partition, headers=_HEADERS)
    producer.flush(timeout_s)  # an abort takes back what has not been sent
    producer.abort_transaction(timeout_s)

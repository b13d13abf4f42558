"""A record that says nothing, written to be aborted.

A marker ends all that its producer has left open in a partition, a transaction included whose own
marker Kafka has lost (`lost_markers`); and a marker comes only where a record was written before.
Readers pass over a record without a value: those of uncommitted records always see it, the others
if Kafka loses the end of its transaction as well.
"""

from confluent_kafka import Message, Producer

_KEY = b""  # nobody's; a compacted topic takes no record without a key
_HEADER: tuple[str, str | bytes | None] = ("shoal.filler", b"says nothing")


def abort_a_filler(producer: Producer, topic: str, partition: int, timeout_s: float) -> None:
    """Write one record and abort it.

    Raises:
        KafkaException: it may not have come to pass.
    """
    producer.begin_transaction()
    producer.produce(topic, value=None, key=_KEY, partition=partition, headers=[_HEADER])
    producer.flush(timeout_s)  # an abort takes back what has not been sent
    producer.abort_transaction(timeout_s)


def is_filler(message: Message) -> bool:
    """Tell whether a record is one."""
    return message.value() is None and _HEADER in list(message.headers() or [])

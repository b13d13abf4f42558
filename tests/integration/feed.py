"""What a read_committed subscriber sees: whole topics, from their start to their end."""

from dataclasses import dataclass, field
from typing import cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from tests.integration.patience import eventually

READ_S_MAX = 120.0  # half a million records on a busy machine


@dataclass(frozen=True)
class Record:
    """One record as it stands in its partition; a tombstone's value is None."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """Give the last header of this name as text."""
        found = [value for key, value in self.headers if key == name]
        return found[-1].decode() if found and found[-1] is not None else None


Topics = dict[str, dict[int, list[Record]]]


def read_topics(kafka: str, *topics: str) -> Topics:
    """Read every committed record of topics, by topic and partition, in order of offset."""
    reader = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": "checker",  # asked for by the library, never joined
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.queue.backoff.ms": 1,
        }
    )
    try:
        partitions = {name: reader.list_topics(name, timeout=10).topics[name] for name in topics}
        found: Topics = {
            name: {number: [] for number in sorted(partitions[name].partitions)} for name in topics
        }
        reading = {(name, number) for name in topics for number in found[name]}
        reader.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in reading])

        def read_on() -> bool:
            for message in reader.consume(1_000, 0.02):
                error, place = message.error(), (message.topic() or "", message.partition() or 0)
                if error is None:
                    found[place[0]][place[1]].append(_record(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    reading.discard(place)
                else:
                    assert error.retriable(), f"{place} cannot be read: {error.str()}"
            return not reading

        eventually(read_on, READ_S_MAX, f"{', '.join(topics)} read to the end")
        return found
    finally:
        reader.close()


def _record(message: Message) -> Record:
    headers = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    return Record(
        message.offset() or 0, message.timestamp()[1], message.key(), message.value(), headers
    )

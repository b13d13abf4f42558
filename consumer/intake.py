"""What one fetch brought: Kafka messages, sorted out into records by partition, ends and errors."""

from dataclasses import dataclass, field
from itertools import groupby
from typing import cast

import numpy as np
from confluent_kafka import KafkaError, Message

from consumer.records import Headers, Records


@dataclass
class Arrived:
    """One fetch.

    Attributes:
        records: records by partition, in offset order.
        at_end: partitions whose last fetch reached the end of the log, and the offset there.
        errors: what the client reported besides.
    """

    records: dict[int, Records] = field(default_factory=dict)
    at_end: dict[int, int] = field(default_factory=dict)
    errors: list[KafkaError] = field(default_factory=list)


def is_end(error: KafkaError | None) -> bool:
    """Tell whether an error is the news that a partition has no more records for now."""
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001


def arrived(messages: list[Message]) -> Arrived:
    """Sort a fetch out.

    Messages come in runs of one partition, so the work per message is a few list comprehensions.
    """
    result = Arrived()
    for partition, run in groupby(messages, Message.partition):
        number, run_of = partition or 0, list(run)
        found = run_of
        errors = [error for message in found if (error := message.error()) is not None]
        if errors:
            found = [message for message in run_of if message.error() is None]
        if found:
            before = result.records.get(number)
            now = _records(found)
            result.records[number] = now if before is None else before.followed_by(now)
            result.at_end.pop(number, None)
        last = run_of[-1]
        if is_end(last.error()):
            result.at_end[number] = last.offset() or 0
        result.errors += [error for error in errors if not is_end(error)]
    return result


def _records(messages: list[Message]) -> Records:
    def headers(index: int) -> Headers:
        # The type stubs allow headers in forms that only `produce` takes.
        return cast("Headers", messages[index].headers() or [])

    return Records(
        offsets=np.array([message.offset() for message in messages], np.int64),
        timestamps_ms=np.array([message.timestamp()[1] for message in messages], np.int64),
        keys=[message.key() for message in messages],
        values=[message.value() for message in messages],
        headers=headers,
    )

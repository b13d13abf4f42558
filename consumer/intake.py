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
        at_end: partitions whose last fetch reached the end of the log.
        errors: what the client reported besides.
    """

    records: dict[int, Records] = field(default_factory=dict)
    at_end: set[int] = field(default_factory=set)
    errors: list[KafkaError] = field(default_factory=list)


def arrived(messages: list[Message]) -> Arrived:
    """Sort a fetch out.

    Messages come in runs of one partition, so the work per message is a few list comprehensions.
    """
    result = Arrived()
    for partition, run in groupby(messages, Message.partition):
        number, found = partition or 0, list(run)
        errors = [error for message in found if (error := message.error()) is not None]
        if errors:
            found = [message for message in found if message.error() is None]
        if found:
            before = result.records.get(number)
            now = _records(found)
            result.records[number] = now if before is None else before.followed_by(now)
            result.at_end.discard(number)
        for error in errors:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 -- its only name
                result.at_end.add(number)
            else:
                result.errors.append(error)
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

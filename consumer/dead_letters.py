"""Dead letters: records that could not be applied, kept whole, with a reason for people."""

from typing import cast

import msgspec
from confluent_kafka import Message

from consumer.records import Headers

# Reasons found by the worker; those of a payload come from `features.errors`.
EMPTY_KEY = "empty_key"
EMPTY_VALUE = "empty_value"
KEY_MISMATCH = "key_mismatch"
MISROUTED = "misrouted"
FUTURE = "future"
OVERSIZED = "oversized"

HEADER_PREFIX = "shoal.error."
OFFSET_HEADER = HEADER_PREFIX + "offset"
_DETAIL_CHARS_MAX = 2_000


class DeadLetter(msgspec.Struct, frozen=True, array_like=True):
    """One record as received, and why it could not be applied."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    reason: str
    detail: str


def dead_letter_headers(letter: DeadLetter, topic: str, partition: int) -> Headers:
    """Give the record's own headers followed by what went wrong and where it came from.

    A record that was a dead letter before (it was sent again) carries such headers already: they
    would contradict ours.
    """
    return [
        *((name, value) for name, value in letter.headers if not name.startswith(HEADER_PREFIX)),
        (HEADER_PREFIX + "reason", letter.reason.encode()),
        (HEADER_PREFIX + "detail", letter.detail[:_DETAIL_CHARS_MAX].encode(errors="replace")),
        (HEADER_PREFIX + "topic", topic.encode()),
        (HEADER_PREFIX + "partition", str(partition).encode()),
        (OFFSET_HEADER, str(letter.offset).encode()),
        (HEADER_PREFIX + "timestamp", str(letter.timestamp_ms).encode()),
    ]


def dead_letter_of(message: Message) -> DeadLetter | None:
    """Read back what was published; None for a record that is none of our dead letters."""
    headers = cast("Headers", message.headers() or [])
    ours = {
        name.removeprefix(HEADER_PREFIX): value.decode()
        for name, value in headers
        if name.startswith(HEADER_PREFIX) and value is not None
    }
    offset, timestamp = ours.get("offset", ""), ours.get("timestamp", "")
    if not (offset.isdecimal() and timestamp.isdecimal() and {"reason", "detail"} <= ours.keys()):
        return None
    return DeadLetter(
        offset=int(offset),
        timestamp_ms=int(timestamp),
        key=message.key(),
        value=message.value(),
        headers=[one for one in headers if not one[0].startswith(HEADER_PREFIX)],
        reason=ours["reason"],
        detail=ours["detail"],
    )

"""What must become of every record of a partition, judged one by one with the plain reference."""

from dataclasses import dataclass, field

from features.errors import MalformedEvent
from features.events import decode_event
from producer.partitioner import murmur2_partition
from tests.integration.feed import Record
from tests.reference import FUTURE_MS, Reference, time_ms_of


@dataclass
class Expected:
    """One partition after all its records.

    Attributes:
        reference: its users and stream time.
        dead: reason by offset, of the records that cannot be applied.
    """

    reference: Reference = field(default_factory=Reference)
    dead: dict[int, str] = field(default_factory=dict)

    @property
    def outcomes(self) -> dict[str, int]:
        """Records by outcome, dead ones by reason."""
        return dict(self.reference.counts)


def expect(
    records: list[Record], partition: int, partitions: int, event_bytes_max: int
) -> Expected:
    """Judge the records of a partition in the order of their offsets."""
    expected = Expected()
    for record in records:
        reason = _why_dead(record, partition, partitions, event_bytes_max)
        if reason is None:
            expected.reference.feed(record.timestamp_ms, decode_event(record.value or b""))
        else:
            expected.dead[record.offset] = reason
            expected.reference.skip(record.timestamp_ms, f"dead: {reason}")
    return expected


def _why_dead(record: Record, partition: int, partitions: int, event_bytes_max: int) -> str | None:
    if not record.value:
        return "empty_value"
    if len(record.value) > event_bytes_max:
        return "oversized"
    try:
        event = decode_event(record.value)
    except MalformedEvent as error:
        return error.reason
    if not record.key:
        return "empty_key"
    if record.key != event.user_id.encode():
        return "key_mismatch"
    if murmur2_partition(record.key, partitions) != partition:
        return "misrouted"
    if time_ms_of(event) > record.timestamp_ms + FUTURE_MS:
        return "future"
    return None

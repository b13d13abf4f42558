"""What a commit decided and Kafka has to be told: kept in Redis until the next commit."""

import msgspec

from consumer.dead_letters import DeadLetter
from segments.changes import Membership, SegmentChange


class Outbox(msgspec.Struct, frozen=True):
    """Changes and dead letters of one commit, in order."""

    changes: list[SegmentChange] = []
    dead: list[DeadLetter] = []

    def __bool__(self) -> bool:
        """Tell whether there is anything to publish."""
        return bool(self.changes or self.dead)

    def after(self, sequence: int, dead_offset: int) -> "Outbox":
        """Give what lies behind the last published change and the last published dead letter."""
        return Outbox(
            [change for change in self.changes if change.sequence > sequence],
            [letter for letter in self.dead if letter.offset > dead_offset],
        )


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Outbox).decode


def encode_outbox(outbox: Outbox) -> bytes:
    """Give the stored form; nothing to publish is an empty value."""
    return _encode(outbox) if outbox else b""


def decode_outbox(value: bytes) -> Outbox:
    """Read the stored form."""
    return _decode(value) if value else Outbox()


def membership_of(change: SegmentChange) -> Membership | None:
    """Give the membership a change leads to; None where its tombstone is due."""
    if change.current is None:
        return None
    return Membership(
        user_id=change.user_id,
        segment=change.current,
        since=change.event_time or change.changed_at,
        user_version=change.user_version,
        sequence=change.sequence,
        model_version=change.model_version,
    )

"""The messages that ad systems receive, as they stand on the topics.

These structs are the single definition: encoding, decoding by subscribers and the published
JSON Schemas all come from them.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec

CHANGE_TYPE = "shoal.segment.changed.v1"

Cause = Literal["behaviour", "expiry", "profile", "model", "replay", "forget"]
Time = Annotated[
    str,
    msgspec.Meta(
        description="RFC 3339, UTC, milliseconds", extra_json_schema={"format": "date-time"}
    ),
]
Count = Annotated[int, msgspec.Meta(ge=1)]


class SegmentRef(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A segment as messages name it.

    Attributes:
        id: Never reused.
        name: What it was called in the model version of the message.
    """

    id: int
    name: str


class Reason(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One feature's part in a move.

    Attributes:
        feature: Its name in the catalogue.
        value: The user's value in the feature's own unit; null when unknown.
        contribution: Its part of the difference of the squared distances to the two centroids.
    """

    feature: str
    value: float | None
    contribution: float


class SegmentChange(msgspec.Struct, frozen=True, kw_only=True):
    """A user moved: one record of the changes topic.

    Attributes:
        change_id: "<partition>-<sequence>", unique.
        user_id: Who.
        previous: Where they were; null the first time.
        current: Where they are; null when forgotten or removed.
        cause: behaviour (an event), expiry (the window moved on without one), profile (a
            profile update), model (the first model, or a new major version), replay, forget.
        model_version: Version that decided, "major.minor"; null if no model was involved.
        margin: How safely the user is in `current`, −1 to 1; null without a current segment.
        reasons: The features that did most, largest contribution first.
        event_time: Time of the event that decided; null when no event did.
        changed_at: When it was decided.
        user_version: Rises by 1 per change of this user; again from 1 after `current: null`.
        sequence: Rises by 1 per change of this partition.
        source_offset: Offset of the input record that decided it (a sweep: the one before the
            next to read).
    """

    change_id: str
    user_id: str
    previous: SegmentRef | None
    current: SegmentRef | None
    cause: Cause
    model_version: str | None
    margin: float | None
    reasons: list[Reason]
    event_time: Time | None
    changed_at: Time
    user_version: Count
    sequence: Count
    source_offset: int


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Where a user is now: one record of the compacted memberships topic.

    Attributes:
        user_id: Who.
        segment: Where they are.
        since: When they got there.
        user_version: Of the change that put them there.
        sequence: Likewise.
        model_version: Likewise.
    """

    user_id: str
    segment: SegmentRef
    since: Time
    user_version: Count
    sequence: Count
    model_version: str | None


_encoder = msgspec.json.Encoder()
encode_change = _encoder.encode
"""A `SegmentChange` or a `Membership` to JSON bytes."""

decode_change = msgspec.json.Decoder(SegmentChange).decode
decode_membership = msgspec.json.Decoder(Membership).decode


def change_headers(change: SegmentChange, source: bytes) -> list[tuple[str, bytes]]:
    """Headers of a change: CloudEvents 1.0, Kafka protocol binding, binary content mode.

    Args:
        change: The change in the record's value.
        source: Whose changes these are, for instance b"/shoal/default". Together with the
            change id it names one change among those of several deployments.

    Returns:
        Name and value of each header.
    """
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", change.change_id.encode()),
        ("ce_type", CHANGE_TYPE.encode()),
        ("ce_source", source),
        ("ce_time", change.changed_at.encode()),
        ("content-type", b"application/json"),
    ]


@lru_cache(maxsize=4096)  # the records of a batch share few distinct seconds
def _second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def rfc3339(epoch_ms: int) -> str:
    """Write a time as the messages do.

    Args:
        epoch_ms: Unix time in ms.

    Returns:
        For instance "2026-11-24T03:00:00.123Z".
    """
    second, ms = divmod(epoch_ms, 1000)
    return f"{_second(second)}.{ms:03d}Z"


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schemas (2020-12) of the published messages.

    Returns:
        "segment-change" and "segment-membership" → schema.
    """
    named = {"segment-change": SegmentChange, "segment-membership": Membership}
    return {
        name: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": name,
            **msgspec.json.schema(struct),
        }
        for name, struct in named.items()
    }

"""The six topics: their names, and the settings that keep Shoal's promises."""

from dataclasses import dataclass

from features.tiles import DAY_MS

# A dead letter's headers name reason and place; they must fit beside a value of any size.
DEAD_LETTER_HEADROOM_BYTES = 64 * 1024
BROKER_MESSAGE_BYTES_MAX = 1_048_588  # Kafka's own default of message.max.bytes

# Samples and models have one partition: training has one total order.
ONLY_PARTITION = 0

# An event may lie 5 minutes ahead of its record (DESIGN: `future`); the record timestamp itself
# may not run ahead of the broker by more, or stream time would jump for everybody.
TIMESTAMP_AHEAD_MS_MAX = 300_000


@dataclass(frozen=True, kw_only=True)
class TopicNames:
    """The names of the six topics."""

    events: str = "user-events"
    changes: str = "segment-changes"
    memberships: str = "segment-memberships"
    samples: str = "training-samples"
    models: str = "segment-models"
    dead: str = "user-events-dead"


@dataclass(frozen=True)
class TopicSpec:
    """A topic as `shoal topics create` makes it: partition count and broker-side settings."""

    name: str
    partitions: int
    config: dict[str, str]


def topic_specs(
    names: TopicNames,
    partitions: int,
    *,
    event_clock: bool,
    event_bytes_max: int = BROKER_MESSAGE_BYTES_MAX,
) -> list[TopicSpec]:
    """Describe the six topics.

    Args:
        names: topic names.
        partitions: partition count of the events; changes, memberships and dead letters share it,
            because a user has the same partition number in all of them.
        event_clock: historical data is replayed, so record timestamps are old: a finite retention
            would delete them at once.
        event_bytes_max: the message limit of the events topic; dead letters get headroom above it.
    """
    keep_events_ms = -1 if event_clock else 35 * DAY_MS
    return [
        TopicSpec(
            names.events,
            partitions,
            {
                "cleanup.policy": "delete",
                "retention.ms": str(keep_events_ms),
                "max.message.bytes": str(event_bytes_max),
                "message.timestamp.after.max.ms": str(TIMESTAMP_AHEAD_MS_MAX),
            },
        ),
        TopicSpec(
            names.changes,
            partitions,
            {"cleanup.policy": "delete", "retention.ms": str(7 * DAY_MS)},
        ),
        TopicSpec(names.memberships, partitions, {"cleanup.policy": "compact"}),
        # One partition: one total order, so that training can be repeated bit for bit.
        TopicSpec(names.samples, 1, {"cleanup.policy": "delete", "retention.ms": str(2 * DAY_MS)}),
        TopicSpec(names.models, 1, {"cleanup.policy": "compact"}),
        TopicSpec(
            names.dead,
            partitions,
            {
                "cleanup.policy": "delete",
                "retention.ms": str(14 * DAY_MS),
                "max.message.bytes": str(event_bytes_max + DEAD_LETTER_HEADROOM_BYTES),
            },
        ),
    ]

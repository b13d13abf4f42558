"""What the worker, the trainer and the readers need to know, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from consumer.topics import BROKER_MESSAGE_BYTES_MAX, TopicNames
from features.catalogue import MODEL_FEATURES
from producer.kafka import KafkaConnection

Clock = Literal["wall", "event"]


@dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """The settings of one deployment; `shoal.wiring` fills it from the environment."""

    kafka: KafkaConnection
    redis_url: str
    namespace: str = "shoal"
    group: str = "shoal"
    topics: TopicNames = field(default_factory=TopicNames)
    clock: Clock = "wall"

    # Who is assigned and sampled, and for how long a silent user is kept.
    min_events: int = 5
    sample_interval_s: int = 600
    removal_days: int = 90

    # Segmentation (used by the trainer): None = choose k from the data.
    segments: int | None = 6
    model_features: Sequence[str] = MODEL_FEATURES
    bootstrap_days: float = 14.0  # days that people are watched before the first model

    # Sizes. A batch may touch as many users as it has records, and a sweep comes on top, all of
    # them in the cache at once: cache_users >= batch_records + sweep_users.
    batch_records: int = 10_000
    cache_users: int = 50_000
    sweep_users: int = 2_000
    reassign_users_per_s: int = 5_000  # of those whom a new major version has queued
    event_bytes_max: int = BROKER_MESSAGE_BYTES_MAX

    # Times. Within the group's session the broker believes a silent worker alive; the outage limit
    # is how long Redis or Kafka may be away before the process stops with exit code 3.
    session_timeout_ms: int = 45_000
    outage_limit_s: float = 600.0
    redis_timeout_s: float = 5.0
    transaction_timeout_ms: int = 10_000

    def __post_init__(self) -> None:
        """Hold the relations between the numbers above."""
        if self.cache_users < self.batch_records + self.sweep_users:
            msg = (
                f"cache_users is {self.cache_users}; it must hold one batch and one sweep: "
                f"at least batch_records + sweep_users = {self.batch_records + self.sweep_users}"
            )
            raise ValueError(msg)

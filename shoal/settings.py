"""Settings: environment variables SHOAL_…, or lines of a file `.env` in the working directory.

`docs/settings.md` is generated from the descriptions here.
"""

import json
import os
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    SettingsConfigDict,
)

from consumer.redis_client import CLUSTER_SCHEME
from consumer.topics import BROKER_MESSAGE_BYTES_MAX, DEAD_LETTER_HEADROOM_BYTES, TopicNames
from features.catalogue import FEATURE_NAMES, MODEL_FEATURES
from producer.kafka import Option
from shoal.errors import SettingsError
from shoal.settings_errors import PREFIX, refuse_misspelt, sentence, variable

WINDOW_DAYS = 28
# librdkafka closes a member's session when it has not polled for this long (its own default), and
# wants session.timeout.ms to be no longer.
POLL_INTERVAL_MS_MAX = 300_000
# Kafka's broker sends nothing larger than a signed 32-bit size, and clients stop well before it.
MESSAGE_BYTES_MAX = 100_000_000

_NAMES = TopicNames()
_Topic = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
# Braces would break the hash tags of the Redis keys, spaces the command lines of operators.
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


def segments_wanted(text: str) -> int | Literal["auto"]:
    """Read a number of segments, or auto.

    Raises:
        ValueError: it is neither; the text says what is allowed.
    """
    text = text.strip().lower()
    if text == "auto":
        return "auto"
    if not text.isdecimal() or not 2 <= int(text) <= 50:
        msg = "must be a whole number from 2 to 50, or auto"
        raise ValueError(msg)
    return int(text)


class Settings(BaseSettings):
    """Every setting, validated; relations between numbers are checked at the end."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    # Services
    kafka_bootstrap_servers: str = Field(
        "localhost:9092", min_length=1, description="Kafka: host:port, several separated by commas."
    )
    kafka_config: Annotated[dict[str, Option], NoDecode] = Field(
        default_factory=dict,
        repr=False,
        description="Further client settings by librdkafka's names, as a JSON object: SASL, TLS, …",
    )
    redis_url: str = Field(
        "redis://localhost:6379/0",
        repr=False,
        description="Redis: redis://, rediss:// (TLS), redis+cluster:// or unix://.",
    )
    namespace: _Name = Field(
        "shoal", description="First part of every Redis key: several Shoals can share one Redis."
    )
    group: _Name = Field(
        "shoal",
        description="Kafka consumer group of the workers; the trainer's has `-trainer` behind it.",
    )

    # Topics
    topic_events: _Topic = Field(_NAMES.events, description="Topic that is read.")
    topic_changes: _Topic = Field(_NAMES.changes, description="Topic of segment changes.")
    topic_memberships: _Topic = Field(
        _NAMES.memberships, description="Compacted topic of current segments."
    )
    topic_samples: _Topic = Field(
        _NAMES.samples, description="Topic of feature vectors that the trainer learns from."
    )
    topic_models: _Topic = Field(_NAMES.models, description="Compacted topic of model releases.")
    topic_dead: _Topic = Field(_NAMES.dead, description="Topic of records that cannot be applied.")
    partitions: int = Field(
        12,
        ge=1,
        le=10_000,
        description="Partitions that `shoal topics create` gives the events topic. Users stay on "
        "their partition for ever, so it cannot be changed later.",
    )
    replication_factor: int | None = Field(
        None,
        ge=1,
        le=32,
        description="Replicas that `shoal topics create` asks for; unset: 3, or as many as there "
        "are brokers.",
    )
    event_bytes_max: int = Field(
        BROKER_MESSAGE_BYTES_MAX,
        ge=1_024,
        le=MESSAGE_BYTES_MAX,
        description="Largest record of the events topic; dead letters get 64 KiB more.",
    )

    # Features and segments
    clock: Literal["wall", "event"] = Field(
        "wall",
        description="wall: live data, windows also move on with the clock. event: historical data, "
        "time is only what the records say, and the events topic keeps old records.",
    )
    segments: int | Literal["auto"] = Field(
        6, description="Number of segments, 2 to 50, or auto: the largest number that is stable."
    )
    model_features: Annotated[tuple[str, ...], NoDecode] = Field(
        MODEL_FEATURES,
        description="Features that decide a user's segment, separated by commas. Traits such as "
        "age or gender describe segments and never decide.",
    )
    bootstrap_days: float = Field(
        14.0,
        ge=0,
        le=28,
        description="Days of stream time that people are watched before the first model. 7 gives "
        "segments earlier, at about twice the changes of steady users; see docs/segmentation.md.",
    )
    min_events: int = Field(
        5, ge=1, description="Applied events before a user without known metrics gets a segment."
    )
    sample_interval_s: int = Field(
        600, ge=0, description="A user is sampled for training at most this often (stream time)."
    )
    removal_days: int = Field(
        90, ge=1, le=3_650, description="A user without any event for so long is removed."
    )

    # Sizes and times
    batch_records: int = Field(
        10_000, ge=1, le=1_000_000, description="Records taken at once, over all partitions."
    )
    sweep_users: int = Field(
        2_000, ge=1, le=1_000_000, description="Users without new events looked at between batches."
    )
    reassign_users_per_s: int = Field(
        5_000,
        ge=1,
        description="After a new major model version, users a second that each worker looks at "
        "again; live events come first.",
    )
    cache_users: int = Field(
        100_000, ge=2, description="User states held in memory, about 2.3 KB each."
    )
    outage_limit_s: float = Field(
        600.0,
        gt=0,
        description="How long Kafka or Redis may be away, or Redis full or read-only, before a "
        "worker or trainer ends with exit code 3. Until then it waits and goes on by itself.",
    )
    session_timeout_ms: int = Field(
        45_000,
        ge=1_000,
        le=POLL_INTERVAL_MS_MAX,
        description="After so long without a sign of life a worker's partitions go to others.",
    )
    redis_timeout_s: float = Field(
        5.0, gt=0, le=60, description="How long one Redis call may take before it is asked again."
    )
    transaction_timeout_ms: int = Field(
        10_000, ge=1_000, le=900_000, description="How long one Kafka transaction may take."
    )

    # Monitoring
    metrics_port: int = Field(
        0,
        ge=0,
        le=65_534,
        description="Port of /metrics, /healthz and /readyz of a worker or trainer; 0: none. With "
        "`shoal run` the trainer has the next port.",
    )
    metrics_address: str = Field(
        "127.0.0.1",
        min_length=1,
        description="IPv4 address to serve them on; 0.0.0.0: on every one.",
    )

    # Logs
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least important log line to show; logs go to stderr."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: lines for people at a terminal, JSON lines elsewhere."
    )

    @field_validator("kafka_config", mode="before")
    @classmethod
    def _parse_object(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = None
        plain = isinstance(parsed, dict) and not any(
            isinstance(option, (dict, list)) or option is None for option in parsed.values()
        )
        if not plain:
            msg = 'must be a JSON object of plain values such as {"security.protocol": "SSL"}'
            raise ValueError(msg)
        return parsed

    @field_validator("redis_url")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        if not value.startswith(("redis://", "rediss://", "unix://", CLUSTER_SCHEME)):
            msg = f"must start with redis://, rediss://, {CLUSTER_SCHEME} or unix://"
            raise ValueError(msg)
        return value

    @field_validator("segments", mode="before")
    @classmethod
    def _number_or_auto(cls, value: object) -> object:
        return segments_wanted(str(value))

    @field_validator("model_features", mode="before")
    @classmethod
    def _known_features(cls, value: object) -> object:
        names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
        if not isinstance(names, (list, tuple)) or len(names) < 2 or len(set(names)) < len(names):
            msg = "must name at least two features, each once, separated by commas"
            raise ValueError(msg)
        unknown = [name for name in names if name not in FEATURE_NAMES]
        if unknown:
            msg = f"must only name features that exist: {', '.join(FEATURE_NAMES)}"
            raise ValueError(msg)
        return tuple(names)

    @model_validator(mode="after")
    def _relations(self) -> Self:
        """Hold the relations between settings; each sentence names the setting to change."""
        taken: dict[str, str] = {}
        for name in TOPIC_SETTINGS:
            topic = getattr(self, name)
            if topic in taken:
                msg = (
                    f"{variable(name)} is {topic!r}, but so is {variable(taken[topic])}; give each "
                    "topic its own name"
                )
                raise ValueError(msg)
            taken[topic] = name
        # All users of a batch and of the sweep behind it are in the cache at once.
        held = self.batch_records + self.sweep_users
        if self.cache_users < held:
            msg = (
                f"SHOAL_CACHE_USERS is {self.cache_users}, but must hold a batch and a sweep: at "
                f"least SHOAL_BATCH_RECORDS + SHOAL_SWEEP_USERS = {held}"
            )
            raise ValueError(msg)
        # A user removed earlier would lose tiles that still count: the last tile leaves the window
        # 28 days after the last event, and the sweep looks at the midnight after that.
        if self.removal_days <= WINDOW_DAYS:
            msg = (
                f"SHOAL_REMOVAL_DAYS is {self.removal_days}, but must be more than the rolling "
                f"window's {WINDOW_DAYS} days"
            )
            raise ValueError(msg)
        # One commit is a Redis call and a transaction; the limit must leave time for one try.
        one_try_s = self.redis_timeout_s + self.transaction_timeout_ms / 1000
        if self.outage_limit_s < one_try_s:
            msg = (
                f"SHOAL_OUTAGE_LIMIT_S is {self.outage_limit_s:g}, but one try may take "
                f"SHOAL_REDIS_TIMEOUT_S + SHOAL_TRANSACTION_TIMEOUT_MS = {one_try_s:g} s"
            )
            raise ValueError(msg)
        # Between two polls a worker commits to Redis (asked twice at most) and to Kafka; longer
        # than the poll interval, and the group takes its partitions away in the middle of it.
        commit_ms = 2 * self.redis_timeout_s * 1000 + self.transaction_timeout_ms
        if commit_ms >= POLL_INTERVAL_MS_MAX:
            msg = (
                f"SHOAL_TRANSACTION_TIMEOUT_MS is {self.transaction_timeout_ms}; with twice "
                f"SHOAL_REDIS_TIMEOUT_S it must stay below Kafka's {POLL_INTERVAL_MS_MAX} ms "
                "between two polls"
            )
            raise ValueError(msg)
        # A dead letter is the record and its reason; it must fit under the same ceiling.
        if self.event_bytes_max + DEAD_LETTER_HEADROOM_BYTES > MESSAGE_BYTES_MAX:
            msg = (
                f"SHOAL_EVENT_BYTES_MAX is {self.event_bytes_max}, but must leave "
                f"{DEAD_LETTER_HEADROOM_BYTES} bytes for dead letters below {MESSAGE_BYTES_MAX}"
            )
            raise ValueError(msg)
        return self


TOPIC_SETTINGS = (
    "topic_events",
    "topic_changes",
    "topic_memberships",
    "topic_samples",
    "topic_models",
    "topic_dead",
)


def load_settings() -> Settings:
    """Read the environment and `.env`.

    Raises:
        SettingsError: a value makes no sense, or a name is misspelt; the sentence names the
            variable and the remedy.
    """
    given = [*os.environ, *DotEnvSettingsSource(Settings).env_vars]
    refuse_misspelt(given, [variable(name) for name in Settings.model_fields])
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(sentence(error)) from None

"""Making the six topics what they have to be: missing ones created, drifted settings corrected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from consumer.errors import ProtectsData, ServiceUnavailable
from consumer.setup import open_admin, reach
from consumer.topics import TopicSpec
from producer.kafka import KafkaConnection
from shoal.errors import WrongUse

CREATES_WITHIN_S = 30.0
REPLICAS = 3
_RETENTION = "retention.ms"
_UNLIMITED = -1

# What a broker says when the operator, not the world, has to do something.
_OPERATOR = {
    KafkaError.INVALID_CONFIG: "Shoal needs Kafka 3.6 or newer",
    KafkaError.INVALID_REPLICATION_FACTOR: "set SHOAL_REPLICATION_FACTOR",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "give the user the right to create topics",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "give the user the right to create and alter topics",
    KafkaError.POLICY_VIOLATION: "the cluster's own policy forbids it; ask who runs it",
}

Configs = dict[str, dict[str, str]]
"""Topic → setting → value."""


@dataclass(frozen=True)
class Drift:
    """A topic setting that is not what it should be."""

    setting: str
    found: str | None
    wanted: str


@dataclass(frozen=True)
class TopicOutcome:
    """What became of one topic."""

    name: str
    partitions: int
    action: Literal["created", "changed", "unchanged"]
    changes: Sequence[Drift] = field(default_factory=tuple)


def make_topics(
    kafka: KafkaConnection, specs: Sequence[TopicSpec], replication_factor: int | None
) -> list[TopicOutcome]:
    """Create what is missing and correct what has drifted; asked again, it changes nothing.

    Raises:
        ServiceUnavailable: Kafka cannot be reached.
        ProtectsData: a topic exists with another number of partitions.
        WrongUse: the broker refuses for a reason that the operator can mend.
    """
    admin = open_admin(kafka)
    brokers, existing = reach(admin, kafka.bootstrap_servers)
    for spec in specs:
        _check_partitions(spec, existing)
    missing = [spec for spec in specs if spec.name not in existing]
    _create(admin, missing, replication_factor or min(REPLICAS, brokers))
    kept = [spec for spec in specs if spec.name in existing]
    drifted = drifts(kept, read_configs(admin, [spec.name for spec in kept]))
    _correct(admin, drifted)
    created = [TopicOutcome(spec.name, spec.partitions, "created") for spec in missing]
    found = [
        TopicOutcome(
            spec.name,
            spec.partitions,
            "changed" if spec.name in drifted else "unchanged",
            drifted.get(spec.name, ()),
        )
        for spec in kept
    ]
    return created + found


def read_configs(admin: AdminClient, names: Sequence[str]) -> Configs:
    """Read the settings of topics.

    Raises:
        WrongUse, ServiceUnavailable: the broker does not tell.
    """
    if not names:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    found: Configs = {}
    for resource, answer in admin.describe_configs(resources).items():
        try:
            entries = answer.result(CREATES_WITHIN_S)
        except (KafkaException, TimeoutError) as error:
            raise _told(error, f"cannot read the settings of {resource.name}") from error
        found[resource.name] = {name: entry.value for name, entry in entries.items()}
    return found


def drifts(specs: Sequence[TopicSpec], found: Configs) -> dict[str, list[Drift]]:
    """Compare; topics without a difference are left out.

    A retention longer than needed is no drift: shortening it would delete records at once, and
    whoever made it longer had a reason.
    """
    differing = {
        spec.name: [
            Drift(setting, found[spec.name].get(setting), wanted)
            for setting, wanted in spec.config.items()
            if not _satisfies(setting, found[spec.name].get(setting), wanted)
        ]
        for spec in specs
    }
    return {name: settings for name, settings in differing.items() if settings}


def _satisfies(setting: str, found: str | None, wanted: str) -> bool:
    if setting == _RETENTION and found is not None:
        return int(found) == _UNLIMITED or (int(wanted) != _UNLIMITED and int(found) >= int(wanted))
    return found == wanted


def _check_partitions(spec: TopicSpec, existing: Mapping[str, int]) -> None:
    count = existing.get(spec.name, spec.partitions)
    if count == spec.partitions:
        return
    remedy = (
        f"set SHOAL_PARTITIONS={count}, or choose other topic names (SHOAL_TOPIC_…)"
        if spec.partitions > 1
        else "delete it, or choose another name for it"
    )
    msg = (
        f"the topic {spec.name} exists with {count} partitions, wanted are {spec.partitions}; "
        f"changing them would send users to other partitions than their state: {remedy}"
    )
    raise ProtectsData(msg)


def _create(admin: AdminClient, specs: Sequence[TopicSpec], replicas: int) -> None:
    if not specs:
        return
    wanted = [
        NewTopic(
            spec.name,
            num_partitions=spec.partitions,
            replication_factor=replicas,
            config=spec.config,
        )
        for spec in specs
    ]
    for name, answer in admin.create_topics(wanted).items():
        try:
            answer.result(CREATES_WITHIN_S)
        except (KafkaException, TimeoutError) as error:
            if not _already_there(error):
                raise _told(error, f"cannot create the topic {name}") from error


def _correct(admin: AdminClient, drifted: Mapping[str, Sequence[Drift]]) -> None:
    if not drifted:
        return
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(
                    drift.setting, drift.wanted, incremental_operation=AlterConfigOpType.SET
                )
                for drift in drifts_of_topic
            ],
        )
        for name, drifts_of_topic in drifted.items()
    ]
    for resource, answer in admin.incremental_alter_configs(resources).items():
        try:
            answer.result(CREATES_WITHIN_S)
        except (KafkaException, TimeoutError) as error:
            raise _told(error, f"cannot change the topic {resource.name}") from error


def _already_there(error: Exception) -> bool:
    """Tell whether somebody was faster, which is as good."""
    return (
        isinstance(error, KafkaException)
        and error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
    )


def _told(error: KafkaException | TimeoutError, what: str) -> Exception:
    """Give our error for the broker's refusal or silence, by who has to act."""
    if isinstance(error, TimeoutError):
        return ServiceUnavailable(f"{what}: Kafka does not answer; look at its log, try again")
    reason: KafkaError = error.args[0]
    remedy = _OPERATOR.get(reason.code())
    if remedy:
        return WrongUse(f"{what}: {reason.str()}; {remedy}")
    return ServiceUnavailable(f"{what}: {reason.str()}; look at Kafka's log, then try again")

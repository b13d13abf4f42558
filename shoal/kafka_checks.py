"""What `shoal doctor` asks Kafka."""

from consumer.errors import NotSetUp, ServiceUnavailable
from consumer.setup import check_topics, open_admin, reach
from consumer.topics import TopicSpec
from shoal.checks import Check
from shoal.errors import WrongUse
from shoal.settings import Settings
from shoal.topic_setup import drifts, read_configs
from shoal.topics import wanted_topics
from shoal.wiring import kafka_connection, worker_config


def check_kafka(settings: Settings) -> list[Check]:
    """Is it there, and are the topics what they have to be?"""
    servers = settings.kafka_bootstrap_servers
    admin = open_admin(kafka_connection(settings))
    try:
        brokers, counts = reach(admin, servers)
    except ServiceUnavailable as error:
        return [Check("kafka", "unreachable", str(error))]
    plural = "s" if brokers > 1 else ""
    checks = [Check("kafka", "ok", f"{brokers} broker{plural} at {servers}")]
    try:
        check_topics(worker_config(settings))
    except (NotSetUp, ServiceUnavailable) as error:
        return [*checks, Check("topics", "failed", str(error))]
    existing = counts.get(settings.topic_events)
    if existing == settings.partitions:
        checks.append(Check("topics", "ok", f"all six, {existing} partitions"))
    else:
        detail = (
            f"{settings.topic_events} has {existing} partitions, SHOAL_PARTITIONS is "
            f"{settings.partitions}: set SHOAL_PARTITIONS={existing}"
        )
        checks.append(Check("topics", "warning", detail))
    specs = wanted_topics(settings)
    try:
        found = read_configs(admin, [spec.name for spec in specs])
    except (WrongUse, ServiceUnavailable) as error:
        return [*checks, Check("topic settings", "warning", str(error))]
    return [*checks, _check_drift(specs, found)]


def _check_drift(specs: list[TopicSpec], found: dict[str, dict[str, str]]) -> Check:
    """Compare what the topics are set to with what they have to be."""
    differing = [
        f"{name}: {drift.setting} is {drift.found}, not {drift.wanted}"
        for name, drifts_of_topic in drifts(specs, found).items()
        for drift in drifts_of_topic
    ]
    if not differing:
        return Check("topic settings", "ok", "as `shoal topics create` sets them")
    detail = f"{'; '.join(differing)}; run `shoal topics create`"
    return Check("topic settings", "warning", detail)

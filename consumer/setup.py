"""What must be in place before a worker starts, each missing piece told in one sentence."""

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from consumer.config import WorkerConfig
from consumer.errors import NotSetUp, ProtectsData, ServiceUnavailable
from consumer.keys import topology_key
from consumer.redis_client import RedisClient
from consumer.store import calling_redis, needing_redis
from consumer.topics import DEAD_LETTER_HEADROOM_BYTES
from consumer.topology import check_topology, current_topology, decode_topology, encode_topology
from producer.kafka import KafkaConnection

_log = structlog.get_logger(__name__)

KAFKA_ANSWERS_WITHIN_S = 5.0
_LIMIT = "max.message.bytes"


def open_admin(kafka: KafkaConnection) -> AdminClient:
    """Give an admin client; nothing is connected yet."""
    return AdminClient(kafka.admin_config())  # type: ignore[arg-type]  # the stubs forget `logger`


def reach(admin: AdminClient, servers: str) -> tuple[int, dict[str, int]]:
    """Give the number of brokers, and each topic's number of partitions.

    Raises:
        ServiceUnavailable: no broker answers within five seconds.
    """
    try:
        metadata = admin.list_topics(timeout=KAFKA_ANSWERS_WITHIN_S)
    except KafkaException as error:
        msg = (
            f"Kafka cannot be reached at {servers} ({error.args[0].str()}): start it, or set "
            "SHOAL_KAFKA_BOOTSTRAP_SERVERS"
        )
        raise ServiceUnavailable(msg) from error
    counts = {name: len(topic.partitions) for name, topic in metadata.topics.items()}
    return len(metadata.brokers), counts


def partition_counts(config: WorkerConfig) -> dict[str, int]:
    """Give the partition count of every topic that exists.

    Raises:
        ServiceUnavailable: Kafka cannot be reached.
    """
    return reach(open_admin(config.kafka), config.kafka.bootstrap_servers)[1]


def check_topics(config: WorkerConfig) -> int:
    """Check that the six topics fit together; give the partition count of the events.

    Raises:
        ServiceUnavailable: Kafka cannot be reached.
        NotSetUp: a topic is missing, or has the wrong number of partitions.
    """
    names, counts = config.topics, partition_counts(config)
    wanted = [
        names.events, names.changes, names.memberships, names.dead, names.samples, names.models,
    ]  # fmt: skip
    missing = [name for name in wanted if not counts.get(name)]
    if missing:
        what = "topics" if len(missing) > 1 else "topic"
        verb = "do" if len(missing) > 1 else "does"
        msg = f"the {what} {', '.join(missing)} {verb} not exist: run `shoal topics create`"
        raise NotSetUp(msg)
    partitions = counts[names.events]
    for name in (names.changes, names.memberships, names.dead):
        if counts[name] != partitions:
            msg = (
                f"{name} has {counts[name]} partitions, {names.events} has {partitions}: a user "
                f"must have the same partition in both. Delete {name} and run `shoal topics create`"
            )
            raise NotSetUp(msg)
    for name in (names.samples, names.models):
        if counts[name] != 1:
            msg = (
                f"{name} has {counts[name]} partitions; it must have 1, so that training has one "
                f"total order. Delete it and run `shoal topics create`"
            )
            raise NotSetUp(msg)
    return partitions


def check_redis(config: WorkerConfig, client: RedisClient, partitions: int) -> None:
    """Check that Redis keeps what it is given, and that its state has this release's shape.

    Raises:
        ServiceUnavailable: Redis cannot be reached.
        ProtectsData: Redis evicts keys, or the state was written with another shape.
    """
    key, ours = topology_key(config.namespace), current_topology(partitions)
    needing_redis(lambda: write_topology(config, client, partitions))
    stored = needing_redis(lambda: client.get(key))
    check_topology(decode_topology(stored), ours, config.namespace)
    policy = redis_setting(client, "maxmemory-policy")
    if policy is not None and policy != "noeviction":
        msg = (
            f"Redis has maxmemory-policy {policy}: under memory pressure it would throw users away "
            "unnoticed. Run `redis-cli CONFIG SET maxmemory-policy noeviction` (and put it into "
            "redis.conf)"
        )
        raise ProtectsData(msg)
    if redis_setting(client, "appendonly") == "no":
        _log.warning(
            "Redis runs without its append-only file: after a restart everything is rebuilt from "
            "the topic; set `appendonly yes`"
        )


def write_topology(config: WorkerConfig, client: RedisClient, partitions: int) -> None:
    """Note the shape of the state for all to check against, unless it is there already.

    Raises:
        RedisAway: Redis did not answer.
    """
    shape = encode_topology(current_topology(partitions))
    calling_redis(lambda: client.set(topology_key(config.namespace), shape, nx=True))


def redis_setting(client: RedisClient, name: str) -> str | None:
    """Read one of Redis's own settings; None where the server does not tell (managed services)."""
    try:
        found = client.config_get(name)
    except Exception:  # noqa: BLE001 -- refused in as many ways as there are services
        return None
    value = found.get(name) if isinstance(found, dict) else None
    return value.decode() if isinstance(value, bytes) else value


def prepare(config: WorkerConfig, client: RedisClient) -> int:
    """Check everything; give the partition count of the events topic.

    Raises:
        ServiceUnavailable, NotSetUp, ProtectsData: see the checks.
    """
    partitions = check_topics(config)
    check_redis(config, client, partitions)
    raise_dead_letter_limit(config)
    return partitions


def raise_dead_letter_limit(config: WorkerConfig) -> None:
    """Make the dead-letter topic take every record that the events topic takes.

    The events topic's limit can be raised at any time; a dead letter is the record and the reason.
    Where topic settings cannot be read (the demo's broker, missing rights) this does nothing.
    """
    admin = open_admin(config.kafka)
    events, dead = (
        ConfigResource(ResourceType.TOPIC, name)
        for name in (config.topics.events, config.topics.dead)
    )
    try:
        limits = {
            resource.name: int(future.result(KAFKA_ANSWERS_WITHIN_S)[_LIMIT].value)
            for resource, future in admin.describe_configs([events, dead]).items()
        }
        needed = limits[config.topics.events] + DEAD_LETTER_HEADROOM_BYTES
        if limits[config.topics.dead] >= needed:
            return
        raised = ConfigResource(
            ResourceType.TOPIC,
            config.topics.dead,
            incremental_configs=[
                ConfigEntry(_LIMIT, str(needed), incremental_operation=AlterConfigOpType.SET)
            ],
        )
        for future in admin.incremental_alter_configs([raised]).values():
            future.result(KAFKA_ANSWERS_WITHIN_S)
    except (KafkaException, TimeoutError) as error:
        _log.debug("topic limits not readable", error=str(error))
    else:
        _log.info("raised the dead-letter topic's message limit", bytes=needed)

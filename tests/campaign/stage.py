"""Where a campaign takes place: a Kafka and a Redis of its own behind proxies, one deployment."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, RLock
from typing import Any

import redis

from tests.campaign.proxy import Proxy
from tests.integration.scenario import Scenario
from tests.integration.stored import read_meta
from tests.services.deployment import fresh_deployment
from tests.services.kafka import KafkaServer
from tests.services.kafka_jars import kafka_jars
from tests.services.redis import RedisServer

PARTITIONS = 4
EVENT_BYTES_MAX = 300_000  # below the topic's own limit, so that poison may be larger
OVERSIZED_BYTES = EVENT_BYTES_MAX + 1_000

# Everything shorter than in production, in the same order: what must give up first still does.
SETTINGS = {
    "SHOAL_EVENT_BYTES_MAX": str(EVENT_BYTES_MAX),
    "SHOAL_BATCH_RECORDS": "60",
    "SHOAL_SWEEP_USERS": "40",
    "SHOAL_CACHE_USERS": "150",  # fewer than there are: users are evicted and read again
    "SHOAL_BOOTSTRAP_DAYS": "1",
    "SHOAL_SAMPLE_INTERVAL_S": "3600",
    "SHOAL_REDIS_TIMEOUT_S": "1",
    "SHOAL_TRANSACTION_TIMEOUT_MS": "4000",
    "SHOAL_OUTAGE_LIMIT_S": "15",
    "SHOAL_KAFKA_CONFIG": '{"heartbeat.interval.ms": 500, "reconnect.backoff.max.ms": 1000}',
}


@dataclass
class Stage:
    """The services of one run.

    Attributes:
        kafka, kafka_proxy: the broker, and the way to it.
        redis_server, redis_proxy: likewise.
        scenario: the deployment.
        broker_lock, redis_lock: one fault of a service at a time.
        broker_up, redis_up: whether it is there at all.
    """

    kafka: KafkaServer
    kafka_proxy: Proxy
    redis_server: RedisServer
    redis_proxy: Proxy
    scenario: Scenario
    broker_lock: RLock = field(default_factory=RLock)
    redis_lock: RLock = field(default_factory=RLock)
    broker_up: Event = field(default_factory=Event)
    redis_up: Event = field(default_factory=Event)

    def is_up(self, within_s: float = 0.0) -> bool:
        """Tell whether both services are there; wait for them for a while."""
        return self.broker_up.wait(within_s) and self.redis_up.wait(within_s)

    def metas(self) -> list[dict[str, Any]]:
        """Read the counters of the partitions, past the proxy."""
        with redis.Redis(port=self.redis_server.port, socket_timeout=0.5) as client:
            found = [
                read_meta(client, self.scenario.deployment.namespace, number)
                for number in range(PARTITIONS)
            ]
        return [meta for meta in found if meta]

    def redis_client(self) -> "redis.Redis":
        """Give a client of Redis itself, past the proxy."""
        return redis.Redis(port=self.redis_server.port, socket_timeout=10)


def end_all(scenario: Scenario) -> None:
    """Kill what is still running."""
    for process in scenario.processes:
        process.kill()


@contextmanager
def staged(directory: Path, settings: Mapping[str, str]) -> Iterator[Stage]:
    """Start the services; end them afterwards, whatever has happened."""
    with ExitStack() as at_end:
        kafka_proxy, redis_proxy = Proxy(), Proxy()
        at_end.callback(kafka_proxy.close)
        at_end.callback(redis_proxy.close)
        kafka = KafkaServer(
            kafka_jars(), directory / "kafka", heap="384m", advertised_port=kafka_proxy.port
        )
        kafka_proxy.lead_to(kafka.port)
        at_end.callback(kafka.kill)
        kafka.start()
        (directory / "redis").mkdir()
        server = RedisServer(directory / "redis")
        redis_proxy.lead_to(server.port)
        at_end.callback(server.kill)
        server.start()
        deployment = fresh_deployment(
            f"127.0.0.1:{kafka_proxy.port}", f"redis://127.0.0.1:{redis_proxy.port}/0"
        )
        scenario = Scenario(deployment, directory, {**SETTINGS, **settings}, PARTITIONS)
        at_end.callback(end_all, scenario)
        scenario.create_topics()
        stage = Stage(kafka, kafka_proxy, server, redis_proxy, scenario)
        stage.broker_up.set()
        stage.redis_up.set()
        yield stage

"""Real services for the tests: given by a variable, else run by Docker, else by this machine.

SHOAL_TEST_KAFKA   bootstrap servers of a broker to use instead of starting one
SHOAL_TEST_REDIS   URL of a Redis to use instead of starting one
CI                 when set, a service that cannot be had fails the tests that need it
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings as hypothesis_settings

from tests.services.containers import docker_answers, kafka_container, redis_container
from tests.services.deployment import Deployment, fresh_deployment
from tests.services.kafka import KafkaServer
from tests.services.kafka_jars import KafkaJarsMissing, kafka_jars
from tests.services.redis import RedisServer, redis_program

# A busy machine is no reason for a property to fail; the blob repeats the failing example.
hypothesis_settings.register_profile("shoal", deadline=None, max_examples=100, print_blob=True)
hypothesis_settings.load_profile("shoal")


def unavailable(reason: str) -> NoReturn:
    """Skip at home; fail where `CI` is set, since a test that never runs proves nothing."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a real Kafka, shared by the whole run: use names of your own."""
    given = os.environ.get("SHOAL_TEST_KAFKA")
    if given:
        yield given
    elif docker_answers():
        with kafka_container() as bootstrap_servers:
            yield bootstrap_servers
    else:
        server = KafkaServer(_jars(), tmp_path_factory.mktemp("kafka")).start()
        yield server.bootstrap_servers
        server.stop()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real Redis (AOF everysec, noeviction), shared by the whole run."""
    given = os.environ.get("SHOAL_TEST_REDIS")
    if given:
        yield given
    elif docker_answers():
        with redis_container() as url:
            yield url
    else:
        _check_redis()
        server = RedisServer(tmp_path_factory.mktemp("redis")).start()
        yield server.url
        server.stop()


@pytest.fixture
def start_kafka(tmp_path: Path) -> Iterator[Callable[..., KafkaServer]]:
    """Start private brokers that a test may stop and kill: `start_kafka(config={…})`."""
    servers: list[KafkaServer] = []

    def start(config: Mapping[str, str] | None = None, heap: str = "768m") -> KafkaServer:
        directory = tmp_path / f"kafka-{len(servers)}"
        servers.append(KafkaServer(_jars(), directory, heap=heap, config=config))
        return servers[-1].start()

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Start private Redis servers: `start_redis({"maxmemory-policy": "allkeys-lru"})`."""
    _check_redis()
    servers: list[RedisServer] = []

    def start(config: Mapping[str, str] | None = None) -> RedisServer:
        directory = tmp_path / f"redis-{len(servers)}"
        directory.mkdir()
        servers.append(RedisServer(directory, config))
        return servers[-1].start()

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def deployment(kafka: str, redis_server: str) -> Deployment:
    """A namespace, a group and topic names of this test's own, on the shared services."""
    return fresh_deployment(kafka, redis_server)


def _jars() -> Path:
    try:
        return kafka_jars()
    except KafkaJarsMissing as missing:
        unavailable(f"no Kafka: {missing}; or set SHOAL_TEST_KAFKA")


def _check_redis() -> None:
    if not redis_program():
        unavailable("no Redis: install redis-server; or set SHOAL_TEST_REDIS")

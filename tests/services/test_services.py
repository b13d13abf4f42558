"""The services that the other tests rely on."""

from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.services.kafka import KafkaServer, answers
from tests.services.redis import RedisServer


@pytest.mark.kafka
def test_a_killed_broker_comes_back_on_the_same_port_with_its_topics(
    start_kafka: Callable[..., KafkaServer],
) -> None:
    server = start_kafka()
    client = AdminClient({"bootstrap.servers": server.bootstrap_servers})
    client.create_topics([NewTopic("kept", num_partitions=3)])["kept"].result(10)

    server.kill()
    assert not answers(server.bootstrap_servers)
    server.start()

    topics = AdminClient({"bootstrap.servers": server.bootstrap_servers}).list_topics(timeout=10)
    assert len(topics.topics["kept"].partitions) == 3


@pytest.mark.kafka
def test_a_broker_does_not_create_a_topic_that_nobody_asked_for(kafka: str) -> None:
    client = AdminClient({"bootstrap.servers": kafka})
    client.list_topics("nobody-asked", timeout=10)
    assert "nobody-asked" not in client.list_topics(timeout=10).topics


@pytest.mark.redis
def test_a_killed_redis_comes_back_with_its_data(start_redis: Callable[..., RedisServer]) -> None:
    server = start_redis({"appendfsync": "always"})
    with redis.Redis(port=server.port) as client:
        client.set("kept", "1")
        server.kill()
        server.start()
        assert client.get("kept") == b"1"
    assert server.append_only_files


@pytest.mark.redis
def test_a_stopped_redis_leaves_no_process(start_redis: Callable[..., RedisServer]) -> None:
    server = start_redis()
    pid = server.process.pid
    server.stop()
    assert not Path(f"/proc/{pid}").exists()

"""Kafka completes a transaction and loses its marker: nothing of it is lost, nobody waits."""

from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, TopicPartition

from consumer.model_publisher import ModelPublisher
from consumer.models import read_newest_model
from consumer.topics import ONLY_PARTITION
from producer.kafka import KafkaConnection
from tests.integration import releases, streams
from tests.integration.scenario import Scenario
from tests.segments.models import model_with
from tests.services.kafka import KafkaServer
from tests.services.kafka_log import cut_last_marker

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]


def test_what_kafka_confirmed_without_writing_its_marker_is_published_all_the_same(
    start_kafka: Callable[..., KafkaServer],
    redis_server: str,
    start_scenario: Callable[..., Scenario],
    seed: int,
) -> None:
    broker = start_kafka(heap="384m")
    scenario = start_scenario(broker.bootstrap_servers, redis_server)
    events = streams.history(seed)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    streams.send(scenario.deployment, events)
    scenario.work_until_idle()
    topics, decided = scenario.deployment.topics, scenario.changes

    for lost in ([topics.changes, topics.memberships, topics.dead], [topics.memberships]):
        broker.kill()
        for topic in lost:
            cut = [
                cut_last_marker(broker.directory / "data", topic, number)
                for number in range(scenario.partitions)
            ]
            assert any(cut), f"no partition of {topic} ended with a marker"
        broker.start()
        for topic in lost:
            assert held_up(broker, topic, scenario.partitions), f"readers of {topic} were to wait"
        scenario.work_until_idle()
        for topic in lost:
            assert not held_up(broker, topic, scenario.partitions), f"readers of {topic} wait"
        assert scenario.changes == decided, "nothing was to be decided anew"
        scenario.assert_promises_hold()


def test_a_new_trainer_frees_the_models_topic_from_a_release_without_its_marker(
    start_kafka: Callable[..., KafkaServer],
    redis_server: str,
    start_scenario: Callable[..., Scenario],
) -> None:
    broker = start_kafka(heap="384m")
    scenario = start_scenario(broker.bootstrap_servers, redis_server)
    kafka, topic = KafkaConnection(broker.bootstrap_servers), scenario.deployment.topics.models
    first, second = (model_with([[0.0], [1.0]], minor=minor) for minor in range(2))
    publisher = ModelPublisher(kafka, topic, "trainer", timeout_ms=10_000)
    publisher.publish(first)
    publisher.publish(second)
    assert read_newest_model(kafka, topic) == second, "the marker has been written"
    broker.kill()
    assert cut_last_marker(broker.directory / "data", topic, ONLY_PARTITION)
    broker.start()
    assert held_up(broker, topic, 1), "readers were to wait"

    ModelPublisher(kafka, topic, "trainer", timeout_ms=30_000)

    assert read_newest_model(kafka, topic) == first
    assert not held_up(broker, topic, 1)


def held_up(broker: KafkaServer, topic: str, partitions: int) -> bool:
    """Tell whether readers of committed records see less of a topic than there is."""

    def ends(isolation: str) -> list[int]:
        reader = Consumer(
            {
                "bootstrap.servers": broker.bootstrap_servers,
                "group.id": "ends",
                "isolation.level": isolation,
            }
        )
        found = [
            reader.get_watermark_offsets(TopicPartition(topic, number), timeout=30)[1]
            for number in range(partitions)
        ]
        reader.close()
        return found

    return ends("read_committed") != ends("read_uncommitted")

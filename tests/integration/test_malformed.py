"""Records that are no events: each becomes one dead letter, and nothing else suffers."""

import random
from collections import Counter
from collections.abc import Callable
from time import time

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from producer.synthetic import TimedEvent
from tests.integration import releases, streams
from tests.integration.checker import EVENT_BYTES_MAX
from tests.integration.feed import read_topics
from tests.integration.malformed import Malformed, malformed_records
from tests.integration.scenario import Scenario

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

MALFORMED = 108  # four of each kind
RAISED_BYTES_MAX = 4 * 1024 * 1024
OVERSIZED_BYTES = EVENT_BYTES_MAX + 1_000


def test_each_malformed_record_is_one_dead_letter_that_explains_itself(
    kafka: str,
    redis_server: str,
    start_scenario: Callable[..., Scenario],
    seed: int,
) -> None:
    scenario = start_scenario(kafka, redis_server, SHOAL_CLOCK="wall")
    deployment = scenario.deployment
    raise_limit(kafka, deployment.topics.events)
    good = streams.recent(seed, events=1_500)
    releases.publish(deployment, releases.first_release(good, seed))
    bad = list(malformed_records(MALFORMED, scenario.partitions, OVERSIZED_BYTES))
    assert len({record.kind for record in bad}) >= 20
    send_mixed(scenario, good, bad, seed)

    summary = scenario.work_until_idle()

    found = read_topics(kafka, deployment.topics.dead, deployment.topics.events)
    letters = [letter for part in found[deployment.topics.dead].values() for letter in part]
    assert len(letters) == len(bad)
    explained = {(letter.key, letter.value): letter for letter in letters}
    for record in bad:
        letter = explained[record.key, record.value]
        assert letter.header("shoal.error.reason") == record.reason, record.kind
        detail = letter.header("shoal.error.detail") or ""
        assert record.says in detail, f"{record.kind}: {detail}"
        assert 15 < len(detail) < 400, f"{record.kind}: {detail}"
        assert letter.headers[:2] == record.headers
    assert summary["records"] == len(good) + len(bad)
    assert summary["dead"] == Counter(record.reason for record in bad)
    scenario.assert_promises_hold()


def test_a_record_without_a_value_that_arrives_alone_is_a_dead_letter(scenario: Scenario) -> None:
    producer = Producer({"bootstrap.servers": scenario.deployment.kafka})
    producer.produce(scenario.deployment.topics.events, None, "u1", 0)
    assert producer.flush(30) == 0

    summary = scenario.work_until_idle()

    assert summary["dead"] == {"empty_value": 1}


def raise_limit(kafka: str, topic: str) -> None:
    """Let the events topic take records larger than Kafka's default."""
    raised = ConfigResource(
        ResourceType.TOPIC,
        topic,
        incremental_configs=[
            ConfigEntry(
                "max.message.bytes",
                str(RAISED_BYTES_MAX),
                incremental_operation=AlterConfigOpType.SET,
            )
        ],
    )
    admin = AdminClient({"bootstrap.servers": kafka})
    for done in admin.incremental_alter_configs([raised]).values():
        done.result(10)


def send_mixed(
    scenario: Scenario, good: tuple[TimedEvent, ...], bad: list[Malformed], seed: int
) -> None:
    """Send both in one random order; each record's time is now, like a live producer's."""
    queue: list[Malformed | TimedEvent] = [*bad]
    random.Random(seed).shuffle(queue)
    step = len(good) // len(queue) + 1
    for index in range(len(queue)):
        at = index * (step + 1)
        queue[at:at] = good[index * step : (index + 1) * step]
    producer = Producer(
        {
            "bootstrap.servers": scenario.deployment.kafka,
            "partitioner": "murmur2",
            "message.max.bytes": RAISED_BYTES_MAX,
            "linger.ms": 5,
        }
    )
    topic, now_ms = scenario.deployment.topics.events, int(time() * 1000)
    for item in queue:
        if isinstance(item, Malformed):
            producer.produce(
                topic, item.value, item.key, item.partition,
                timestamp=now_ms, headers=item.headers,  # type: ignore[arg-type]  # null is allowed
            )  # fmt: skip
        else:
            producer.produce(topic, item.payload, item.event.user_id, timestamp=item.record_ms)
        producer.poll(0)
    assert producer.flush(30) == 0

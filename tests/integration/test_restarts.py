"""One worker, stopped in every way in the middle of the stream and started again."""

import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.integration import releases, streams
from tests.integration.scenario import Scenario

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

PER_S = 1_500


def test_a_worker_that_is_asked_to_stop_hands_over_and_nothing_is_missing(
    scenario: Scenario, seed: int
) -> None:
    events = streams.history(seed)
    model = releases.first_release(events, seed)
    releases.publish(scenario.deployment, model)
    with streams.sending(scenario.deployment, events, PER_S):
        worker = scenario.start("worker")
        scenario.wait_for_applied(1_000)
        worker.terminate()
        assert worker.wait(20) == 0, worker.tail()
        assert committed_offsets(scenario) == scenario.applied
        assert scenario.applied < len(events), "it was to be stopped in the middle"
        releases.publish(scenario.deployment, releases.later_release(model, seed))
    scenario.work_until_idle()

    assert scenario.applied >= len(events)
    assert scenario.changes > 100
    scenario.assert_promises_hold()


def test_a_worker_killed_again_and_again_loses_and_repeats_nothing(
    scenario: Scenario, seed: int
) -> None:
    events = streams.history(seed)
    model = releases.first_release(events, seed)
    with streams.sending(scenario.deployment, events, PER_S):
        for records in (500, 1_200, 2_000):
            releases.publish(scenario.deployment, model)
            worker = scenario.start("worker")
            scenario.wait_for_applied(records)
            worker.kill()
            model = releases.later_release(model, seed)
    scenario.work_until_idle()

    scenario.assert_promises_hold()


def committed_offsets(scenario: Scenario) -> int:
    """What the group has told Kafka, all partitions together."""
    deployment = scenario.deployment
    client = Consumer({"bootstrap.servers": deployment.kafka, "group.id": deployment.group})
    places = [
        TopicPartition(deployment.topics.events, number) for number in range(scenario.partitions)
    ]
    try:
        return sum(max(0, place.offset) for place in client.committed(places, timeout=10))
    finally:
        client.close()

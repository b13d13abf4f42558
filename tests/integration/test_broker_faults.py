"""The broker is killed under a running worker and comes back."""

from collections.abc import Callable

import pytest

from tests.integration import releases, streams
from tests.integration.scenario import Scenario
from tests.services.kafka import KafkaServer

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

PER_S = 800


def test_a_broker_that_is_killed_and_comes_back_costs_nothing_but_time(
    start_kafka: Callable[..., KafkaServer],
    redis_server: str,
    start_scenario: Callable[..., Scenario],
    seed: int,
) -> None:
    broker = start_kafka(heap="384m")
    scenario = start_scenario(broker.bootstrap_servers, redis_server)
    events = streams.history(seed)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    worker = scenario.start("worker")
    with streams.sending(scenario.deployment, events, PER_S):
        scenario.wait_for_applied(1_000)
        broker.kill()
        assert scenario.applied < len(events), "it was to be killed in mid-stream"
        broker.start()
    scenario.wait_for_applied(len(events))
    assert worker.running, worker.tail()
    worker.terminate()
    assert worker.wait(30) == 0, worker.tail()
    scenario.work_until_idle()

    scenario.assert_promises_hold()

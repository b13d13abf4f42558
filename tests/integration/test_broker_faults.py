"""The broker is killed under a running worker and comes back; or it does not."""

from collections.abc import Callable

import pytest

from shoal.server_process import free_port
from tests.integration import releases, streams
from tests.integration.patience import eventually
from tests.integration.probing import is_ready, waits_for
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
    port = free_port()
    scenario = start_scenario(broker.bootstrap_servers, redis_server, SHOAL_METRICS_PORT=str(port))
    events = streams.history(seed)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    worker = scenario.start("worker")
    with streams.sending(scenario.deployment, events, PER_S):
        scenario.wait_for_applied(1_000)
        broker.kill()
        assert scenario.applied < len(events), "it was to be killed in mid-stream"
        eventually(lambda: waits_for(port, "Kafka"), 30, "it says that Kafka is away")
        broker.start()
    scenario.wait_for_applied(len(events))
    eventually(lambda: is_ready(port), 30, "it goes on by itself")
    assert worker.running, worker.tail()
    worker.terminate()
    assert worker.wait(30) == 0, worker.tail()
    scenario.work_until_idle()

    scenario.assert_promises_hold()

    limit = {"SHOAL_OUTAGE_LIMIT_S": "6", "SHOAL_TRANSACTION_TIMEOUT_MS": "1000"}
    other = free_port()
    worker = scenario.start("worker", **limit)
    trainer = scenario.start("trainer", **limit, SHOAL_METRICS_PORT=str(other))
    eventually(lambda: is_ready(port) and is_ready(other), 60, "worker and trainer are ready")
    broker.kill()
    for process in (worker, trainer):
        assert process.wait(90) == 3, process.tail()
        last = process.tail().splitlines()[-1]
        assert last.startswith("shoal: Kafka has been away for more than 6 s")

"""Services away, full, read-only or silent: the worker waits, says for what, and goes on."""

import json
from collections.abc import Callable
from hashlib import sha1
from pathlib import Path

import pytest
import redis
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from consumer.store import script
from shoal.server_process import free_port
from tests.integration import releases, streams
from tests.integration.patience import eventually
from tests.integration.probing import ask, is_ready, samples, waits_for
from tests.integration.scenario import Scenario
from tests.integration.swallowing import SwallowingWay
from tests.services.redis import RedisServer

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

PER_S = 500
EVENTS = 3_000
QUICK = {"SHOAL_REDIS_TIMEOUT_S": "1", "SHOAL_TRANSACTION_TIMEOUT_MS": "5000"}


def test_a_redis_that_is_full_and_then_read_only_is_waited_for_and_nothing_is_skipped(
    kafka: str,
    start_redis: Callable[..., RedisServer],
    start_scenario: Callable[..., Scenario],
    seed: int,
) -> None:
    server, port = start_redis(), free_port()
    scenario = start_scenario(kafka, server.url, SHOAL_METRICS_PORT=str(port))
    events = streams.history(seed, events=EVENTS)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    worker = scenario.start("worker")
    eventually(lambda: is_ready(port), 60, "the worker is ready")
    with streams.sending(scenario.deployment, events, PER_S), redis.Redis(port=server.port) as own:
        scenario.wait_for_applied(200)
        own.config_set("maxmemory", "1")
        eventually(lambda: waits_for(port, "Redis is full", "maxmemory"), 20, "it says: full")
        assert samples(port, "shoal_partitions_paused") == {"": 3}
        assert samples(port, "shoal_service_away_seconds")['service="Redis"'] > 0
        assert ask(port, "/healthz")[0] == 200, "waiting is not hanging"
        own.config_set("maxmemory", "0")
        eventually(lambda: is_ready(port), 30, "it goes on by itself")
        own.replicaof("127.0.0.1", "1")
        eventually(lambda: waits_for(port, "read-only replica"), 20, "it says: read-only")
        own.replicaof("NO", "ONE")
        eventually(lambda: is_ready(port), 30, "it goes on by itself")
        assert scenario.applied < len(events), "it was to go on in mid-stream"
    scenario.wait_for_applied(len(events))
    # One after the other within ten seconds is one outage.
    assert samples(port, "shoal_outages_total")['service="Redis"'] in (1, 2)
    assert samples(port, "shoal_rebalances_total") == {"": 1}, "it stayed in the group"
    worker.terminate()
    assert worker.wait(20) == 0, worker.tail()
    assert 1 <= told(worker.log, "waiting for Redis") <= 3, "not once for each partition and try"
    assert 1 <= told(worker.log, "Redis is back") <= 2
    scenario.work_until_idle()
    scenario.assert_promises_hold()


def test_lost_answers_to_commits_are_settled_and_nothing_is_written_twice(
    kafka: str, redis_server: str, start_scenario: Callable[..., Scenario], seed: int
) -> None:
    commit = sha1(script("commit").encode()).hexdigest().encode()  # as EVALSHA names it
    with SwallowingWay(int(redis_server.rpartition(":")[2].split("/")[0]), commit) as way:
        scenario = start_scenario(kafka, f"redis://127.0.0.1:{way.port}/0", **QUICK)
        events = streams.history(seed, events=EVENTS)
        releases.publish(scenario.deployment, releases.first_release(events, seed))
        worker = scenario.start("worker")
        with streams.sending(scenario.deployment, events, PER_S):
            scenario.wait_for_applied(200)
            way.swallow(1)  # asked again, Redis says that it has done it already
            eventually(lambda: way.swallowed == 1, 20, "an answer is lost")
            scenario.wait_for_applied(scenario.applied + 200)
            assert told(worker.log, "waiting for Redis") == 0
            way.swallow(8)  # the second answers too: only taking the partitions again can tell
            eventually(lambda: way.swallowed == 9, 30, "answers are lost")
        scenario.wait_for_applied(len(events))
        assert told(worker.log, "waiting for Redis") >= 1
        worker.terminate()
        assert worker.wait(20) == 0, worker.tail()
        scenario.work_until_idle()
        scenario.assert_promises_hold()


def test_records_deleted_while_the_worker_waited_for_redis_end_it_with_4_and_the_remedy(
    kafka: str,
    start_redis: Callable[..., RedisServer],
    start_scenario: Callable[..., Scenario],
    seed: int,
) -> None:
    server, port = start_redis(), free_port()
    scenario = start_scenario(kafka, server.url, SHOAL_METRICS_PORT=str(port))
    events = streams.history(seed, events=EVENTS)
    streams.send(scenario.deployment, events[:1_000])
    worker = scenario.start("worker")
    scenario.wait_for_applied(1_000)
    server.kill()
    eventually(lambda: waits_for(port, "Redis"), 30, "it waits")
    streams.send(scenario.deployment, events[1_000:])
    delete_all_records(scenario)
    server.start()
    assert worker.wait(30) == 4, worker.tail()
    sentence = worker.tail().splitlines()[-1]
    assert "deleted by the topic's retention before they were read" in sentence
    assert "SHOAL_NAMESPACE" in sentence
    assert "retention.ms" in sentence


def test_records_deleted_under_a_running_fetch_end_the_worker_with_4_and_the_remedy(
    kafka: str, redis_server: str, start_scenario: Callable[..., Scenario], seed: int
) -> None:
    scenario = start_scenario(kafka, redis_server, SHOAL_SESSION_TIMEOUT_MS="30000")
    events = streams.history(seed, events=EVENTS)
    streams.send(scenario.deployment, events[:1_000])
    worker = scenario.start("worker")
    scenario.wait_for_applied(1_000)
    worker.pause()  # within its session: nobody takes its partitions
    streams.send(scenario.deployment, events[1_000:])
    delete_all_records(scenario)
    worker.resume()
    assert worker.wait(30) == 4, worker.tail()
    sentence = worker.tail().splitlines()[-1]
    assert "does not have the applied offset any more" in sentence
    assert "SHOAL_NAMESPACE" in sentence
    assert "retention.ms" in sentence


def test_a_redis_that_stays_away_ends_the_worker_with_3_after_the_limit(
    kafka: str, start_redis: Callable[..., RedisServer], start_scenario: Callable[..., Scenario]
) -> None:
    server, port = start_redis(), free_port()
    limit = {"SHOAL_METRICS_PORT": str(port), "SHOAL_OUTAGE_LIMIT_S": "6"}
    scenario = start_scenario(kafka, server.url, **QUICK, **limit)
    worker = scenario.start("worker")
    eventually(lambda: is_ready(port), 60, "the worker is ready")
    server.process.pause()  # calls time out; refused ones are tried in other tests
    assert worker.wait(60) == 3, worker.tail()
    server.process.resume()
    assert (
        worker.tail()
        .splitlines()[-1]
        .startswith("shoal: Redis has been away for more than 6 s (Timeout")
    )


def test_every_assigned_partition_has_its_lag_and_takes_it_along_when_it_moves(
    kafka: str, redis_server: str, start_scenario: Callable[..., Scenario], seed: int
) -> None:
    first, second = free_port(), free_port()
    scenario = start_scenario(kafka, redis_server)
    scenario.start("worker", SHOAL_METRICS_PORT=str(first))
    eventually(lambda: is_ready(first), 60, "the first worker is ready")
    every = {f'partition="{number}"': 0.0 for number in range(scenario.partitions)}
    assert samples(first, "shoal_partition_lag_records") == every
    scenario.start("worker", SHOAL_METRICS_PORT=str(second))

    def shared() -> bool:
        lags = [samples(port, "shoal_partition_lag_records") for port in (first, second)]
        return all(lags) and lags[0] | lags[1] == every and not lags[0].keys() & lags[1].keys()

    eventually(shared, 60, "each partition's lag is told by the one worker that has it")
    assert sum(samples(second, "shoal_partition_take_seconds_count").values()) >= 1


def delete_all_records(scenario: Scenario) -> None:
    """Do what retention does, at once."""
    admin = AdminClient({"bootstrap.servers": scenario.deployment.kafka})
    topic = scenario.deployment.topics.events
    everything = [TopicPartition(topic, n, -1) for n in range(scenario.partitions)]
    for done in admin.delete_records(everything).values():
        done.result(20)


def told(log: Path, beginning: str) -> int:
    """How often a worker has said something, by the beginning of the line's event."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return sum(line["event"].startswith(beginning) for line in lines)

"""Redis killed, robbed of its last writes, emptied: the feed and the topic put everything right."""

import json
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
import redis

from tests.integration import releases, streams
from tests.integration.checker import observe
from tests.integration.scenario import Scenario
from tests.services.redis import RedisServer

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

PER_S = 1_000


def test_a_redis_that_is_killed_and_loses_its_last_writes_is_brought_forward_again(
    kafka: str,
    start_redis: Callable[..., RedisServer],
    start_scenario: Callable[..., Scenario],
    seed: int,
) -> None:
    server = start_redis()
    scenario = start_scenario(kafka, server.url)
    events = streams.history(seed)
    model = releases.first_release(events, seed)
    releases.publish(scenario.deployment, model)
    worker = scenario.start("worker")
    with streams.sending(scenario.deployment, events, PER_S):
        scenario.wait_for_applied(1_500)
        before = scenario.applied
        server.kill()
        # The model moves on meanwhile; what is published must stand all the same.
        releases.publish(scenario.deployment, releases.later_release(model, seed))
        cut_tail(server, share=0.4)
        server.start()
        assert scenario.applied < before, "writes were to be lost"
    scenario.wait_for_applied(len(events))

    before = scenario.applied
    server.kill()
    cut_tail(server, share=0.2)
    server.start()
    assert scenario.applied < before, "writes were to be lost"
    # No record comes any more: the idle worker has to notice by itself.
    scenario.wait_for_applied(before, 30)
    worker.terminate()
    assert worker.wait(20) == 0, worker.tail()
    scenario.work_until_idle()

    scenario.assert_promises_hold()
    assert forced_changes(worker.log) > 0, "published changes were to be taken over"


def test_an_emptied_redis_is_rebuilt_without_a_false_change(
    kafka: str,
    start_redis: Callable[..., RedisServer],
    start_scenario: Callable[..., Scenario],
    seed: int,
) -> None:
    server = start_redis()
    scenario = start_scenario(kafka, server.url)
    events = streams.history(seed)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    streams.send(scenario.deployment, events)
    scenario.work_until_idle()
    before, wavering = scenario.changes, wavering_users(scenario)

    flush(server)
    scenario.work_until_idle()

    # Who was about to move may do so when the rebuilt users are looked at; nobody else.
    assert before <= scenario.changes <= before + wavering
    scenario.assert_promises_hold()


def test_a_redis_emptied_under_a_running_worker_is_rebuilt_in_mid_stream(
    kafka: str,
    start_redis: Callable[..., RedisServer],
    start_scenario: Callable[..., Scenario],
    seed: int,
) -> None:
    server = start_redis()
    scenario = start_scenario(kafka, server.url)
    events = streams.history(seed)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    worker = scenario.start("worker")
    with streams.sending(scenario.deployment, events, PER_S):
        scenario.wait_for_applied(1_500)
        flush(server)
        assert scenario.applied < len(events), "it was to be emptied in mid-stream"
    scenario.wait_for_applied(len(events))
    scenario.call("segments", "--json")  # look-ups go on as well
    worker.terminate()
    assert worker.wait(20) == 0, worker.tail()
    scenario.work_until_idle()

    scenario.assert_promises_hold()


def cut_tail(server: RedisServer, share: float) -> None:
    """Take the last part of what a dead Redis has written away."""
    newest = server.append_only_files[-1]
    size_bytes = newest.stat().st_size
    with newest.open("r+b") as file:
        file.truncate(int(size_bytes * (1 - share)))


def flush(server: RedisServer) -> None:
    with redis.Redis(port=server.port) as client:
        client.flushall()


def forced_changes(log: Path) -> int:
    """How many published changes a worker has taken over, by its log."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return sum(line.get("forced", 0) for line in lines)


def wavering_users(scenario: Scenario) -> int:
    """How many users have been seen nearer to another segment and not moved yet."""
    users = chain.from_iterable(one.stored.users.values() for one in observe(scenario.deployment))
    return sum(user.candidate_count > 0 for user in users)

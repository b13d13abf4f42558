"""Two workers share the partitions: one joins, one dies (`test_zombie`: one wakes up too late)."""

import pytest

from tests.integration import releases, streams
from tests.integration.patience import eventually
from tests.integration.processes import ShoalProcess
from tests.integration.scenario import IDLE_S, Scenario

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

PER_S = 500
SLOWLY_PER_S = 60  # so that the stream outlasts the start of a process on a busy machine
TAKEN = '"event": "partition taken"'
TAKES_OVER_WITHIN_S = 60


def test_a_second_worker_joins_under_load_and_shares_the_work(
    scenario: Scenario, seed: int
) -> None:
    events = streams.history(seed)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    with streams.sending(scenario.deployment, events, SLOWLY_PER_S, rest_at_once=True):
        first = scenario.start("worker")
        scenario.wait_for_applied(200)
        second = scenario.start("worker")
        eventually(lambda: has_taken(second), 60, "the second worker has a partition")
        assert scenario.applied < len(events), "it was to join under load"
    scenario.wait_for_applied(len(events))
    assert first.running, first.tail()
    assert second.running, second.tail()
    for worker in (first, second):
        worker.terminate()
        assert worker.wait(20) == 0, worker.tail()
    scenario.work_until_idle()

    scenario.assert_promises_hold()


def test_when_one_of_two_workers_is_killed_the_other_takes_over(
    scenario: Scenario, seed: int
) -> None:
    events = streams.history(seed)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    workers = [scenario.start("worker"), scenario.start("worker")]
    with streams.sending(scenario.deployment, events, PER_S):
        for worker in workers:
            eventually(lambda: has_taken(worker), 60, "each has a partition")  # noqa: B023 -- at once
        scenario.wait_for_applied(scenario.applied + 200)
        workers[0].kill()
    scenario.wait_for_applied(len(events), TAKES_OVER_WITHIN_S)
    workers[1].terminate()
    assert workers[1].wait(20) == 0, workers[1].tail()
    scenario.work_until_idle()

    scenario.assert_promises_hold()


def test_more_workers_than_partitions_do_the_work_and_go(scenario: Scenario, seed: int) -> None:
    events = streams.history(seed)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    streams.send(scenario.deployment, events)
    workers = [
        scenario.start("worker", "--until-idle", IDLE_S) for _ in range(scenario.partitions + 1)
    ]
    for worker in workers:
        assert worker.wait() == 0, worker.tail()

    assert sum(worker.summary["records"] for worker in workers) >= len(events)
    scenario.assert_promises_hold()


def has_taken(worker: ShoalProcess) -> bool:
    """Tell whether it has come to own a partition."""
    return TAKEN in worker.log.read_text()

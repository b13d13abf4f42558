"""A worker that slept through its session and wakes up in the middle of a commit.

Nothing here depends on when something happens: it stops itself at a named point, and everything
else is waited for.
"""

import json
from typing import Any

import pytest

from tests.integration import releases, streams
from tests.integration.feed import Record, Topics, read_topics
from tests.integration.patience import eventually
from tests.integration.processes import SLEEPY_COMMAND
from tests.integration.scenario import Scenario
from tests.integration.stored import StoredPartition, read_partition

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

TAKEN = '"event": "partition taken"'
REFUSED = "another worker owns it now"
TAKES_OVER_WITHIN_S = 60


@pytest.mark.parametrize(
    ("point", "by"),
    [
        ("after the Redis commit", "refused by Kafka"),
        ("before the Redis commit", "refused by Redis"),
    ],
)
def test_nothing_lands_of_a_worker_that_wakes_up_in_the_middle_of_a_commit(
    scenario: Scenario, seed: int, point: str, by: str
) -> None:
    events = streams.history(seed)
    model = releases.first_release(events, seed)
    releases.publish(scenario.deployment, model)
    streams.send(scenario.deployment, events)
    sleeper = scenario.start("worker", command=SLEEPY_COMMAND, SHOAL_CRASH_AT=f"{point}:6")
    eventually(lambda: sleeper.asleep, 30, "it falls asleep")
    assert 0 < scenario.applied < len(events), "it was to fall asleep in the middle"
    if point == "after the Redis commit":
        assert unpublished_changes(scenario), "what it holds was to matter"
    # The successor decides otherwise wherever it is free to.
    releases.publish(scenario.deployment, releases.later_release(model, seed))
    successor = scenario.start("worker")
    scenario.wait_for_applied(len(events), TAKES_OVER_WITHIN_S)
    eventually(lambda: not unpublished_changes(scenario), 30, "the successor has published all")
    before = landed(scenario)

    taken = sleeper.log.read_text().count(TAKEN)
    sleeper.resume()
    eventually(lambda: by in sleeper.log.read_text(), 30, f"its commit is {by}")
    eventually(lambda: sleeper.log.read_text().count(TAKEN) > taken, 60, "it is let in again")

    assert landed(scenario) == before
    for worker in (sleeper, successor):
        worker.terminate()
        assert worker.wait(20) == 0, worker.tail()
    scenario.work_until_idle()

    assert landed(scenario) == before
    scenario.assert_promises_hold()


def landed(scenario: Scenario) -> tuple[Topics, list[Any]]:
    """Everything that a worker may write, but for what an owner's coming alone changes."""
    names = scenario.deployment.topics
    topics = read_topics(
        scenario.deployment.kafka, names.changes, names.memberships, names.dead, names.samples
    )
    states = []
    for stored in partitions(scenario):
        meta = {name: value for name, value in (stored.meta or {}).items() if name != "commits"}
        states.append((meta, stored.users, stored.due))
    return topics, states


def unpublished_changes(scenario: Scenario) -> int:
    """Count the changes that Redis has decided and no subscriber can see."""
    changes = scenario.deployment.topics.changes
    published = read_topics(scenario.deployment.kafka, changes)[changes]
    return sum(
        change["sequence"] > max_sequence(published[number])
        for number, stored in enumerate(partitions(scenario))
        for change in stored.outbox.get("changes", [])
    )


def max_sequence(published: list[Record]) -> int:
    return max((json.loads(record.value or b"")["sequence"] for record in published), default=0)


def partitions(scenario: Scenario) -> list[StoredPartition]:
    place = scenario.deployment
    return [
        read_partition(place.redis_url, place.namespace, number)
        for number in range(scenario.partitions)
    ]

"""Events written in transactions, some of them aborted: holes in the offsets are no loss."""

import pytest
from confluent_kafka import Producer

from tests.integration import releases, streams
from tests.integration.scenario import Scenario

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

EVENTS_PER_TRANSACTION = 40


def test_aborted_events_do_not_count_and_the_holes_they_leave_stop_nobody(
    scenario: Scenario, seed: int
) -> None:
    events = streams.history(seed, events=2_000)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    with_holes = Producer(
        {
            "bootstrap.servers": scenario.deployment.kafka,
            "transactional.id": scenario.deployment.group + "-writer",
            "partitioner": "murmur2",
        }
    )
    with_holes.init_transactions(20)
    committed = 0
    for number, start in enumerate(range(0, len(events), EVENTS_PER_TRANSACTION)):
        with_holes.begin_transaction()
        part = events[start : start + EVENTS_PER_TRANSACTION]
        for timed in part:
            with_holes.produce(
                scenario.deployment.topics.events,
                timed.payload,
                timed.event.user_id,
                timestamp=timed.record_ms,
            )
        if number % 3 == 1:
            with_holes.flush(10)  # the records are in the log, only not committed
            with_holes.abort_transaction(10)
        else:
            with_holes.commit_transaction(10)
            committed += len(part)

    summary = scenario.work_until_idle()

    assert summary["records"] == committed < len(events)
    scenario.assert_promises_hold()

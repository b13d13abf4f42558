"""A new major version: everybody is looked at again, at a bounded rate, live events first."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic, time
from typing import Any

import pytest

from features.events import Event, Metrics, encode_event
from producer.synthetic import TimedEvent
from segments.model import SegmentModel
from tests.integration import releases, streams
from tests.integration.feed import read_topics
from tests.integration.patience import eventually
from tests.integration.scenario import Scenario
from tests.segments.models import model_with

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

USERS = 900
PER_S = 90  # the queue lasts for ten seconds
KEPT, RETIRED, FRESH = 1, 2, 3


def test_events_pass_the_queue_and_only_users_of_retired_segments_change(
    kafka: str, redis_server: str, start_scenario: Callable[..., Scenario]
) -> None:
    scenario = start_scenario(
        kafka, redis_server, SHOAL_CLOCK="wall", SHOAL_REASSIGN_USERS_PER_S=str(PER_S)
    )
    releases.publish(scenario.deployment, release(1, (KEPT, RETIRED)))
    everybody = [profile(f"user-{n}", 60 * (n % 2)) for n in range(USERS)]
    streams.send(scenario.deployment, everybody)
    worker = scenario.start("worker")
    eventually(lambda: sizes(scenario) == {KEPT: USERS // 2, RETIRED: USERS // 2}, 60, "assigned")

    releases.publish(scenario.deployment, release(2, (KEPT, FRESH)))
    eventually(lambda: FRESH in sizes(scenario), 60, "the queue moves")
    started_s, passed = monotonic(), 0
    while RETIRED in sizes(scenario):
        streams.send(scenario.deployment, [profile(f"new-{passed}", 0)])
        scenario.wait_for_applied(USERS + passed + 1)
        passed += RETIRED in sizes(scenario)
    took_s = monotonic() - started_s
    assert passed >= 3, "events are applied while users wait"
    # The queue is in the order of user ids, so the last retired one may come a little early.
    assert took_s > 0.7 * USERS / PER_S, "no more users a second than allowed"
    worker.terminate()
    assert worker.wait(30) == 0, worker.tail()
    scenario.work_until_idle()

    scenario.assert_promises_hold()
    found = [change for change in changes(scenario) if change["model_version"] == "2.0"]
    moves = Counter(
        (c["cause"], c["previous"] and c["previous"]["id"], c["current"]["id"]) for c in found
    )
    assert moves.pop(("model", RETIRED, FRESH)) == USERS // 2
    assert set(moves) == {("profile", None, KEPT)}, "nobody else but those who are new"


def release(major: int, ids: tuple[int, int]) -> SegmentModel:
    """People who follow nobody, and people who follow many."""
    return model_with(
        [[0.0], [4.0]],
        features=("followed_accounts",),
        transforms=("log1p",),
        prior_weights=(0.0,),
        major=major,
        ids=ids,
    )


def profile(user_id: str, followed: float) -> TimedEvent:
    """It puts a user into a segment at once."""
    now_ms = int(time() * 1000)
    made = Event(
        event_id=f"profile-{user_id}",
        user_id=user_id,
        type="profile",
        timestamp=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms),
        metrics=Metrics(followed_accounts=followed),
    )
    return TimedEvent(now_ms, made, encode_event(made))


def sizes(scenario: Scenario) -> dict[int, int]:
    """Users per segment, as the counters have them."""
    found: Counter[int] = Counter()
    for meta in scenario.metas():
        found.update({int(segment): users for segment, users in meta["users"].items()})
    return dict(found)


def changes(scenario: Scenario) -> list[dict[str, Any]]:
    """Every change, partition by partition."""
    topic = scenario.deployment.topics.changes
    found = read_topics(scenario.deployment.kafka, topic)[topic]
    return [json.loads(record.value or b"") for part in found.values() for record in part]

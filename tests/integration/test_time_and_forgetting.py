"""Users who fall silent, and users who ask to be forgotten."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from features.events import Event, encode_event
from producer.partitioner import murmur2_partition
from producer.synthetic import TimedEvent
from tests.integration import releases, streams
from tests.integration.checker import REMOVAL_DAYS, observe
from tests.integration.feed import read_topics
from tests.integration.scenario import Scenario
from tests.reference import DAY_MS

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

SESSIONS = 6  # enough to be assigned


def test_users_who_fall_silent_are_moved_and_at_last_removed_by_the_sweep_alone(
    scenario: Scenario, seed: int
) -> None:
    events = streams.history(seed, events=2_500)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    streams.send(scenario.deployment, events)
    scenario.work_until_idle()
    silent = set(assigned_users(scenario))
    assert len(silent) > 100

    end_ms = events[-1].record_ms
    streams.send(scenario.deployment, ticks(scenario, end_ms, first_day=1, last_day=35))
    scenario.work_until_idle()
    scenario.assert_promises_hold()
    moved = [change for change in published(scenario) if change["cause"] == "expiry"]
    assert {change["user_id"] for change in moved} & silent
    assert all(change["current"] and not change["event_time"] for change in moved)
    assert silent <= set(assigned_users(scenario)), "a silent user is not gone yet"

    last_day = REMOVAL_DAYS + 2
    streams.send(scenario.deployment, ticks(scenario, end_ms, first_day=36, last_day=last_day))
    scenario.work_until_idle()
    scenario.assert_promises_hold()
    gone = [change for change in published(scenario) if change["current"] is None]
    assert {change["user_id"] for change in gone} == silent
    assert {change["cause"] for change in gone} == {"expiry"}
    stored = {user for one in observe(scenario.deployment) for user in one.stored.users}
    assert stored == {ticker(scenario, number) for number in range(scenario.partitions)}


def test_a_forgotten_user_is_gone_everywhere_and_begins_again_as_a_new_one(
    scenario: Scenario, seed: int
) -> None:
    events = streams.history(seed, events=2_000)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    streams.send(scenario.deployment, events)
    scenario.work_until_idle()
    at_ms = events[-1].record_ms
    gone, again, never = *sorted(assigned_users(scenario))[:2], "never-seen"
    # Whoever comes back within the same batch is a new user all the same.
    streams.send(
        scenario.deployment,
        [
            *(event(user, "forget", at_ms + 1, 0) for user in (gone, again, never)),
            *(event(again, "session", at_ms + 2 + n, n) for n in range(SESSIONS)),
        ],
    )
    scenario.work_until_idle()
    scenario.assert_promises_hold()

    assert [c["user_version"] for c in published(scenario) if c["user_id"] == again][-1] == 1
    *_, last = (change for change in published(scenario) if change["user_id"] == gone)
    assert (last["current"], last["cause"]) == (None, "forget")
    assert not [change for change in published(scenario) if change["user_id"] == never]
    assert tombstoned(scenario, gone)
    for user in (gone, never):
        assert json.loads(scenario.call("lookup", user, "--json"))["status"] == "forgotten"

    streams.send(
        scenario.deployment,
        [event(gone, "session", at_ms + 100 + n, n) for n in range(SESSIONS)],
    )
    scenario.work_until_idle()
    scenario.assert_promises_hold()
    *_, last = (change for change in published(scenario) if change["user_id"] == gone)
    assert (last["previous"], last["user_version"]) == (None, 1)
    assert last["current"] is not None
    view = json.loads(scenario.call("lookup", gone, "--json"))
    assert view["status"] == "assigned"
    assert view["segment"]["id"] == last["current"]["id"]
    assert view["features"]["active_days"] == 1, "nothing is left of the time before"


def published(scenario: Scenario) -> list[dict[str, Any]]:
    """Every change, partition by partition."""
    topic = scenario.deployment.topics.changes
    found = read_topics(scenario.deployment.kafka, topic)[topic]
    return [json.loads(record.value or b"") for part in found.values() for record in part]


def tombstoned(scenario: Scenario, user_id: str) -> bool:
    """Tell whether the last membership of a user is a tombstone."""
    topic = scenario.deployment.topics.memberships
    found = read_topics(scenario.deployment.kafka, topic)[topic]
    values = [r.value for part in found.values() for r in part if r.key == user_id.encode()]
    return bool(values) and values[-1] is None


def assigned_users(scenario: Scenario) -> list[str]:
    """Who is in a segment, by Redis."""
    return [
        user_id
        for one in observe(scenario.deployment)
        for user_id, user in one.stored.users.items()
        if user.segment >= 0
    ]


def ticker(scenario: Scenario, partition: int) -> str:
    """A user of this partition, who does nothing but let time pass."""
    return next(
        user_id
        for user_id in (f"tick-{n}" for n in range(1_000))
        if murmur2_partition(user_id.encode(), scenario.partitions) == partition
    )


def ticks(scenario: Scenario, after_ms: int, *, first_day: int, last_day: int) -> list[TimedEvent]:
    """One page view a day in every partition."""
    tickers = [ticker(scenario, number) for number in range(scenario.partitions)]
    return [
        event(user_id, "page_view", after_ms + day * DAY_MS, day)
        for day in range(first_day, last_day + 1)
        for user_id in tickers
    ]


def event(user_id: str, event_type: str, at_ms: int, number: int) -> TimedEvent:
    """One event, its record as old as itself."""
    made = Event(
        event_id=f"{event_type}-{user_id}-{at_ms}-{number}",
        user_id=user_id,
        type=event_type,  # type: ignore[arg-type]  # one of the eleven
        timestamp=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms),
        duration_s=60.0 if event_type == "session" else None,
    )
    return TimedEvent(at_ms, made, encode_event(made))

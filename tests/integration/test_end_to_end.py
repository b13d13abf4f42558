"""The whole product as an operator runs it: events in, models learnt, changes out, all agreeing."""

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.integration import streams
from tests.integration.checker import same_value
from tests.integration.expected import expect
from tests.integration.feed import read_topics
from tests.integration.scenario import Scenario

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

USERS = 300
EVENTS = 9_000
DAYS = 28  # the first model is founded after 14 of them
LOOKED_UP = 200
# Older records would be late by the wall clock.
LIVE_DAYS = 20


def test_events_become_segments_and_every_command_tells_the_same(
    scenario: Scenario, seed: int
) -> None:
    events = streams.history(seed, USERS, EVENTS, DAYS, broken_every=0)
    half = len(events) * 2 // 3
    streams.send(scenario.deployment, events[:half])
    scenario.work_until_idle("run")
    streams.send(scenario.deployment, events[half:])
    summary = scenario.work_until_idle("run")

    assert summary["records"] == len(events) - half
    assert summary["changes"] > 0
    scenario.assert_promises_hold()

    segments = json.loads(scenario.call("segments", "--json"))
    assert segments["model_version"].startswith("1.")
    assert len(segments["segments"]) == 4
    sizes = {segment["id"]: segment["size"] for segment in segments["segments"]}
    assert sum(sizes.values()) + segments["unassigned"] == segments["users"]
    assert segments["users"] == len({timed.event.user_id for timed in events})

    members = lines(scenario.call("watch", "--snapshot", "--json"))
    assert Counter(member["segment"]["id"] for member in members) == Counter(sizes)
    segment_of = {member["user_id"]: member["segment"]["id"] for member in members}

    user_ids = sorted({timed.event.user_id for timed in events})
    chosen = random.Random(seed).sample(user_ids, LOOKED_UP)
    views = lines(scenario.call("lookup", *chosen, "--json"))
    assert [view["user_id"] for view in views] == chosen
    assert_lookups_equal_the_reference(scenario, views)
    for view in views:
        segment = view["segment"]["id"] if view["segment"] else None
        assert segment == segment_of.get(view["user_id"])
        assert view["status"] == ("assigned" if segment else "unassigned")


def test_a_live_deployment_is_set_up_and_watched_by_the_command_line_alone(
    kafka: str, redis_server: str, start_scenario: Callable[..., Scenario], seed: int
) -> None:
    scenario = start_scenario(kafka, redis_server, topics_too=False, SHOAL_CLOCK="wall")
    scenario.call("topics", "create")
    running = scenario.start("run")
    events = streams.recent(seed, USERS, EVENTS // 2, LIVE_DAYS)
    streams.send(scenario.deployment, events)
    scenario.wait_for_applied(len(events))
    watched = lines(
        scenario.call("watch", "--from", "earliest", "--count", "50", "--seconds", "60", "--json")
    )
    running.terminate()
    assert running.wait(30) == 0, running.tail()
    assert running.summary["records"] == len(events)
    scenario.work_until_idle()

    assert len(watched) == 50
    assert len({change["change_id"] for change in watched}) == 50
    scenario.assert_promises_hold()


def assert_lookups_equal_the_reference(scenario: Scenario, views: list[dict[str, Any]]) -> None:
    """Every feature of every user, as of the time that the look-up names."""
    topic = scenario.deployment.topics.events
    records = read_topics(scenario.deployment.kafka, topic)[topic]
    references = {
        number: expect(part, number, scenario.partitions, 2**20).reference
        for number, part in records.items()
    }
    for view in views:
        as_of_ms = int(datetime.fromisoformat(view["as_of"]).timestamp() * 1000)
        should = references[view["partition"]].features(view["user_id"], as_of_ms)
        assert view["features"].keys() == should.keys()
        for name, (value, _) in should.items():
            found = view["features"][name]
            assert same_value(found, value), f"{view['user_id']} {name}: {found}, not {value}"


def lines(output: str) -> list[dict[str, Any]]:
    """Decode JSON Lines."""
    return [json.loads(line) for line in output.splitlines()]

"""An operator refits, rolls back and renames while events come in: nothing is lost or doubled."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis
from confluent_kafka import Consumer, TopicPartition

from tests.integration import streams
from tests.integration.feed import read_topics
from tests.integration.patience import eventually
from tests.integration.scenario import Scenario

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

USERS = 300
EVENTS = 6_000
LIVE_DAYS = 20
FIRST = "1.0"
PER_S = 20  # slow enough to last as long as the orders take


def test_refit_rollback_and_rename_run_against_live_traffic(
    kafka: str, redis_server: str, start_scenario: Callable[..., Scenario], seed: int
) -> None:
    scenario = start_scenario(kafka, redis_server, SHOAL_CLOCK="wall", SHOAL_BOOTSTRAP_DAYS="0")
    events = streams.recent(seed, USERS, EVENTS, LIVE_DAYS)
    past, live = events[:4_500], events[4_500:]
    running = scenario.start("run")
    streams.send(scenario.deployment, past)
    eventually(lambda: has_model(scenario), 60, "a first model")
    with streams.sending(scenario.deployment, live, PER_S, rest_at_once=True):
        scenario.wait_for_applied(len(past) + 1)
        applied = [scenario.applied]
        refit = order(scenario, "model", "refit", "--segments", "3", "--yes", "--json")
        applied.append(scenario.applied)
        [segment, *_] = refit["segments"]
        named = order(scenario, "segments", "rename", str(segment["id"]), "Ours", "--json")
        back = order(scenario, "model", "rollback", FIRST, "--yes", "--json")
        applied.append(scenario.applied)
    assert applied == sorted(set(applied)), "events were to be applied between the orders"
    scenario.wait_for_applied(len(events))
    running.terminate()
    assert running.wait(30) == 0, running.tail()
    scenario.work_until_idle()

    scenario.assert_promises_hold()
    assert [one["release"] for one in (refit, named, back)] == ["refit", "rename", "rollback"]
    assert [one["version"].split(".")[0] for one in (refit, named, back)] == ["2", "2", "3"]
    assert {"id": segment["id"], "name": "Ours"} in named["segments"]
    assert_lineage_is_complete(refit, back)
    assert_changes_follow_the_releases(scenario)
    shown = order(scenario, "segments", "--json")
    assert sum(one["size"] for one in shown["segments"]) + shown["unassigned"] == shown["users"]
    in_force = {one["id"] for one in back["segments"]}
    assert {one["id"] for one in shown["segments"] if one["size"]} <= in_force
    assert_previews_touch_nothing(scenario)


def assert_lineage_is_complete(refit: dict[str, Any], back: dict[str, Any]) -> None:
    """Every segment that there was, and every one that there is, is accounted for."""
    for done, was in ((refit, back), (back, refit)):
        told = {line["id"] for line in done["lineage"]}
        assert told == {one["id"] for one in done["segments"]} | {
            one["id"] for one in was["segments"]
        }


def assert_changes_follow_the_releases(scenario: Scenario) -> None:
    """Whoever moves because of the model moves by a major version, and to a segment of it."""
    topic = scenario.deployment.topics.changes
    found = read_topics(scenario.deployment.kafka, topic)[topic]
    changes = [json.loads(record.value or b"") for part in found.values() for record in part]
    assert {"model", "behaviour"} <= {change["cause"] for change in changes}
    for change in changes:
        previous, current = change["previous"], change["current"]
        assert previous is None or current is None or previous["id"] != current["id"]


def assert_previews_touch_nothing(scenario: Scenario) -> None:
    """No key of Redis and no topic is changed by looking."""
    before = everything(scenario)
    refit = order(scenario, "model", "refit", "--segments", "5", "--dry-run", "--json")
    back = order(scenario, "model", "rollback", FIRST, "--dry-run", "--json")
    order(scenario, "model", "diff", FIRST, refit["in_force"], "--json")
    assert everything(scenario) == before
    users = order(scenario, "segments", "--json")["users"]
    for found in (refit, back):
        moves = found["moves"]
        assert moves["moved"] <= moves["users"] <= users
        assert sum(route["users"] for route in moves["matrix"]) == moves["users"]
        assert len(moves["samples"]) == min(10, moves["moved"])
        assert all(len(mover["reasons"]) == 3 for mover in moves["samples"])


def has_model(scenario: Scenario) -> bool:
    """Tell whether look-ups find a model."""
    with redis.Redis.from_url(scenario.deployment.redis_url) as client:
        return bool(client.exists(f"{scenario.deployment.namespace}:model"))


def everything(scenario: Scenario) -> tuple[dict[bytes, bytes], list[int]]:
    """All that Redis holds of the deployment, and the ends of all its topics."""
    with redis.Redis.from_url(scenario.deployment.redis_url) as client:
        keys = sorted(client.scan_iter(match=f"*{scenario.deployment.namespace}*", count=10_000))
        stored = {key: client.dump(key) for key in keys}
    reader = Consumer({"bootstrap.servers": scenario.deployment.kafka, "group.id": "looks-only"})
    names = scenario.deployment.topics
    one = [(names.samples, 0), (names.models, 0)]
    each = [names.events, names.changes, names.memberships, names.dead]
    places = one + [(name, part) for name in each for part in range(scenario.partitions)]
    ends = [reader.get_watermark_offsets(TopicPartition(*place))[1] for place in places]
    reader.close()
    return stored, ends


def order(scenario: Scenario, *arguments: str) -> dict[str, Any]:
    """Run a command that answers with one JSON document."""
    answer: dict[str, Any] = json.loads(scenario.call(*arguments))
    return answer

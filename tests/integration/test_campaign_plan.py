"""A campaign plan from the live state, as the people who plan campaigns ask for it."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.integration import releases, streams
from tests.integration.scenario import Scenario

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]


def test_a_plan_is_made_from_what_the_people_of_each_segment_did(
    scenario: Scenario, seed: int, tmp_path: Path
) -> None:
    events = streams.history(seed, broken_every=0)
    releases.publish(scenario.deployment, releases.first_release(events, seed))
    streams.send(scenario.deployment, events)
    scenario.work_until_idle()

    table = tmp_path / "plan.csv"
    options = ("--budget", "10", "--frequency-cap", "5")
    plan = json.loads(scenario.call("campaigns", "plan", *options, "--json", "-o", str(table)))
    segments = json.loads(scenario.call("segments", "--json"))["segments"]
    sizes = {one["id"]: one["size"] for one in segments}
    planned = {one["id"]: one for one in plan["segments"]}
    left_out = {one["id"] for one in plan["left_out"]}
    assert planned.keys() | left_out == sizes.keys()
    assert {number: one["reach"] for number, one in planned.items()} == {
        number: size for number, size in sizes.items() if number not in left_out
    }
    room = 5 * 0.005 * sum(one["reach"] for one in planned.values())
    for way in ("best", "equal", "proportional"):
        assert sum(plan[way]["spend"].values()) == pytest.approx(min(10, room))
        assert plan[way]["conversions"]["low"] <= plan[way]["conversions"]["expected"]
    assert plan["equal"]["lift"]["expected"] >= -1e-9
    assert not plan["demographics_used"]
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["segment_id"]) for row in rows] == [one["id"] for one in plan["segments"]]

    said = scenario.call("campaigns", "plan", *options, "--allow-demographics", "--cpm", "7")
    assert "Demographics: shown beside the plan because you asked for it" in said

    found = json.loads(scenario.call("campaigns", "results", "--json"))["results"]
    sent = Counter(
        timed.event.campaign_id for timed in events if timed.event.type == "ad_impression"
    )
    assert {one["campaign"] for one in found} <= sent.keys()
    seen = Counter[str]()
    for one in found:
        seen[one["campaign"]] += one["impressions"]
    assert all(0 < seen[campaign] <= sent[campaign] for campaign in seen)

import json
from collections import Counter

import pytest

from tests.services.deployment import Deployment
from tests.shoal.running import run_shoal

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

USERS, EVENTS = 1_200, 40_000


def test_run_until_idle_leaves_lookup_segments_and_watch_in_agreement(
    deployment: Deployment,
) -> None:
    environment = deployment.environment() | {"SHOAL_CLOCK": "event", "SHOAL_PARTITIONS": "4"}

    def shoal(*arguments: str) -> str:
        done = run_shoal(*arguments, environment=environment, within_s=180)
        assert done.returncode == 0, done.stderr
        return done.stdout

    shoal("topics", "create")
    shoal("produce", "synthetic", "--users", str(USERS), "--events", str(EVENTS), "--seed", "7")
    summary = json.loads(shoal("run", "--until-idle", "3").splitlines()[-1])
    counted = summary["applied"] + summary["duplicate"] + summary["late"]
    assert summary["records"] == EVENTS == counted + sum(summary["dead"].values())
    assert summary["changes"] > 0

    view = json.loads(shoal("segments", "--json"))
    sizes = {segment["id"]: segment["size"] for segment in view["segments"]}
    assert len(sizes) >= 4
    assert sum(sizes.values()) + view["unassigned"] == view["users"] <= USERS

    members = [json.loads(line) for line in shoal("watch", "--snapshot", "--json").splitlines()]
    assert Counter(member["segment"]["id"] for member in members) == {
        segment: size for segment, size in sizes.items() if size
    }

    changes = shoal("watch", "--from", "earliest", "--json", "--count", str(summary["changes"]))
    last = {change["user_id"]: change for change in map(json.loads, changes.splitlines())}
    asked = sorted(last)[:50]
    users = [json.loads(line) for line in shoal("lookup", "--json", *asked).splitlines()]
    assert [user["user_id"] for user in users] == asked
    for user in users:
        # The id: a name is that of the model version at hand, and a minor may change it.
        assert user["segment"]["id"] == last[user["user_id"]]["current"]["id"]
        assert user["user_version"] == last[user["user_id"]]["user_version"]

    again = json.loads(shoal("run", "--until-idle", "1").splitlines()[-1])
    assert again["records"] == 0

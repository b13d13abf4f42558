"""A table of profiles on its way through Kafka and a worker into what is known of its users."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.events import Event, encode_event, epoch_ms
from producer.synthetic import TimedEvent
from tests.integration import streams
from tests.integration.scenario import Scenario
from tests.shoal.profiles.tables import uniform_rows, write_table

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

START = datetime(2026, 1, 5, tzinfo=UTC)
AS_OF = "2026-01-08"
IMPRESSIONS, CLICKS = 30, 10
KNOWN_CTR = 0.1


def test_an_imported_profile_adds_to_what_was_observed_and_never_overwrites_it(
    scenario: Scenario, tmp_path: Path
) -> None:
    rows = uniform_rows(50)
    for row in rows:
        row[11] = str(KNOWN_CTR)
    table = str(write_table(tmp_path / "table.csv", rows))
    streams.send(scenario.deployment, observed("1"))
    scenario.call("profiles", "import", table, "--as-of", AS_OF)
    summary = scenario.work_until_idle()
    assert summary["applied"] == IMPRESSIONS + CLICKS + 1 + len(rows)

    busy, silent = look_up(scenario, "1", "2")
    trials = IMPRESSIONS + 20  # a known value counts as 20 impressions
    assert busy["features"]["ctr"] == pytest.approx((CLICKS + 20 * KNOWN_CTR) / trials)
    assert silent["features"]["ctr"] == pytest.approx(KNOWN_CTR)
    assert busy["features"]["followed_accounts"] == int(rows[0][7])
    assert busy["features"]["weekend_hours"] == pytest.approx(float(rows[0][10]))

    # Again: nothing. A correction of one user, then the first table once more: one each.
    streams.send(scenario.deployment, [follow("1")])
    scenario.call("profiles", "import", table, "--as-of", AS_OF)
    rows[1][11] = "0.2"
    corrected = str(write_table(tmp_path / "corrected.csv", rows))
    scenario.call("profiles", "import", corrected, "--as-of", "2026-01-08T01:00:00Z")
    scenario.call("profiles", "import", table, "--as-of", "2026-01-08T02:00:00Z")
    summary = scenario.work_until_idle()
    assert (summary["applied"], summary["duplicate"], summary["dead"]) == (1 + 2, 148, {})
    busy, silent = look_up(scenario, "1", "2")
    assert busy["features"]["followed_accounts"] == int(rows[0][7]) + 1
    assert silent["features"]["ctr"] == pytest.approx(KNOWN_CTR)


def observed(user: str) -> list[TimedEvent]:
    """Somebody who was shown ads, clicked on a third of them and followed an account."""
    types = ["ad_impression"] * IMPRESSIONS + ["ad_click"] * CLICKS + ["follow"]
    return [timed(user, f"e{number}", kind, number) for number, kind in enumerate(types)]


def follow(user: str) -> TimedEvent:
    """One account more."""
    return timed(user, "later", "follow", 3 * 24 * 60)


def timed(user: str, event_id: str, kind: str, minutes: int) -> TimedEvent:
    at = START + timedelta(minutes=minutes)
    event = Event(event_id=event_id, user_id=user, type=kind, timestamp=at)  # type: ignore[arg-type]  # one of the types
    return TimedEvent(epoch_ms(at), event, encode_event(event))


def look_up(scenario: Scenario, *users: str) -> list[dict[str, Any]]:
    lines = scenario.call("lookup", *users, "--json").splitlines()
    return [json.loads(line) for line in lines]

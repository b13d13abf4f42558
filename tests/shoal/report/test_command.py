import json
from pathlib import Path

import pytest
import redis

from consumer.keys import PartitionKeys
from consumer.redis_client import open_redis
from consumer.store import PartitionStore
from tests.services.deployment import fresh_deployment
from tests.shoal.report.synthetic import SyntheticState
from tests.shoal.running import run_shoal


@pytest.fixture
def environment(redis_server: str, state: SyntheticState) -> dict[str, str]:
    """A Redis that holds the synthetic people's states."""
    deployment = fresh_deployment("", redis_server)
    name = deployment.namespace
    store = PartitionStore(open_redis(redis_server, timeout_s=5.0), PartitionKeys(name, 0))
    with redis.Redis.from_url(redis_server) as client:
        state.write(store, client, name)
    return deployment.environment()


@pytest.mark.redis
def test_one_state_gives_the_same_files_each_time(
    environment: dict[str, str], state: SyntheticState, tmp_path: Path
) -> None:
    for number in ("1", "2"):
        page, data = tmp_path / f"{number}.html", tmp_path / f"{number}.json"
        options = ["-o", str(page), "--json", str(data), "--budget", "1000"]
        done = run_shoal("report", *options, environment=environment)
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
    for kind in ("html", "json"):
        assert (tmp_path / f"1.{kind}").read_bytes() == (tmp_path / f"2.{kind}").read_bytes()
    found = json.loads((tmp_path / "1.json").read_bytes())
    assert found["users"] == len(state.people)
    assert {one["id"]: one["users"] for one in found["segments"]} == state.meta.users
    assert found["campaign_plan"]["budget"] == 1000
    assert "Campaign sheet" in (tmp_path / "1.html").read_text()


@pytest.mark.redis
def test_wrong_use_is_said_before_anything_is_read(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = run_shoal("report", environment=environment)
    assert (done.returncode, "nowhere to write" in done.stderr) == (2, True)
    done = run_shoal("report", "-o", str(tmp_path / "no" / "x.html"), environment=environment)
    assert (done.returncode, "cannot write" in done.stderr) == (2, True)

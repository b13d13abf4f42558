import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from consumer.keys import topology_key
from consumer.topology import current_topology, encode_topology
from shoal.package_checks import foreign_owners
from tests.services.deployment import Deployment
from tests.services.redis import RedisServer
from tests.shoal.running import run_shoal

Checks = dict[str, dict[str, str]]


@pytest.fixture
def ready(deployment: Deployment) -> Deployment:
    """A deployment whose topics exist."""
    assert run_shoal("topics", "create", environment=deployment.environment()).returncode == 0
    return deployment


def doctor(deployment: Deployment, exit_code: int, **settings: str) -> Checks:
    """Run the doctor; give its checks by name."""
    environment = deployment.environment() | settings
    done = run_shoal("doctor", "--json", environment=environment)
    assert done.returncode == exit_code, done.stdout + done.stderr
    return {check["name"]: check for check in json.loads(done.stdout)["checks"]}


@pytest.mark.kafka
@pytest.mark.redis
def test_a_healthy_deployment_is_ok_everywhere(ready: Deployment) -> None:
    assert {check["status"] for check in doctor(ready, 0).values()} == {"ok"}


@pytest.mark.kafka
@pytest.mark.redis
def test_an_evicting_redis_fails_and_one_without_its_log_is_warned_about(
    ready: Deployment, start_redis: Callable[..., RedisServer]
) -> None:
    evicting = start_redis({"maxmemory-policy": "allkeys-lru", "appendonly": "no"})
    checks = doctor(replace(ready, redis_url=evicting.url), 1)
    assert checks["redis eviction"]["status"] == "failed"
    assert "CONFIG SET maxmemory-policy noeviction" in checks["redis eviction"]["detail"]
    assert checks["redis persistence"]["status"] == "warning"
    assert "CONFIG SET appendonly yes" in checks["redis persistence"]["detail"]


@pytest.mark.kafka
@pytest.mark.redis
def test_a_warning_alone_does_not_fail(
    ready: Deployment, start_redis: Callable[..., RedisServer]
) -> None:
    forgetful = start_redis({"appendonly": "no"})
    checks = doctor(replace(ready, redis_url=forgetful.url), 0)
    assert checks["redis persistence"]["status"] == "warning"


@pytest.mark.kafka
@pytest.mark.redis
def test_a_worker_refuses_an_evicting_redis_with_4(
    ready: Deployment, start_redis: Callable[..., RedisServer]
) -> None:
    evicting = start_redis({"maxmemory-policy": "allkeys-lru"})
    environment = replace(ready, redis_url=evicting.url).environment()
    done = run_shoal("worker", "--until-idle", "1", environment=environment)
    assert done.returncode == 4
    assert "noeviction" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.kafka
@pytest.mark.redis
@pytest.mark.parametrize("field", ["partitions", "layout"])
def test_state_of_another_shape_is_refused(ready: Deployment, field: str) -> None:
    ours = current_topology(12)
    values = {"partitions": ours.partitions, "layout": ours.layout, "catalogue": ours.catalogue}
    other = type(ours)(partitioner=ours.partitioner, **values | {field: 99})  # type: ignore[arg-type]
    with redis.Redis.from_url(ready.redis_url) as client:
        client.set(topology_key(ready.namespace), encode_topology(other))

    assert doctor(ready, 1)["stored state"]["status"] == "failed"
    done = run_shoal("worker", "--until-idle", "1", environment=ready.environment())
    assert done.returncode == 4
    assert "another SHOAL_NAMESPACE" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_distribution_that_ships_one_of_our_names_is_found() -> None:
    owners = {"consumer": ["shoal", "other-project"], "features": ["Shoal"], "numpy": ["numpy"]}
    assert foreign_owners(owners) == {"consumer": ["other-project"]}

"""A deployment for each test on the shared services, its topics created, its processes watched."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.scenario import Scenario
from tests.services.deployment import Deployment, fresh_deployment

PARTITIONS = 3


@pytest.fixture
def seed() -> int:
    """What all randomness starts from; a failing test shows it."""
    chosen = int(os.environ.get("SHOAL_TEST_SEED", "7"))
    print(f"SHOAL_TEST_SEED={chosen}")  # noqa: T201 -- pytest shows it with a failure
    return chosen


@pytest.fixture
def start_scenario(tmp_path: Path) -> Iterator[Callable[..., Scenario]]:
    """Make deployments: `start_scenario(kafka, redis_url, SHOAL_CLOCK="wall")`."""
    scenarios: list[Scenario] = []

    def start(
        kafka: str,
        redis_url: str,
        *,
        partitions: int = PARTITIONS,
        topics_too: bool = True,
        **settings: str,
    ) -> Scenario:
        directory = tmp_path / f"scenario-{len(scenarios)}"
        directory.mkdir()
        deployment: Deployment = fresh_deployment(kafka, redis_url)
        scenarios.append(Scenario(deployment, directory, settings, partitions))
        if topics_too:
            scenarios[-1].create_topics()
        return scenarios[-1]

    yield start
    for scenario in scenarios:
        scenario.end()


@pytest.fixture
def scenario(kafka: str, redis_server: str, start_scenario: Callable[..., Scenario]) -> Scenario:
    """A deployment on historical data (SHOAL_CLOCK=event) with three partitions."""
    return start_scenario(kafka, redis_server)

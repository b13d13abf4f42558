"""The short campaign: every kind of fault once, and every named point once, with nothing broken.

The long one is `make campaign`; see docs/campaign.md.
"""

import os
from dataclasses import replace

import pytest

from tests.campaign.outcome import Outcome
from tests.campaign.run import Plan, plan, run
from tests.campaign.schedule import KINDS, POINT_NAMES, schedule
from tests.services.kafka_jars import KafkaJarsMissing, kafka_jars
from tests.services.redis import redis_program

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

SECONDS = 25.0
POINTS = ("after the Redis commit", "after the Kafka commit", "during ownership")


@pytest.fixture
def seed() -> int:
    """What the schedule and the stream start from."""
    return int(os.environ.get("SHOAL_TEST_SEED", "7"))


@pytest.fixture(autouse=True)
def processes_can_be_had() -> None:
    """Faults are done to processes of this machine: containers and services given do not do."""
    try:
        kafka_jars()
    except KafkaJarsMissing as missing:
        unavailable(f"no Kafka to kill: {missing}")
    if not redis_program():
        unavailable("no Redis to kill: install redis-server")


def unavailable(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def test_every_kind_of_fault_under_load_breaks_no_promise(seed: int) -> None:
    faults = schedule(seed, SECONDS, points=POINTS)
    outcome = run(replace(plan(seed, SECONDS), faults=faults))
    assert outcome.is_clean, told(outcome, seed)
    assert len(outcome.faults) >= len(KINDS) * 2 // 3, told(outcome, seed)


def test_a_process_dies_at_every_named_point_and_no_promise_breaks(seed: int) -> None:
    faults = schedule(seed, SECONDS, ("worker killed at a point",))
    outcome = run(Plan(seed, SECONDS, faults))
    assert outcome.is_clean, told(outcome, seed)
    assert outcome.reached.keys() == set(POINT_NAMES), told(outcome, seed)


def told(outcome: Outcome, seed: int) -> str:
    again = f'make campaign ARGS="--seed {seed} --seconds {SECONDS:g}"'
    return f"{outcome.line()} · missed {dict(outcome.missed)} · {again}"

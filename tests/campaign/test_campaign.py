"""The short campaign: every kind of fault once, with nothing broken.

The long one is `make campaign`; see docs/campaign.md.
"""

import os
from dataclasses import replace

import pytest

from tests.campaign.outcome import Outcome
from tests.campaign.run import plan, run
from tests.campaign.schedule import KINDS, Fault, Kind, schedule
from tests.services.kafka_jars import KafkaJarsMissing, kafka_jars
from tests.services.redis import redis_program

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

SECONDS = 20.0
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
    outcome = run(replace(plan(seed, SECONDS), faults=one_of_each(seed)))
    assert outcome.is_clean, told(outcome, seed)
    assert len(outcome.faults) >= len(KINDS) // 2, told(outcome, seed)


def one_of_each(seed: int) -> list[Fault]:
    """Draw a schedule without what `test_named_points` does by itself."""
    first: dict[Kind, Fault] = {}
    for fault in schedule(seed, SECONDS, points=POINTS):
        first.setdefault(fault.kind, fault)
    return sorted(first.values(), key=lambda fault: fault.at_s)


def told(outcome: Outcome, seed: int) -> str:
    again = f'make campaign ARGS="--seed {seed} --seconds {SECONDS:g}"'
    return f"{outcome.line()} · missed {dict(outcome.missed)} · {again}"

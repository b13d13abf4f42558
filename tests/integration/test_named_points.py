"""Every named point of a worker is really passed, kills it, and costs nothing.

Each life has a consumer group of its own, so that none waits for the session of the one before.
The trainer's two points are passed in test_standby.
"""

from collections.abc import Callable
from itertools import count

import pytest
import redis

from consumer.crash import POINTS
from producer.synthetic import TimedEvent
from segments.model import SegmentModel
from tests.integration import releases, streams
from tests.integration.patience import eventually
from tests.integration.processes import ShoalProcess
from tests.integration.scenario import Scenario

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

EVENTS_A_LIFE = 120
DIES_WITHIN_S = 60
TAKEN = '"event": "partition taken"'

# In this order: what a life leaves behind leads the next one to its point.
AT_ONCE = (
    "after queueing everybody",  # the first one with a model
    "during the sweep",  # everybody is due
    "after poll",
    "before the Redis commit",
    "after the Redis commit",
    "before the Kafka commit",
    "after the Kafka commit",
    "during ownership",
    "after the Kafka fence",
    "after the nonce",
    "during read-back",
    "after the outbox",
    "after tidying",
)
IN_AN_EMPTIED_REDIS = ("while seeding", "during catch-up")
WHEN_ROBBED_OF_THE_NONCE = ("while taking again",)
WHEN_ASKED_TO_LEAVE = ("during revoke",)
OF_THE_TRAINER = ("before the model commit", "after the model commit")


def test_every_named_point_has_its_turn() -> None:
    turns = (*AT_ONCE, *IN_AN_EMPTIED_REDIS, *WHEN_ROBBED_OF_THE_NONCE, *WHEN_ASKED_TO_LEAVE)
    assert {*turns, *OF_THE_TRAINER} == {one.name for one in POINTS}


def test_a_worker_killed_at_each_named_point_loses_and_repeats_nothing(
    scenario: Scenario, seed: int
) -> None:
    events = streams.history(seed)
    lives = Lives(scenario, events, releases.first_release(events, seed), seed)
    lives.live()  # before there is a model
    for point in AT_ONCE:
        lives.die_at(point)
    empty(scenario)
    for point in IN_AN_EMPTIED_REDIS:
        lives.die_at(point)
    for point in WHEN_ROBBED_OF_THE_NONCE:
        lives.die_at(point, lambda _: take_the_nonce(scenario))
    for point in WHEN_ASKED_TO_LEAVE:
        lives.die_at(point, ShoalProcess.terminate)
    lives.live()

    assert scenario.changes > 100
    scenario.assert_promises_hold()


class Lives:
    """One worker after the other, a few events and a newer model for each."""

    def __init__(
        self, scenario: Scenario, events: tuple[TimedEvent, ...], model: SegmentModel, seed: int
    ) -> None:
        self._scenario, self._events, self._model, self._seed = scenario, events, model, seed
        self._numbers = count()

    def die_at(self, point: str, lead: Callable[[ShoalProcess], None] | None = None) -> None:
        """Let a worker live until it dies at a point, led there once it owns something."""
        releases.publish(self._scenario.deployment, self._model)
        self._model = releases.later_release(self._model, self._seed)
        worker = self._start(point)
        if lead is not None:
            eventually(lambda: TAKEN in worker.log.read_text(), DIES_WITHIN_S, "it owns something")
            lead(worker)
        assert worker.wait(DIES_WITHIN_S) == -9, f"{point}: {worker.tail()}"

    def live(self) -> None:
        """Let a worker work until nothing is left to do."""
        worker = self._start("", "--until-idle", "1")
        assert worker.wait() == 0, worker.tail()

    def _start(self, point: str, *arguments: str) -> ShoalProcess:
        number = next(self._numbers)
        first = number * EVENTS_A_LIFE
        streams.send(self._scenario.deployment, self._events[first : first + EVENTS_A_LIFE])
        group = {"SHOAL_GROUP": f"{self._scenario.deployment.group}-{number}"}
        crash = {"SHOAL_CRASH_AT": point} if point else {}
        return self._scenario.start("worker", *arguments, **group, **crash)


def empty(scenario: Scenario) -> None:
    """Delete everything of this scenario's; others share the server."""
    with redis.Redis.from_url(scenario.deployment.redis_url) as client:
        for key in client.scan_iter(match=f"*{scenario.deployment.namespace}*"):
            client.delete(key)


def take_the_nonce(scenario: Scenario) -> None:
    """Own every partition for a moment, as another worker would."""
    with redis.Redis.from_url(scenario.deployment.redis_url) as client:
        for number in range(scenario.partitions):
            key = f"{{{scenario.deployment.namespace}.{number}}}:meta"
            stored = client.get(key)
            assert isinstance(stored, bytes)
            client.set(key, b"another\n" + stored.partition(b"\n")[2])

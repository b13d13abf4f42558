"""Letting partitions go: bounded, whatever is under way."""

from concurrent.futures import Future
from time import perf_counter

import pytest

from consumer import group
from tests.consumer.simulated.schedule import schedule_of
from tests.consumer.simulated.stand_ins import _worlds, services_in_memory
from tests.consumer.simulated.world import World

# librdkafka's defaults: within the first the group wants to hear from a member, and after the
# second a synchronous offset commit gives up.
MAX_POLL_INTERVAL_S = 300.0
SOCKET_TIMEOUT_S = 60.0


def test_letting_go_takes_a_quarter_of_what_the_group_grants_at_most() -> None:
    assert group.LET_GO_S + SOCKET_TIMEOUT_S <= MAX_POLL_INTERVAL_S / 4


def test_a_commit_that_does_not_end_holds_no_rebalance_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "LET_GO_S", 0.2)
    with services_in_memory():
        world = World(schedule_of(1))
        _worlds.append(world)
        holder, heir = world.processes[:2]
        for lot in range(4):
            world._turn(holder, lot)
            world._turn(heir, lot)
        assert holder.worker is not None
        holder.worker.owned[0].committing = Future()
        world.coordinator.heir = heir.member
        started_s = perf_counter()
        world._turn(holder, 0)
        took_s = perf_counter() - started_s
        _worlds.pop()
    assert 0.2 <= took_s < 5.0
    assert not holder.worker.owned
    assert world.coordinator.holder is None

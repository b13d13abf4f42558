"""A schedule holds everything, and a seed gives the same one again."""

from collections import Counter

import pytest

from consumer.crash import POINTS
from tests.campaign.schedule import KINDS, schedule


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("seconds", [20, 60, 300])
def test_every_kind_and_every_named_point_comes_in_every_schedule(seed: int, seconds: int) -> None:
    faults = schedule(seed, seconds)
    assert {one.kind for one in faults} == set(KINDS)
    killed_at = {one.point.partition(":")[0] for one in faults if one.kind.endswith("at a point")}
    assert killed_at == {one.name for one in POINTS}
    assert [one.at_s for one in faults] == sorted(one.at_s for one in faults)
    assert all(0 < one.at_s < seconds for one in faults)


def test_a_seed_gives_one_schedule_and_seeds_differ() -> None:
    assert schedule(3, 60) == schedule(3, 60)
    orders = Counter(tuple(one.kind for one in schedule(seed, 60)) for seed in range(20))
    assert len(orders) == 20


def test_a_schedule_can_be_confined_to_some_kinds_and_points() -> None:
    faults = schedule(1, 30, kinds=["worker killed at a point", "redis killed"], points=["a", "b"])
    assert {one.point for one in faults} == {"", "a", "b"}
    assert len(faults) >= 20

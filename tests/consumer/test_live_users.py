"""Walking and drawing users on a real Redis."""

from collections.abc import Sequence

import numpy as np
import pytest

from consumer.keys import PartitionKeys
from consumer.live_users import BATCH_USERS, draw, walk
from consumer.redis_client import RedisClient, open_redis
from features import codec
from features.slab import Slab
from tests.services.deployment import fresh_deployment

pytestmark = pytest.mark.redis


class Town:
    """A namespace into which a test puts users."""

    def __init__(self, url: str) -> None:
        self.client: RedisClient = open_redis(url, timeout_s=5.0)
        self.name = fresh_deployment("", url).namespace

    def settle(self, partition: int, user_ids: Sequence[str]) -> None:
        if not user_ids:
            return
        keys, slab = PartitionKeys(self.name, partition), Slab(1)
        [state] = codec.encode(slab, np.zeros(1, np.int64))
        self.client.mset({keys.user(user_id): state for user_id in user_ids})
        self.client.zadd(keys.due, {user_id: float(at) for at, user_id in enumerate(user_ids)})


@pytest.fixture
def town(redis_server: str) -> Town:
    return Town(redis_server)


@pytest.mark.parametrize("users", [0, 1, 100, BATCH_USERS + 1])
def test_a_walk_meets_everybody_once(town: Town, users: int) -> None:
    everybody = [f"user-{n}" for n in range(users)]
    town.settle(0, everybody)
    town.settle(1, ["neighbour"])
    batches = list(walk(town.client, town.name, 0))
    met = [user_id for batch in batches for user_id in batch.user_ids]
    assert sorted(met) == sorted(everybody)
    assert all(0 < len(batch.user_ids) <= BATCH_USERS for batch in batches)


def test_a_user_who_has_just_gone_is_passed_over(town: Town) -> None:
    town.settle(0, ["ann", "bob"])
    town.client.delete(PartitionKeys(town.name, 0).user("ann"))
    assert [batch.user_ids for batch in walk(town.client, town.name, 0)] == [["bob"]]
    drawn = draw(town.client, town.name, 1, 10)
    assert drawn is not None
    assert drawn.user_ids == ["bob"]


def test_a_draw_takes_from_every_partition(town: Town) -> None:
    assert draw(town.client, town.name, 3, 30) is None
    for partition in range(3):
        town.settle(partition, [f"{partition}-{n}" for n in range(50)])
    drawn = draw(town.client, town.name, 3, 30)
    assert drawn is not None
    assert len(set(drawn.user_ids)) == 30
    by_partition = [sum(u.startswith(f"{n}-") for u in drawn.user_ids) for n in range(3)]
    assert by_partition == [10, 10, 10]

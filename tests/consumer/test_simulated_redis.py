"""The simulation's scripts in Python do what Redis does with the real ones."""

from random import Random
from uuid import uuid4

import pytest
import redis

from consumer.errors import Fenced
from consumer.keys import PartitionKeys
from consumer.meta import PartitionMeta, encode_meta
from consumer.store import Commit, PartitionStore
from tests.consumer.simulated.faults import Faults
from tests.consumer.simulated.redis import MemoryRedis, MemoryRedisClient

pytestmark = pytest.mark.redis

SEEDS = 6
CALLS = 40
USERS = [f"user {number}" for number in range(6)]


def call(store: PartitionStore, random: Random, expected: bytes, number: int) -> object:
    """Make a call drawn by lot; the answer, or that it was refused."""
    keys, users = store.keys, random.sample(USERS, 3)
    try:
        match random.choice(["own", "read", "due", "commit", "commit", "commit"]):
            case "own":
                return store.own(f"nonce {number}")
            case "read":
                return store.read(expected, [keys.user(user) for user in users])
            case "due":
                return store.due(expected, random.randint(0, 9), random.randint(1, 4), number % 3)
        store.commit(
            Commit(
                expected_meta=expected,
                new_meta=encode_meta("nonce", PartitionMeta(applied_offset=number)),
                outbox=random.randbytes(random.randint(0, 5)),
                states=[part for user in users for part in (keys.user(user), random.randbytes(4))],
                deleted=[keys.user(users[0])] if random.random() < 0.3 else [],
                due=[
                    part for user in users for part in (b"%d" % random.randint(0, 9), user.encode())
                ],
                not_due=[users[1].encode()] if random.random() < 0.3 else [],
                queue_everybody=random.random() < 0.2,
                keeps_queue=random.random() < 0.3,
            )
        )
    except Fenced:
        return "fenced"
    return "done"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_same_calls_get_the_same_answers_and_leave_the_same_behind(
    seed: int, redis_server: str
) -> None:
    keys = PartitionKeys(f"t{uuid4().hex[:10]}", 0)
    memory = MemoryRedis()
    unarmed = Faults(lambda: None, lambda: False, [])
    with redis.Redis.from_url(redis_server) as client:
        stores = (
            PartitionStore(client, keys),
            PartitionStore(MemoryRedisClient(memory, unarmed), keys),
        )
        lots, answers = Random(seed), set()
        for number in range(CALLS):
            current = stores[0].meta() or b""
            expected = current if lots.random() < 0.8 else b"something else"
            lot = lots.random()
            real, simulated = (call(store, Random(lot), expected, number) for store in stores)
            assert real == simulated, f"call {number}"
            answers.add(str(real))
            due = dict(client.zrange(keys.due, 0, -1, withscores=True))
            assert due == memory.due
            for key in [keys.meta.encode(), keys.outbox.encode(), *map(keys.user, USERS)]:
                assert client.get(key) == memory.values.get(key), key
    assert {"fenced", "done"} <= answers

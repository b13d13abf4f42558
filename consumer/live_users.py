"""Everybody who is in Redis now, batch by batch, without disturbing the workers.

A partition's `due` names all its users, so it is what is walked: other keys of the same Redis cost
nothing, and the walk is the same on a cluster. Users who come or go meanwhile may be missed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from consumer.decisions import Slots
from consumer.keys import PartitionKeys
from consumer.redis_client import RedisClient
from consumer.store import needing_redis
from features import codec
from features.slab import Slab
from features.vector import Vectors, vectors

BATCH_USERS = 2_000


@dataclass(frozen=True)
class LiveUsers:
    """Some users of one partition: their states in the slots 0 … n − 1, n at least 1."""

    user_ids: list[str]
    slab: Slab

    @property
    def slots(self) -> Slots:
        """The slots, int64[n]."""
        return np.arange(len(self.user_ids))

    def vectors(self, as_of_ms: int) -> Vectors:
        """Give everybody's features as of a time."""
        return vectors(self.slab, self.slots, as_of_ms)


def walk(client: RedisClient, namespace: str, partition: int) -> Iterator[LiveUsers]:
    """Give all users of a partition, each once.

    Raises:
        ServiceUnavailable: Redis cannot be reached.
        CorruptState, UnknownLayout: a state cannot be read.
    """
    keys = PartitionKeys(namespace, partition)
    seen: set[bytes] = set()  # a walk may come by twice while the set is being changed
    waiting: list[bytes] = []
    cursor, at_end = 0, False
    while not at_end:
        cursor, found = _page(client, keys, cursor)
        at_end = cursor == 0
        for user, _ in found:
            if user not in seen:
                seen.add(user)
                waiting.append(user)
        while len(waiting) >= BATCH_USERS or (at_end and waiting):
            users = _read(client, keys, waiting[:BATCH_USERS])
            del waiting[:BATCH_USERS]
            if users is not None:
                yield users


def draw(client: RedisClient, namespace: str, partitions: int, users: int) -> LiveUsers | None:
    """Draw so many users at random, about equally many from each partition, in two round trips.

    Returns:
        The users; None if there is nobody.

    Raises:
        ServiceUnavailable, CorruptState, UnknownLayout: as for `walk`.
    """
    all_keys = [PartitionKeys(namespace, partition) for partition in range(partitions)]
    each = -(-users // partitions)
    with client.pipeline(transaction=False) as pipeline:
        for keys in all_keys:
            pipeline.zrandmember(keys.due, each)
        drawn = needing_redis(pipeline.execute)
    wanted = [(keys, user) for keys, found in zip(all_keys, drawn, strict=True) for user in found]
    with client.pipeline(transaction=False) as pipeline:
        for keys, user in wanted:
            pipeline.get(keys.user_prefix + user)
        states = needing_redis(pipeline.execute) if wanted else []
    return _decoded([user for _, user in wanted], states)


def _page(
    client: RedisClient, keys: PartitionKeys, cursor: int
) -> tuple[int, list[tuple[bytes, float]]]:
    cursor, found = needing_redis(lambda: client.zscan(keys.due, cursor, count=BATCH_USERS))
    return int(cursor), found


def _read(client: RedisClient, keys: PartitionKeys, users: list[bytes]) -> LiveUsers | None:
    prefix = keys.user_prefix
    states = needing_redis(lambda: client.mget([prefix + user for user in users]))
    return _decoded(users, states)


def _decoded(users: list[bytes], states: list[bytes | None]) -> LiveUsers | None:
    """Decode those who still have a state; None if nobody does."""
    there = [(user, state) for user, state in zip(users, states, strict=True) if state is not None]
    if not there:
        return None
    slab = Slab(len(there))
    codec.decode(slab, np.arange(len(there)), [state for _, state in there])
    return LiveUsers([user.decode() for user, _ in there], slab)

"""What Redis holds of a namespace, read with nothing but its documented layout (DESIGN: keys)."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import redis

from features import codec
from features.catalogue import FEATURE_NAMES
from features.slab import FORGOTTEN, Slab
from features.vector import vectors

Json = dict[str, Any]
Version = tuple[int, int]
"""Major and minor of a model."""


@dataclass(frozen=True)
class StoredUser:
    """One user's state, decoded.

    Attributes:
        segment: id, -1 for none.
        user_version: number of the user's last change.
        candidate_count: observations that spoke for another segment since the last one that
            did not.
        applied: events applied since the user was first seen.
        forgotten: only the mark of a forget request is left.
        features: as of the partition's own time; None where nothing is known.
    """

    segment: int
    user_version: int
    candidate_count: int
    applied: int
    forgotten: bool
    features: dict[str, float | None]


@dataclass(frozen=True)
class StoredPartition:
    """One partition's keys; `meta` is None where no worker has committed yet."""

    meta: Json | None
    outbox: Json
    users: dict[str, StoredUser]
    due: dict[str, float]
    trend: Json


def read_partition(url: str, namespace: str, partition: int) -> StoredPartition:
    """Read everything that Redis holds of a partition."""
    tag = f"{{{namespace}.{partition}}}"
    with redis.Redis.from_url(url) as client:
        meta = read_meta(client, namespace, partition)
        prefix = f"{tag}:u:".encode()
        keys = list(client.scan_iter(match=tag.replace("{", "\\{") + ":u:*", count=1000))
        states = list(client.mget(keys)) if keys else []
        outbox = client.get(f"{tag}:outbox")
        due = client.zrange(f"{tag}:due", 0, -1, withscores=True)
        trend = client.hgetall(f"{tag}:trend")
    user_ids = [key.removeprefix(prefix).decode() for key in keys]
    as_of_ms = meta["as_of_ms"] if meta else 0
    return StoredPartition(
        meta,
        msgspec.msgpack.decode(outbox) if outbox else {},
        _decode_users(user_ids, states, as_of_ms),
        {user.decode(): ms for user, ms in due},
        {name.decode(): msgspec.msgpack.decode(tile) for name, tile in trend.items()},
    )


def read_meta(client: "redis.Redis", namespace: str, partition: int) -> Json | None:
    """Read a partition's counters: JSON behind the owner's nonce."""
    stored = client.get(f"{{{namespace}.{partition}}}:meta")
    body = stored.partition(b"\n")[2] if isinstance(stored, bytes) else b""
    return json.loads(body) if body else None


def read_model_version(url: str, namespace: str) -> Version | None:
    """Read which model Redis has a copy of."""
    with redis.Redis.from_url(url) as client:
        stored = client.get(f"{namespace}:model")
    if not isinstance(stored, bytes):
        return None
    model = json.loads(stored)
    return model["major"], model["minor"]


def _decode_users(user_ids: list[str], states: list[bytes], as_of_ms: int) -> dict[str, StoredUser]:
    slab, slots = Slab(max(1, len(states))), np.arange(len(states))
    codec.decode(slab, slots, states)
    values = vectors(slab, slots, as_of_ms).values
    return {
        user_id: StoredUser(
            segment=int(head["segment"]),
            user_version=int(head["user_version"]),
            candidate_count=int(head["candidate_count"]),
            applied=int(head["applied"]),
            forgotten=bool(head["flags"] & FORGOTTEN),
            features={
                name: None if np.isnan(value) else float(value)
                for name, value in zip(FEATURE_NAMES, row, strict=True)
            },
        )
        for user_id, head, row in zip(user_ids, slab.heads(slots), values, strict=True)
    }

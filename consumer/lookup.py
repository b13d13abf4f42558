"""Reading state: one user explained, and what all segments look like. Redis only, no Kafka.

A look-up is one round trip once topology and model are known: the partition's meta and the
user's state are read together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np

from consumer.config import Clock
from consumer.errors import NotSetUp
from consumer.keys import PartitionKeys, model_key, topology_key
from consumer.meta import PartitionMeta, decode_meta
from consumer.redis_client import RedisClient
from consumer.store import needing_redis
from consumer.topology import Topology, check_topology, current_topology, decode_topology
from features import codec
from features.catalogue import FEATURE_NAMES
from features.slab import FORGOTTEN, Slab
from features.vector import Vectors, vectors
from producer.partitioner import murmur2_partition
from segments.assignment import margins, squared_distances
from segments.changes import Reason, SegmentRef, rfc3339
from segments.model import NO_SEGMENT, CompiledModel, decode_model
from segments.reasons import reasons

Status = Literal["assigned", "unassigned", "forgotten", "unknown"]

_CACHED_S = 1.0  # how long the model is trusted before it is read again


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """One user explained; the JSON of `shoal lookup --json`.

    `margin` and `reasons` say why the user is where they are now: the features that speak most for
    their segment against the nearest other one. Null features are unknown.
    """

    user_id: str
    status: Status
    partition: int
    as_of: str
    features: dict[str, float | None]
    segment: SegmentRef | None
    user_version: int
    model_version: str | None
    margin: float | None
    reasons: list[Reason]


@dataclass(frozen=True)
class SegmentView:
    """One segment: who it is, how many are in it, and where its centroid lies in feature units."""

    id: int
    name: str
    size: int
    centroid: dict[str, float]


@dataclass(frozen=True)
class SegmentsView:
    """All segments; `users` = the sum of the sizes + `unassigned`."""

    model_version: str | None
    users: int
    unassigned: int
    segments: list[SegmentView]


class Lookup:
    """Reads what the workers of a namespace have written."""

    def __init__(
        self,
        client: RedisClient,
        namespace: str,
        *,
        clock_mode: Clock,
        clock: Callable[[], int],
    ) -> None:
        """Remember where to look; nothing is read yet.

        Args:
            client: Redis.
            namespace: whose state.
            clock_mode: "wall" reads features as of now, "event" as of the stream time.
            clock: wall clock, ms.
        """
        self._client = client
        self._namespace = namespace
        self._clock_mode = clock_mode
        self._clock = clock
        self._topology: Topology | None = None
        self._model: CompiledModel | None = None
        self._model_bytes: bytes | None = None
        self._model_read_ms = 0

    def users(self, user_ids: Sequence[str]) -> list[UserView]:
        """Explain users, in the order asked for.

        Raises:
            ServiceUnavailable: Redis cannot be reached.
            NotSetUp: no worker has ever written to this namespace.
        """
        partitions, model = self.topology().partitions, self.model()
        places = [murmur2_partition(user_id.encode(), partitions) for user_id in user_ids]
        with self._client.pipeline(transaction=False) as pipeline:
            for user_id, place in zip(user_ids, places, strict=True):
                keys = PartitionKeys(self._namespace, place)
                pipeline.get(keys.meta)
                pipeline.get(keys.user(user_id))
            found = needing_redis(pipeline.execute)
        return [
            self._view(user_id, place, meta, state, model)
            for user_id, place, meta, state in zip(
                user_ids, places, found[::2], found[1::2], strict=True
            )
        ]

    def segments(self) -> SegmentsView:
        """Give all segments with their sizes.

        Raises:
            ServiceUnavailable, NotSetUp: as for `users`.
        """
        metas, model = self.metas(), self.model()
        sizes: dict[int, int] = {}
        for meta in metas.values():
            for segment_id, size in meta.users.items():
                sizes[segment_id] = sizes.get(segment_id, 0) + size
        listed: list[SegmentView] = []
        if model is not None:
            at = model.scaling.values_at(model.centroids).tolist()
            centroids = dict(zip(model.ids.tolist(), at, strict=True))
            for segment_id in sorted(set(sizes) | set(centroids)):
                values = centroids.get(segment_id, [])
                listed.append(
                    SegmentView(
                        id=segment_id,
                        name=model.model.name_of(segment_id),
                        size=sizes.get(segment_id, 0),
                        centroid=dict(zip(model.model.features, values, strict=False)),
                    )
                )
        return SegmentsView(
            model_version=model.version if model else None,
            users=sum(meta.users_seen for meta in metas.values()),
            unassigned=sum(meta.unassigned for meta in metas.values()),
            segments=listed,
        )

    def metas(self) -> dict[int, PartitionMeta]:
        """Give the counters of every partition that a worker has started on."""
        numbers = range(self.topology().partitions)
        with self._client.pipeline(transaction=False) as pipeline:
            for number in numbers:
                pipeline.get(PartitionKeys(self._namespace, number).meta)
            stored = needing_redis(pipeline.execute)
        decoded = {
            number: decode_meta(value)
            for number, value in zip(numbers, stored, strict=True)
            if value is not None
        }
        return {number: meta for number, meta in decoded.items() if meta is not None}

    def topology(self) -> Topology:
        """Give the namespace's topology, read once.

        Raises:
            NotSetUp: no worker has ever written to this namespace.
            ProtectsData: the state has a layout that this release cannot read.
        """
        if self._topology is None:
            stored = needing_redis(lambda: self._client.get(topology_key(self._namespace)))
            if stored is None:
                msg = (
                    f"nothing has been written to the namespace '{self._namespace}' yet: start "
                    "`shoal worker`, or set SHOAL_NAMESPACE"
                )
                raise NotSetUp(msg)
            topology = decode_topology(stored)
            check_topology(topology, current_topology(topology.partitions), self._namespace)
            self._topology = topology
        return self._topology

    def model(self) -> CompiledModel | None:
        """Give the newest model, read at most once a second; None before the first release."""
        now_ms = self._clock()
        if self._model_read_ms + _CACHED_S * 1000 <= now_ms:
            stored = needing_redis(lambda: self._client.get(model_key(self._namespace)))
            if stored is not None and stored != self._model_bytes:
                self._model, self._model_bytes = CompiledModel(decode_model(stored)), stored
            self._model_read_ms = now_ms
        return self._model

    def as_of_ms(self, meta: PartitionMeta | None) -> int:
        """Give the time at which a partition's features are read."""
        stream_ms = meta.as_of_ms if meta else 0
        return stream_ms if self._clock_mode == "event" else max(stream_ms, self._clock())

    def _view(
        self,
        user_id: str,
        partition: int,
        stored_meta: bytes | None,
        state: bytes | None,
        model: CompiledModel | None,
    ) -> UserView:
        as_of_ms = self.as_of_ms(decode_meta(stored_meta) if stored_meta else None)
        slab, slot = Slab(1), np.zeros(1, np.int64)
        if state is not None:
            codec.decode(slab, slot, [state])
        head = slab.head[0]
        found = vectors(slab, slot, as_of_ms)
        segment = int(head["segment"])
        margin, why = _explain(found, segment, model)
        return UserView(
            user_id=user_id,
            status=_status(state is not None, int(head["flags"]), segment),
            partition=partition,
            as_of=rfc3339(as_of_ms),
            features={
                name: None if np.isnan(value) else float(value)
                for name, value in zip(FEATURE_NAMES, found.values[0], strict=True)
            },
            segment=model.ref(segment) if model else None,
            user_version=int(head["user_version"]),
            model_version=model.version if model else None,
            margin=margin,
            reasons=why,
        )


def _status(known: bool, flags: int, segment: int) -> Status:
    if not known:
        return "unknown"
    if flags & FORGOTTEN:
        return "forgotten"
    return "unassigned" if segment == NO_SEGMENT else "assigned"


def _explain(
    found: Vectors, segment: int, model: CompiledModel | None
) -> tuple[float | None, list[Reason]]:
    """Say how safely a user is in their segment, and which features hold them there."""
    row = -1 if model is None else int(model.rows_of(np.array([segment], np.int32))[0])
    if model is None or row < 0:
        return None, []
    z = model.scaling.project(found.values, found.evidence)
    distance = np.sqrt(squared_distances(z, model.centroids))
    margin = float(margins(distance, np.array([row]))[0])
    others = distance[0].copy()
    others[row] = np.inf
    other = int(np.argmin(others))
    values = found.values[:, model.scaling.columns]
    why = reasons(z, model.centroids[[other]], model.centroids[[row]], model.model.features, values)
    return margin, why[0]

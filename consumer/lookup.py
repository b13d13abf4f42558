"""Reading state: one user explained, and what all segments look like. Redis only, no Kafka.

A look-up is one round trip once topology, model and population are known: the partition's meta and
the user's state are read together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from consumer.config import Clock
from consumer.errors import NotSetUp
from consumer.keys import PartitionKeys, model_key, topology_key
from consumer.live_users import draw
from consumer.meta import PartitionMeta, decode_meta
from consumer.percentiles import DRAWN_USERS, Percentiles
from consumer.redis_client import RedisClient
from consumer.store import needing_redis
from consumer.topology import Topology, check_topology, current_topology, decode_topology
from consumer.user_view import UserView, view_user
from features.catalogue import FEATURE_NAMES
from producer.partitioner import murmur2_partition
from segments.model import CompiledModel, decode_model

_CACHED_S = 1.0  # how long the model is trusted before it is read again
_DRAWN_S = 60.0  # how long the population drawn is


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
        self._population: Percentiles | None = None
        self._drawn_ms = 0

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
        population = self.percentiles()
        return [
            view_user(user_id, place, state, model, population, self._as_of_ms(meta))
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

    def percentiles(self) -> Percentiles:
        """Give the population to compare a user with, drawn anew at most once a minute."""
        now_ms = self._clock()
        if self._population is None or self._drawn_ms + _DRAWN_S * 1000 <= now_ms:
            as_of_ms = max(map(self.as_of_ms, self.metas().values()), default=0)
            drawn = draw(self._client, self._namespace, self.topology().partitions, DRAWN_USERS)
            nobody = np.empty((0, len(FEATURE_NAMES)))
            self._population = Percentiles(drawn.vectors(as_of_ms).values if drawn else nobody)
            self._drawn_ms = now_ms
        return self._population

    def _as_of_ms(self, stored_meta: bytes | None) -> int:
        return self.as_of_ms(decode_meta(stored_meta) if stored_meta else None)

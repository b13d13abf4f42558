"""Everybody in Redis, read once for a plan."""

from __future__ import annotations

from consumer.clock import wall_clock_ms
from consumer.live_users import walk
from consumer.lookup import Lookup
from consumer.redis_client import open_redis
from segments.model import SegmentModel
from shoal.errors import WrongUse
from shoal.report.population import PopulationBuilder, ReportPopulation
from shoal.settings import Settings


def read_people(settings: Settings) -> tuple[ReportPopulation, SegmentModel]:
    """Read all users and the newest model.

    Raises:
        ServiceUnavailable: Redis cannot be reached.
        NotSetUp: No worker has ever written to this namespace.
        WrongUse: There is no model yet.
    """
    client = open_redis(settings.redis_url, timeout_s=settings.redis_timeout_s)
    lookup = Lookup(client, settings.namespace, clock_mode=settings.clock, clock=wall_clock_ms)
    metas, compiled = lookup.metas(), lookup.model()
    if compiled is None:
        raise WrongUse(
            "there are no segments yet: the trainer releases the first model when it has seen "
            "enough (docs/segmentation.md); `shoal segments` tells"
        )
    builder = PopulationBuilder(max(map(lookup.as_of_ms, metas.values()), default=0))
    for partition in metas:
        for users in walk(client, settings.namespace, partition):
            builder.add(users.slab, users.slots, users.user_ids)
    return builder.build(), compiled.model

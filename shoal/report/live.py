"""The live state, read once: nothing is locked, workers go on."""

from collections.abc import Callable
from dataclasses import dataclass

from consumer.live_users import walk
from consumer.lookup import Lookup
from consumer.redis_client import open_redis
from segments.model import SegmentModel
from shoal.report.history import History, read_history
from shoal.report.population import PopulationBuilder, ReportPopulation
from shoal.settings import Settings


@dataclass(frozen=True)
class LiveState:
    """Everybody, the newest model, and the trend."""

    people: ReportPopulation
    model: SegmentModel | None
    history: History


def read_state(settings: Settings, progress: Callable[[int, int], None]) -> LiveState:
    """Read everything that Redis holds of a namespace.

    All is read as of the newest time at which any worker looked at anybody; no clock is asked, so
    a state that has come to rest always reads the same.

    Args:
        settings: where.
        progress: told how many users have been read, and how many there are.

    Raises:
        ServiceUnavailable: Redis cannot be reached.
        NotSetUp: no worker has ever written to this namespace.
        ProtectsData: the state has a layout that this release cannot read.
    """
    client = open_redis(settings.redis_url, timeout_s=settings.redis_timeout_s)
    lookup = Lookup(client, settings.namespace, clock_mode="event", clock=lambda: 1_000)
    metas, compiled = lookup.metas(), lookup.model()
    as_of_ms = max((meta.as_of_ms for meta in metas.values()), default=0)
    expected = sum(meta.users_seen for meta in metas.values())
    builder, seen = PopulationBuilder(as_of_ms), 0
    for partition in sorted(metas):
        for users in walk(client, settings.namespace, partition):
            builder.add(users.slab, users.slots, users.user_ids)
            seen += len(users.user_ids)
            progress(seen, expected)
    history = read_history(client, settings.namespace, sorted(metas), as_of_ms)
    return LiveState(builder.build(), compiled.model if compiled else None, history)

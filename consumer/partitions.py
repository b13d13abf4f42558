"""The partitions this worker holds or waits for.

    assigned ──take──→ OWNED ──────── revoked, lost ───────→ (gone)
       │                │  ▲                                   ▲
       └─ not yet ──┐   │  └─── take ────┐                     │
                    ▼   └─ Fenced, Away ─→ WAITING ────────────┘

A partition whose state in memory may differ from Redis is dropped and taken again: ownership
reads the truth back, so no failure needs a repair of its own. While one waits its fetching is
paused, so nothing piles up in memory however long Redis or Kafka is away.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor

import structlog

from consumer.errors import Away, ConsumerError, Fenced, ServiceUnavailable
from consumer.partition import OwnedPartition

_log = structlog.get_logger(__name__)

RETRY_S = 0.5  # pause before a partition is tried again, doubled with each failure …
RETRY_S_MAX = 5.0  # … up to here


class Partitions:
    """Owned and waiting partitions, and how long a service has been away."""

    def __init__(
        self, take: Callable[[int], OwnedPartition], pool: Executor, outage_limit_s: float
    ) -> None:
        """Start with none.

        Args:
            take: takes ownership of one partition (`Ownership.take`).
            pool: takes several in parallel.
            outage_limit_s: how long partitions may wait for a service before the process stops.
        """
        self.owned: dict[int, OwnedPartition] = {}
        self.waiting: dict[int, float] = {}  # partition → when to try again (monotonic)
        self.applied_hint: dict[int, int] = {}  # last known applied offset of what was dropped
        self._take = take
        self._pool = pool
        self._outage_limit_s = outage_limit_s
        self._tries: dict[int, int] = {}
        self._away_since_s: float | None = None

    def take(self, numbers: Iterable[int]) -> list[OwnedPartition]:
        """Take partitions in parallel; those that cannot be had now wait.

        Raises:
            ProtectsData: going on would damage or lose data.
            ServiceUnavailable: a service has been away beyond the limit.
        """
        futures = {number: self._pool.submit(self._take, number) for number in numbers}
        taken: list[OwnedPartition] = []
        away: Away | None = None
        for number, future in futures.items():
            try:
                self.owned[number] = future.result()
            except (Away, Fenced) as error:
                # A kept traceback would keep this frame and a producer with it.
                failure = error.with_traceback(None)
                self.wait(number, failure)
                away = failure if isinstance(failure, Away) else away
            else:
                self.waiting.pop(number, None)
                self._tries.pop(number, None)
                taken.append(self.owned[number])
        if taken and not self.waiting:
            self._back()
        if away is not None:
            self.note_away(away)
        return taken

    def wait(self, number: int, why: ConsumerError) -> None:
        """Drop a partition's memory, if there is any, and try it again soon."""
        owned = self.owned.pop(number, None)
        if owned is not None:
            self.applied_hint[number] = owned.meta.applied_offset
        tries = self._tries[number] = self._tries.get(number, 0) + 1
        self.waiting[number] = time.monotonic() + min(RETRY_S * 2 ** (tries - 1), RETRY_S_MAX)
        _log.warning("partition waits", partition=number, why=str(why))

    def let_go(self, number: int) -> OwnedPartition | None:
        """Forget a partition that is assigned to somebody else now."""
        self.waiting.pop(number, None)
        self.applied_hint.pop(number, None)
        self._tries.pop(number, None)
        if not self.waiting:
            self._away_since_s = None  # whatever was away, nobody here waits for it now
        return self.owned.pop(number, None)

    def ready_to_retry(self) -> list[int]:
        """Give the waiting partitions whose pause is over."""
        now_s = time.monotonic()
        return [number for number, at_s in self.waiting.items() if at_s <= now_s]

    def note_away(self, why: ConsumerError) -> None:
        """Remember that a service is away.

        Raises:
            ServiceUnavailable: it has been for longer than the outage limit.
        """
        if not isinstance(why, Away):
            return
        now_s = time.monotonic()
        if self._away_since_s is None:
            self._away_since_s = now_s
            _log.error("a service is away; nothing is lost, waiting for it", why=str(why))
        if now_s - self._away_since_s > self._outage_limit_s:
            msg = (
                f"a service has been away for more than {self._outage_limit_s:.0f} s ({why}): "
                "nothing is lost; start the worker again when it is back"
            )
            raise ServiceUnavailable(msg) from why

    def _back(self) -> None:
        if self._away_since_s is not None:
            away_s = time.monotonic() - self._away_since_s
            self._away_since_s = None
            _log.info("the services are back", away_s=round(away_s, 1))

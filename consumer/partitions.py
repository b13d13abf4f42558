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

from consumer.errors import Away, ConsumerError, Fenced, KafkaAway
from consumer.meta import PartitionMeta
from consumer.outages import Outages
from consumer.partition import OwnedPartition

_log = structlog.get_logger(__name__)

RETRY_S = 0.5  # pause before a partition is tried again, doubled with each failure …
RETRY_S_MAX = 5.0  # … up to here
SETTLED_S = 10.0  # a partition held for so long begins with the short pause again


class Partitions:
    """Owned and waiting partitions.

    Attributes:
        owned: what is held, by partition number.
        waiting: partition → when to try to take it again (monotonic).
        applied_hint: last known applied offset of what was dropped and is waited for.
        unpublished: changes and dead letters in the outbox of what is waited for.
        counted: the counters that were known to be through when a partition was dropped.
        log_ends: last known end of the log of what is owned or waited for.
    """

    def __init__(
        self, take: Callable[[int], OwnedPartition], pool: Executor, outages: Outages
    ) -> None:
        """Start with none.

        Args:
            take: takes ownership of one partition (`Ownership.take`).
            pool: takes several in parallel.
            outages: is told what waits for a service.
        """
        self.owned: dict[int, OwnedPartition] = {}
        self.waiting: dict[int, float] = {}
        self.applied_hint: dict[int, int] = {}
        self.unpublished: dict[int, int] = {}
        self.counted: dict[int, PartitionMeta] = {}
        self.log_ends: dict[int, int] = {}
        self._take = take
        self._pool = pool
        self._outages = outages
        self._tries: dict[int, int] = {}
        self._taken_s: dict[int, float] = {}

    @property
    def lags(self) -> dict[int, float]:
        """Records between applied offset and log end, of each partition held or waited for.

        NaN for a partition that this worker has not been able to take yet. Safe to read from
        another thread.
        """
        applied: dict[int, float] = dict.fromkeys(list(self.waiting), float("nan"))
        applied |= dict(self.applied_hint)
        applied |= {n: owned.meta.applied_offset for n, owned in list(self.owned.items())}
        ends = dict(self.log_ends)
        return {n: max(0.0, ends.get(n, at) - at) for n, at in sorted(applied.items())}

    def take(self, numbers: Iterable[int]) -> list[OwnedPartition]:
        """Take partitions in parallel; those that cannot be had now wait.

        Raises:
            ProtectsData: going on would damage or lose data.
        """
        futures = {number: self._pool.submit(self._take, number) for number in numbers}
        taken: list[OwnedPartition] = []
        for number, future in futures.items():
            try:
                owned = future.result()
            except (Away, Fenced) as error:
                if isinstance(error, KafkaAway):  # Redis is asked first
                    self._outages.heard(number, "Redis")
                # A kept traceback would keep this frame and a producer with it.
                self.wait(number, error.with_traceback(None))
            else:
                self._note_taken(owned)
                taken.append(owned)
        for owned in taken:
            self._outages.heard(owned.number)
        return taken

    def wait(self, number: int, why: ConsumerError) -> None:
        """Drop a partition's memory, if there is any, and try it again soon."""
        now_s = time.monotonic()
        owned = self.owned.pop(number, None)
        if owned is not None:
            self.applied_hint[number] = owned.meta.applied_offset
            self.unpublished[number] = owned.unpublished
            self.counted[number] = owned.counted
            if now_s - self._taken_s.get(number, now_s) > SETTLED_S:
                self._tries.pop(number, None)
        tries = self._tries[number] = self._tries.get(number, 0) + 1
        self.waiting[number] = now_s + min(RETRY_S * 2 ** min(tries - 1, 10), RETRY_S_MAX)
        if isinstance(why, Away):
            self._outages.away(number, why)  # says so for all partitions at once
            _log.debug("partition waits", partition=number, why=str(why))
        else:
            _log.warning("partition waits", partition=number, why=str(why))

    def let_go(self, number: int) -> OwnedPartition | None:
        """Forget a partition that is assigned to somebody else now."""
        for about in (
            self.waiting, self.applied_hint, self.unpublished, self.counted, self.log_ends,
            self._tries, self._taken_s,
        ):  # fmt: skip
            about.pop(number, None)
        self._outages.heard(number)  # whatever was away, nobody here waits for it now
        return self.owned.pop(number, None)

    def ready_to_retry(self) -> list[int]:
        """Give the waiting partitions whose pause is over."""
        now_s = time.monotonic()
        return [number for number, at_s in self.waiting.items() if at_s <= now_s]

    def _note_taken(self, owned: OwnedPartition) -> None:
        number = owned.number
        self.owned[number] = owned
        self._taken_s[number] = time.monotonic()
        self.log_ends[number] = owned.log_end
        for about in (self.waiting, self.applied_hint, self.unpublished):
            about.pop(number, None)

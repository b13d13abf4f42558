"""What a worker has done so far, and where its time went."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from consumer.durations import Durations
from consumer.meta import Outcomes, PartitionMeta


class Stages:
    """Seconds spent per named stage of the hot path."""

    def __init__(self) -> None:
        """Start at zero."""
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        started_s = time.perf_counter()
        try:
            yield
        finally:
            spent_s = time.perf_counter() - started_s
            self.seconds[stage] = self.seconds.get(stage, 0.0) + spent_s


@dataclass
class Progress:
    """Counters of one worker process.

    Attributes:
        outcomes: records by what became of them, since the process started.
        changes: segment changes decided.
        commits: batches and sweeps written to Redis and published.
        swept: users looked at without an event.
        taken: partitions taken, the first time and again.
        takes: how long a partition was on its way, from its assignment to its first fetch.
        pauses: how long the first record of a partition that was moved here had waited, by its
            timestamp (live data only): the pause that subscribers saw.
        rebalances: times that partitions came or went.
        gaps: holes in the offsets of the events topic.
        cache_resets: times the user cache was emptied because of too many interest names.
        stages: where the time went.
    """

    outcomes: Outcomes = field(default_factory=Outcomes)
    changes: int = 0
    commits: int = 0
    swept: int = 0
    taken: int = 0
    takes: Durations = field(default_factory=Durations)
    pauses: Durations = field(default_factory=Durations)
    rebalances: int = 0
    gaps: int = 0
    cache_resets: int = 0
    stages: Stages = field(default_factory=Stages)
    _first_s: float | None = None
    _last_s: float = 0.0

    @property
    def working_s(self) -> float:
        """Seconds from the first record to the last thing done."""
        return 0.0 if self._first_s is None else self._last_s - self._first_s

    def note_work(self) -> None:
        """Remember that there was something to do just now."""
        self._last_s = time.perf_counter()
        if self._first_s is None:
            self._first_s = self._last_s

    def count(self, before: PartitionMeta, after: PartitionMeta, changes: int) -> None:
        """Add what one commit brought."""
        self.commits += 1
        ours, was, now = self.outcomes, before.outcomes, after.outcomes
        ours.applied += now.applied - was.applied
        ours.duplicate += now.duplicate - was.duplicate
        ours.late += now.late - was.late
        for reason, count in now.dead.items():
            if new := count - was.dead.get(reason, 0):
                ours.dead[reason] = ours.dead.get(reason, 0) + new
        self.changes += changes

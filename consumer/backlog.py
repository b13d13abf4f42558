"""Records fetched but not applied yet: live ones at once, history in step across partitions.

A fast replay would run through one partition's weeks before it opens the next. The trainer would
then learn from people at different ages at once, and those of the last partition would be held
against a model of the future. So with `SHOAL_CLOCK=event` a partition's UTC day is applied only
when no other partition of this worker can still bring records of an earlier day.

    partition 0   [day 1][day 2][day 3]…
    partition 1   [day 1][day 2]             ← more to come: day 3 of partition 0 waits for it
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from consumer.records import Records, stream_times
from features.tiles import DAY_MS

HOLD_RECORDS = 50_000  # a partition so far ahead is not fetched any further …
GO_ON_RECORDS = 10_000  # … until so few of its records are left

# A partition that has more to come but delivers nothing for so long is not waited for any longer.
PATIENCE_S = 5.0


@dataclass(frozen=True)
class Standing:
    """How far an owned partition is: its stream time, and whether the log has no more."""

    stream_ms: int
    at_end: bool


class Backlog:
    """Waiting records by partition."""

    def __init__(self, *, in_step: bool) -> None:
        """Start empty.

        Args:
            in_step: keep the partitions within the same UTC day of stream time.
        """
        self._in_step = in_step
        self._records: dict[int, Records] = {}
        self._held: set[int] = set()
        self._last_progress_s: float | None = None

    def __len__(self) -> int:
        """Count the waiting records."""
        return sum(map(len, self._records.values()))

    def has(self, number: int) -> bool:
        """Tell whether records of a partition wait."""
        return number in self._records

    def add(self, number: int, records: Records) -> None:
        """Put fetched records behind those that wait."""
        before = self._records.get(number)
        self._records[number] = records if before is None else before.followed_by(records)

    def drop(self, number: int) -> None:
        """Forget a partition's records: they will be fetched again."""
        self._records.pop(number, None)
        self._held.discard(number)

    def next(self, standings: Mapping[int, Standing], now_s: float) -> tuple[int, Records] | None:
        """Take out what is to be applied next; None when that has to be fetched first.

        Args:
            standings: every owned partition.
            now_s: a monotonic clock.
        """
        if not self._records:
            return None
        if not self._in_step:
            number = next(iter(self._records))
            return number, self._records.pop(number)
        days = {
            number: self._first_day(number, standings[number].stream_ms) for number in self._records
        }
        number = min(days, key=lambda n: (days[n], n))
        if days[number] > self._horizon(standings) and not self._out_of_patience(now_s):
            return None
        self._last_progress_s = now_s
        return number, self._take_day(number, standings[number].stream_ms)

    def to_hold(self) -> list[int]:
        """Give the partitions that must not be fetched further for now, each once."""
        far = {n for n, records in self._records.items() if len(records) >= HOLD_RECORDS}
        new = sorted(far - self._held)
        self._held.update(new)
        return new

    def to_release(self) -> list[int]:
        """Give the held partitions that may be fetched again, each once."""
        near = [n for n in self._held if len(self._records.get(n, ())) <= GO_ON_RECORDS]
        self._held.difference_update(near)
        return sorted(near)

    def _first_day(self, number: int, stream_ms: int) -> int:
        first = int(self._records[number].timestamps_ms[0])
        return max(first, stream_ms) // DAY_MS

    def _horizon(self, standings: Mapping[int, Standing]) -> float:
        """Give the last day of which every other partition's records are at hand or applied."""
        return min(
            (
                standing.stream_ms // DAY_MS
                for number, standing in standings.items()
                if number not in self._records and not standing.at_end
            ),
            default=np.inf,
        )

    def _out_of_patience(self, now_s: float) -> bool:
        if self._last_progress_s is None:
            self._last_progress_s = now_s
        return now_s - self._last_progress_s > PATIENCE_S

    def _take_day(self, number: int, stream_ms: int) -> Records:
        records = self._records.pop(number)
        days = stream_times(records, stream_ms) // DAY_MS
        count = int(np.searchsorted(days, days[0], side="right"))
        if count < len(records):
            self._records[number] = records.part(count, len(records))
        return records.part(0, count)

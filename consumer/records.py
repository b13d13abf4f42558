"""Raw records of one input partition, as columns; and where a run of them must be cut.

A batch is cut so that what happens at its end happens at the right place:
at a UTC midnight of stream time (so that history is replayed as it was lived: everybody is looked
at once a day), at the catch-up floor, and after a removal that has already been published.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from features.tiles import DAY_MS

Headers = list[tuple[str, bytes | None]]

# One batch's payloads may all end up as dead letters in the outbox, one Redis value.
BATCH_BYTES_MAX = 16 * 1024 * 1024


def no_headers(_index: int) -> Headers:
    """Give the headers of records that have none."""
    return []


@dataclass(frozen=True)
class Records:
    """n records in offset order.

    Attributes:
        offsets: int64[n], strictly rising, with holes.
        timestamps_ms: int64[n], the records' own timestamps.
        keys: n keys as received.
        values: n payloads as received; None for a tombstone.
        headers: gives the headers of record i; asked for dead letters only.
    """

    offsets: npt.NDArray[np.int64]
    timestamps_ms: npt.NDArray[np.int64]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Callable[[int], Headers] = no_headers

    def __len__(self) -> int:
        """Count the records."""
        return len(self.values)

    def part(self, first: int, last: int) -> "Records":
        """Give the records from index `first` up to, not including, `last`."""
        if first == 0 and last == len(self):
            return self
        headers = self.headers
        return Records(
            self.offsets[first:last],
            self.timestamps_ms[first:last],
            self.keys[first:last],
            self.values[first:last],
            lambda index: headers(first + index),
        )

    def followed_by(self, later: "Records") -> "Records":
        """Give these records and then the later ones."""
        count, first_headers, later_headers = len(self), self.headers, later.headers
        return Records(
            np.concatenate((self.offsets, later.offsets)),
            np.concatenate((self.timestamps_ms, later.timestamps_ms)),
            [*self.keys, *later.keys],
            [*self.values, *later.values],
            lambda i: first_headers(i) if i < count else later_headers(i - count),
        )


def stream_times(records: Records, before_ms: int) -> npt.NDArray[np.int64]:
    """Give the stream time at each record: the running maximum, malformed records included."""
    running: npt.NDArray[np.int64] = np.maximum.accumulate(records.timestamps_ms)
    return np.maximum(running, before_ms)


def batches(
    records: Records, *, stream_ms: int, records_max: int, cut_after: Sequence[int] = ()
) -> Iterator[Records]:
    """Cut records into batches.

    Args:
        records: the records, in offset order.
        stream_ms: the partition's stream time before the first of them.
        records_max: the most records a batch may have.
        cut_after: offsets after which a batch must end (the catch-up floor, forced removals).
    """
    if not len(records):
        return
    days = stream_times(records, stream_ms) // DAY_MS
    cuts = set((np.flatnonzero(days[1:] != days[:-1]) + 1).tolist())
    cuts.update(np.searchsorted(records.offsets, cut_after, side="right").tolist())
    if sum(map(len, filter(None, (*records.values, *records.keys)))) > BATCH_BYTES_MAX:
        cuts.update(_cuts_by_size(records))
    cuts -= {0, len(records)}
    edges = [0, *sorted(cuts), len(records)]
    for first, last in pairwise(edges):
        for start in range(first, last, records_max):
            yield records.part(start, min(start + records_max, last))


def _cuts_by_size(records: Records) -> list[int]:
    cuts, held_bytes = [], 0
    for index, (key, value) in enumerate(zip(records.keys, records.values, strict=True)):
        size_bytes = len(key or b"") + len(value or b"")
        if held_bytes and held_bytes + size_bytes > BATCH_BYTES_MAX:
            cuts.append(index)
            held_bytes = 0
        held_bytes += size_bytes
    return cuts

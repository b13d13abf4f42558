"""What users did within the windows, added up: the counts behind the features of `vector`.

Reports and campaign plans need trials and successes, not only their ratios.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features import decay
from features.events import METRIC_NAMES
from features.slab import DEVICES, KNOWN, Slab
from features.tiles import (
    DAY_COUNTS,
    DAY_MS,
    DAY_SUMS,
    HOUR_MS,
    HOUR_TILES,
    HOURLY_COLUMN,
    HOURS_PER_DAY,
    WINDOW_HOURS,
)
from features.vector import day_sums, day_tiles, look_from, observed_days, weekdays_of

_ACTIVITY: Final = DAY_COUNTS.index("activity")


@dataclass(frozen=True, slots=True)
class Totals:
    """Window totals of n users.

    Attributes:
        counts: i8[n, 7], newest 28 days, in the order of `features.tiles.DAY_COUNTS`.
        sums: f8[n, 3], newest 28 days, in the order of `features.tiles.DAY_SUMS`.
        weekend_activity: i8[n], the part of "activity" that fell on Saturdays and Sundays.
        observed_weekdays: i8[n], Mondays to Fridays observed, at most 20.
        observed_weekend_days: i8[n], at most 8.
        hours: i8[n, 24], activity of the newest 24 hours by hour of the day (UTC).
        mobile: f8[n], decayed count of events on a mobile.
        devices: f8[n], decayed count of events with a device.
        known: f8[n, 7], what the profile knows, in the order of `METRIC_NAMES`; NaN = not given.
    """

    counts: NDArray[np.int64]
    sums: NDArray[np.float64]
    weekend_activity: NDArray[np.int64]
    observed_weekdays: NDArray[np.int64]
    observed_weekend_days: NDArray[np.int64]
    hours: NDArray[np.int64]
    mobile: NDArray[np.float64]
    devices: NDArray[np.float64]
    known: NDArray[np.float64]

    def count(self, name: str) -> NDArray[np.int64]:
        """Give i8[n], one of `DAY_COUNTS`."""
        return self.counts[:, DAY_COUNTS.index(name)]

    def sum(self, name: str) -> NDArray[np.float64]:
        """Give f8[n], one of `DAY_SUMS`."""
        return self.sums[:, DAY_SUMS.index(name)]

    def part(self, rows: NDArray[np.int64]) -> "Totals":
        """Give the users at these rows."""
        return Totals(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence["Totals"]) -> "Totals":
        """Put users one after the other.

        Args:
            parts: at least one.
        """
        columns = (
            np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)
        )
        return cls(*columns)


def totals(slab: Slab, slots: NDArray[np.int64], as_of_ms: int) -> Totals:
    """Add up what users did within the windows.

    Args:
        slab: not changed.
        slots: i8[n].
        as_of_ms: the time to look from, as for `features.vector.vectors`.
    """
    head = slab.heads(slots)
    cells, words = slab.borrow(slots)
    newest_hour = head["newest_hour"].astype(np.int64)
    look_from(newest_hour, cells, words, as_of_ms)
    tiles, sums = day_tiles(cells).astype(np.int64), day_sums(words)
    by_place, up_to = weekdays_of(as_of_ms // DAY_MS)
    observed = observed_days(head, as_of_ms // DAY_MS)
    weekdays = up_to[observed].astype(np.int64)
    factor = decay.as_of_factors(decay.periods(newest_hour), as_of_ms)
    bits = (head["known_mask"][:, None] >> np.arange(len(METRIC_NAMES), dtype=np.uint8)) & 1
    return Totals(
        counts=tiles.sum(axis=2),
        sums=np.add.reduce(sums, axis=2),
        weekend_activity=tiles[:, _ACTIVITY, ~by_place].sum(axis=1),
        observed_weekdays=weekdays,
        observed_weekend_days=observed - weekdays,
        hours=_by_hour_of_day(cells, as_of_ms),
        mobile=words[:, DEVICES.start] * factor,
        devices=words[:, DEVICES.start + 1] * factor,
        known=np.where(bits == 1, words[:, KNOWN], np.nan),
    )


def _by_hour_of_day(cells: NDArray[np.uint32], as_of_ms: int) -> NDArray[np.int64]:
    """Put the newest 24 hourly tiles in the order of the day."""
    hours = as_of_ms // HOUR_MS - np.arange(WINDOW_HOURS)
    by_hour = np.zeros((len(cells), HOURS_PER_DAY), np.int64)
    by_hour[:, hours % HOURS_PER_DAY] = cells[:, HOURLY_COLUMN + hours % HOUR_TILES]
    return by_hour

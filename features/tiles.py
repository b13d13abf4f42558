"""The tiles of one user: 29 days and 25 hours of counters in two rings.

Day ``d`` (days since 1970-01-01 UTC) lives in place ``d % 29`` of the day ring, hour ``h`` in
place ``h % 25`` of the hour ring. Both rings are anchored at the user's newest hour: a place holds
the newest day or hour not after it that maps there. Each ring has one tile more than its window
(28 days, 24 hours), since an event may lie up to 5 minutes ahead of the stream time and must not
push the oldest tile of the window out.

The tiles of one counter lie next to each other (counter-major), so that a window is summed along
contiguous memory and gives the same floating point result for one user as for many.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
HOURS_PER_DAY: Final = 24

WINDOW_DAYS: Final = 28
WINDOW_HOURS: Final = 24
DAY_TILES: Final = WINDOW_DAYS + 1
HOUR_TILES: Final = WINDOW_HOURS + 1

# An event may be dated this far after its record timestamp; beyond, it is a dead letter.
AHEAD_MAX_MS: Final = 5 * 60 * 1000
assert AHEAD_MAX_MS < HOUR_MS  # or the spare tile of each ring would not suffice

DAY_COUNTS: Final = (
    "page_views",
    "reactions",
    "impressions",
    "clicks",
    "engagements",
    "conversions",
    "activity",
)
"""Counters kept per day; "activity" counts every event but profile and forget."""
DAY_SUMS: Final = ("session_s", "engagement_s", "amount")
"""Sums kept per day."""

HOURLY_COLUMN: Final = len(DAY_COUNTS) * DAY_TILES
"""First cell column of the hourly activity."""
CELL_COLUMNS: Final = HOURLY_COLUMN + HOUR_TILES

_DAY_PLACES: Final = np.arange(DAY_TILES, dtype=np.int64)

COUNT_OFFSETS: Final = np.arange(len(DAY_COUNTS)) * DAY_TILES
"""Cell columns of one day's counters, less its place in the ring."""
SUM_OFFSETS: Final = np.arange(len(DAY_SUMS)) * DAY_TILES
"""Word columns of one day's sums, less its place in the ring."""


def count_column(name: str) -> int:
    """Give the first of a counter's 29 cell columns."""
    return DAY_COUNTS.index(name) * DAY_TILES


def sum_column(name: str) -> int:
    """Give the first of a sum's 29 word columns."""
    return DAY_SUMS.index(name) * DAY_TILES


def days_ago(newest_hour: NDArray[np.int64], as_of_day: int) -> NDArray[np.int64]:
    """Tell how many days before the as-of day each place's content lies.

    Args:
        newest_hour: i8[n], the anchor of each user.
        as_of_day: days since 1970-01-01.

    Returns:
        i8[n, 29]; below 0 for what lies after the as-of day, which is not counted yet.
    """
    newest_day = newest_hour // HOURS_PER_DAY
    back = (newest_day[:, None] - _DAY_PLACES) % DAY_TILES
    return back + (as_of_day - newest_day)[:, None]


def places_to_clear(
    old: NDArray[np.int64], new: NDArray[np.int64], tiles: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the ring places whose content leaves when the newest day or hour moves on.

    Args:
        old: i8[n], the newest day (or hour) before.
        new: i8[n], after; not below ``old``.
        tiles: places in the ring.

    Returns:
        Index into ``old``, place: i8[m] each. The places of (old, new], each at most once.
    """
    steps = np.minimum(new - old, tiles)
    which = np.repeat(np.arange(len(old), dtype=np.int64), steps)
    first = np.cumsum(steps) - steps
    offset = np.arange(len(which), dtype=np.int64) - first[which]
    return which, (new[which] - offset) % tiles

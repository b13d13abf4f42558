"""Feature vectors as of a time: what the states of users say in the order of the catalogue.

Every value is computed per user with sums along contiguous memory, so a user's vector has the
same bits whether it is asked for alone or with ten thousand others.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features import decay
from features.catalogue import (
    CATALOGUE,
    PRIOR_CLICKS,
    PRIOR_ENGAGEMENTS,
    PRIOR_IMPRESSIONS,
    feature_index,
)
from features.events import METRIC_NAMES
from features.slab import DEVICES, INTERESTS, KNOWN, SUMS, Slab
from features.tiles import (
    COUNT_OFFSETS,
    DAY_COUNTS,
    DAY_MS,
    DAY_SUMS,
    DAY_TILES,
    HOUR_MS,
    HOUR_TILES,
    HOURLY_COLUMN,
    HOURS_PER_DAY,
    SUM_OFFSETS,
    WINDOW_DAYS,
    days_ago,
    places_to_clear,
)

_F8 = NDArray[np.float64]

_SECONDS_PER_HOUR: Final = 3600.0
_DAYS_PER_WEEK: Final = 7
_WEEKDAYS: Final = 20.0
"""Mondays to Fridays in 28 days."""
_WEEKENDS: Final = WINDOW_DAYS - _WEEKDAYS
# 1970-01-01 was a Thursday: day 0 is weekday 3 counted from Monday.
_WEEKDAY_OF_DAY_0: Final = 3
_FRIDAY: Final = 4
_ACTIVITY: Final = DAY_COUNTS.index("activity")
_METRIC_BITS: Final = np.arange(len(METRIC_NAMES), dtype=np.uint8)

# The features of form (sum + known x prior) / (trials + prior), in the order in which `_ratios`
# computes them, and the metric that is known for each; page views have none.
_RATIOS: Final = (
    ("weekday_hours", "weekday_hours"),
    ("weekend_hours", "weekend_hours"),
    ("page_views_per_day", None),
    ("reactions_per_day", "likes_and_reactions"),
    ("ctr", "ctr"),
    ("conversion_rate", "conversion_rate"),
    ("ad_seconds", "ad_seconds"),
)
_RATIO_COLUMNS: Final = [feature_index(name) for name, _ in _RATIOS]
_PER_DAY: Final = slice(0, 4)
_HOURS: Final = slice(0, 2)
_SHARES: Final = slice(4, 6)
# "likes_and_reactions" is known for 28 days, everything else per day or per trial.
_KNOWN_UNIT: Final = np.array(
    [float(WINDOW_DAYS) if known == "likes_and_reactions" else 1.0 for _, known in _RATIOS]
)[:, None]


@dataclass(frozen=True, slots=True)
class Vectors:
    """Features of n users.

    Attributes:
        values: f8[n, 13] in the order of `features.catalogue.CATALOGUE`; NaN = null.
        evidence: f8[n, 13], how much stands behind each value; 0 where the value is null.
    """

    values: _F8
    evidence: _F8


def vectors(slab: Slab, slots: NDArray[np.int64], as_of_ms: int) -> Vectors:
    """Compute the features of users.

    Args:
        slab: not changed.
        slots: i8[n].
        as_of_ms: the time to look from; not before the stream time of what was folded, since older
            tiles are gone.
    """
    head = slab.heads(slots)
    cells, words = slab.borrow(slots)
    look_from(head["newest_hour"].astype(np.int64), cells, words, as_of_ms)
    # Feature by feature while they are computed, user by user when they are given away.
    values = np.empty((len(CATALOGUE), len(slots)))
    evidence = np.empty_like(values)
    counts = np.einsum("nkt->kn", day_tiles(cells)).astype(np.float64)  # integers: exact
    observed = observed_days(head, as_of_ms // DAY_MS)
    with np.errstate(divide="ignore", invalid="ignore"):
        _ratios(values, evidence, head, words, dict(zip(DAY_COUNTS, counts, strict=True)), as_of_ms)
        _decayed(values, evidence, head, words, as_of_ms)
    rest = {
        "followed_accounts": (np.maximum(head["level"], 0), head["applied"] > 0),
        "spend": (np.add.reduce(day_sums(words)[:, 2], axis=1), observed),
        "active_days": (np.count_nonzero(day_tiles(cells)[:, _ACTIVITY], axis=1), observed),
        "activity_24h": (np.add.reduce(cells[:, HOURLY_COLUMN:], axis=1), observed),
    }
    for name, (value, behind) in rest.items():
        column = feature_index(name)
        values[column], evidence[column] = value, behind
    values[evidence <= 0] = np.nan
    return Vectors(np.ascontiguousarray(values.T), np.ascontiguousarray(evidence.T))


def day_tiles(cells: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """View the daily counters as u4[n, counter, place]."""
    return cells[:, :HOURLY_COLUMN].reshape(len(cells), len(DAY_COUNTS), DAY_TILES)


def day_sums(words: _F8) -> _F8:
    """View the daily sums as f8[n, sum, place]."""
    return words[:, SUMS].reshape(len(words), len(DAY_SUMS), DAY_TILES)


def look_from(
    newest_hour: NDArray[np.int64], cells: NDArray[np.uint32], words: _F8, as_of_ms: int
) -> None:
    """Clear in a copy of the states what lies before or after the windows.

    The place of the tile after the as-of tile holds either that tile, which is not counted yet, or
    the one that has just dropped out. Users without news since then have more that dropped out:
    just what moving their ring's anchor on would clear.

    Args:
        newest_hour: i8[n], anchors of the rings.
        cells: u4[n, 228], changed in place.
        words: f8[n, 144], changed in place.
        as_of_ms: the time to look from.
    """
    hour, day = as_of_ms // HOUR_MS, as_of_ms // DAY_MS
    cells[:, HOURLY_COLUMN + (hour + 1) % HOUR_TILES] = 0
    cells[:, (day + 1) % DAY_TILES + COUNT_OFFSETS] = 0
    words[:, (day + 1) % DAY_TILES + SUM_OFFSETS] = 0.0
    quiet = np.flatnonzero(newest_hour < hour)
    if len(quiet):
        old = newest_hour[quiet]
        row, place = places_to_clear(old, np.full_like(old, hour), HOUR_TILES)
        cells[quiet[row], HOURLY_COLUMN + place] = 0
        old //= HOURS_PER_DAY
        row, place = places_to_clear(old, np.full_like(old, day), DAY_TILES)
        cells[quiet[row][:, None], place[:, None] + COUNT_OFFSETS] = 0
        words[quiet[row][:, None], place[:, None] + SUM_OFFSETS] = 0.0


@lru_cache(maxsize=8)
def weekdays_of(as_of_day: int) -> tuple[NDArray[np.bool_], _F8]:
    """Tell Mondays to Fridays of the window.

    Returns:
        bool[29]: whether the day in each place of the ring is one.
        f8[29]: how many of the last k days are, the as-of day included, by k.
    """
    ago = np.arange(DAY_TILES)
    weekday = (as_of_day - ago + _WEEKDAY_OF_DAY_0) % _DAYS_PER_WEEK <= _FRIDAY
    by_place = np.empty(DAY_TILES, np.bool_)
    by_place[(as_of_day - ago) % DAY_TILES] = weekday
    return by_place, np.concatenate(([0.0], np.cumsum(weekday[:WINDOW_DAYS])))


def observed_days(head: Any, as_of_day: int) -> NDArray[np.int64]:
    """Count the days from the first event, at most 28, through the as-of day."""
    days = np.clip(as_of_day - head["first_ms"] // DAY_MS + 1, 0, WINDOW_DAYS)
    return np.asarray(days * (head["applied"] > 0))


def _ratios(
    values: _F8,
    evidence: _F8,
    head: Any,
    words: _F8,
    counts: dict[str, _F8],
    as_of_ms: int,
) -> None:
    """Features per day or per trial: what is known stands for the days or trials not observed.

    Without a known value, sum / trials; with one, (sum + known x prior) / (trials + prior).
    """
    as_of_day = as_of_ms // DAY_MS
    by_place, up_to = weekdays_of(as_of_day)
    observed = observed_days(head, as_of_day)
    weekdays = up_to[observed]
    weekends = observed - weekdays
    session_s, engagement_s = day_sums(words)[:, 0], day_sums(words)[:, 1]
    ones = np.ones(len(words))
    sums, trials, prior = np.array(
        [
            # Not the total minus the weekdays: that leaves float dust where nothing happened.
            (np.add.reduce(session_s * by_place, axis=1), weekdays, _WEEKDAYS - weekdays),
            (np.add.reduce(session_s * ~by_place, axis=1), weekends, _WEEKENDS - weekends),
            (counts["page_views"], observed, ones),
            (counts["reactions"], observed, WINDOW_DAYS - observed),
            (counts["clicks"], counts["impressions"], PRIOR_IMPRESSIONS * ones),
            (counts["conversions"], counts["clicks"], PRIOR_CLICKS * ones),
            (np.add.reduce(engagement_s, axis=1), counts["engagements"], PRIOR_ENGAGEMENTS * ones),
        ]
    ).transpose(1, 0, 2)
    sums[_HOURS] /= _SECONDS_PER_HOUR
    given, known = _known(head, words)
    prior *= given
    weight = trials + prior
    weight[_HOURS] = np.maximum(weight[_HOURS], 1.0)
    value = (sums + known / _KNOWN_UNIT * prior) / weight
    value[_SHARES] = np.minimum(value[_SHARES], 1.0)
    values[_RATIO_COLUMNS] = value
    weight[_PER_DAY] = np.where(given[_PER_DAY], float(WINDOW_DAYS), observed)
    evidence[_RATIO_COLUMNS] = weight


def _known(head: Any, words: _F8) -> tuple[NDArray[np.bool_], _F8]:
    """Give the known metric of each ratio.

    Returns:
        bool[7, n]: whether it was given.
        f8[7, n]: its value, 0 when it was not given.
    """
    bits = (head["known_mask"] >> _METRIC_BITS[:, None]) & 1
    given = np.zeros((len(_RATIOS), len(words)), np.bool_)
    known = np.zeros(given.shape)
    if bits.any():
        for row, (_, metric) in enumerate(_RATIOS):
            if metric is not None:
                number = METRIC_NAMES.index(metric)
                given[row] = bits[number]
                known[row] = words[:, KNOWN.start + number] * bits[number]
    return given, known


def _decayed(values: _F8, evidence: _F8, head: Any, words: _F8, as_of_ms: int) -> None:
    """Features of decayed weights: devices and interests."""
    factor = decay.as_of_factors(decay.periods(head["newest_hour"].astype(np.int64)), as_of_ms)
    mobile, devices = words[:, DEVICES.start], words[:, DEVICES.start + 1]
    column = feature_index("mobile_share")
    values[column], evidence[column] = mobile / devices, devices * factor
    # Only as many places as anybody uses, in whole eights: numpy sums with 8 partial sums, so
    # more zeros do not change the bits.
    width = -(-int(head["interest_count"].max(initial=1)) // 8) * 8
    weights = words[:, INTERESTS.start : INTERESTS.start + width]
    total = np.add.reduce(weights, axis=1)
    share = weights / total[:, None]
    # The logarithm is the dear part, and most places are empty.
    share_log = np.zeros(share.shape)
    present = np.flatnonzero(share > 0)
    chosen = share.reshape(-1)[present]
    share_log.reshape(-1)[present] = chosen * np.log(chosen)
    column = feature_index("interest_breadth")
    values[column] = np.exp(-np.add.reduce(share_log, axis=1))
    evidence[column] = total * factor


def next_look_ms(
    slab: Slab, slots: NDArray[np.int64], as_of_ms: int, removal_ms: int
) -> NDArray[np.int64]:
    """Tell when to look at users again although no event came.

    Args:
        slab: not changed.
        slots: i8[n].
        as_of_ms: now.
        removal_ms: how long after their last event users are removed.

    Returns:
        i8[n]: the next UTC midnight while a tile of the window is not empty or fewer than 28 days
        are observed (features change at midnight then), else the time of removal.
    """
    head = slab.heads(slots)
    as_of_day = as_of_ms // DAY_MS
    ago = days_ago(head["newest_hour"].astype(np.int64), as_of_day)
    start = _ACTIVITY * DAY_TILES
    # What lies ahead of the as-of day comes into view at midnight.
    busy = ((slab.cells[slots, start : start + DAY_TILES] > 0) & (ago < WINDOW_DAYS)).any(axis=1)
    filling = (head["applied"] > 0) & (as_of_day - head["first_ms"] // DAY_MS + 1 < WINDOW_DAYS)
    midnight = (as_of_day + 1) * DAY_MS
    return np.where(busy | filling, midnight, head["last_ms"] + removal_ms)

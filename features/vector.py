"""Feature vectors as of a time: what the states of users say in the order of the catalogue.

Every value is computed per user with sums along contiguous memory, so a user's vector has the
same bits whether it is asked for alone or with ten thousand others.
"""

from dataclasses import dataclass
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
_WEEKDAYS: Final = 20
"""Mondays to Fridays in 28 days."""
_WEEKENDS: Final = WINDOW_DAYS - _WEEKDAYS
# 1970-01-01 was a Thursday: day 0 is weekday 3 counted from Monday.
_WEEKDAY_OF_DAY_0: Final = 3
_FRIDAY: Final = 4
_ACTIVITY: Final = DAY_COUNTS.index("activity")
_METRIC_BITS: Final = np.arange(len(METRIC_NAMES), dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Vectors:
    """Features of n users.

    Attributes:
        values: f8[n, 13] in the order of `features.catalogue.CATALOGUE`; NaN = null.
        evidence: f8[n, 13], how much stands behind each value; 0 where the value is null.
    """

    values: _F8
    evidence: _F8


@dataclass(frozen=True, slots=True)
class _Window:
    """What the features are computed from.

    Attributes:
        counts: day counters summed over the window, by name: f8[n].
        sums: day sums over the window, by name: f8[n].
        weekday_s: f8[n], session seconds on Mondays to Fridays.
        weekend_s: f8[n], session seconds on Saturdays and Sundays.
        active_days: f8[n].
        observed: f8[n], observed days.
        observed_weekdays: f8[n], Mondays to Fridays among them.
        known: known metrics by name: f8[n], NaN = not given.
    """

    counts: dict[str, _F8]
    sums: dict[str, _F8]
    weekday_s: _F8
    weekend_s: _F8
    active_days: _F8
    observed: _F8
    observed_weekdays: _F8
    known: dict[str, _F8]


def vectors(slab: Slab, slots: NDArray[np.int64], as_of_ms: int) -> Vectors:
    """Compute the features of users.

    Args:
        slab: not changed.
        slots: i8[n].
        as_of_ms: the time to look from; not before the stream time of what was folded, since older
            tiles are gone.
    """
    head = slab.heads(slots)
    cells, words = slab.cells[slots], slab.words[slots]
    _look_from(head, cells, words, as_of_ms)
    window = _window(head, cells, words, as_of_ms // DAY_MS)
    shape = (len(CATALOGUE), len(slots))
    found = Vectors(np.full(shape, np.nan).T, np.zeros(shape).T)
    with np.errstate(divide="ignore", invalid="ignore"):
        _per_day(found, window)
        _trials(found, window)
        _decayed(found, head, words, as_of_ms)
    seen = (head["applied"] > 0).astype(np.float64)
    _put(found, "followed_accounts", np.maximum(head["level"], 0), seen)
    _put(found, "spend", window.sums["amount"], window.observed)
    _put(found, "active_days", window.active_days, window.observed)
    # The 24 hours were left in the ring by _look_from; integer sums are exact in any order.
    _put(found, "activity_24h", cells[:, HOURLY_COLUMN:].sum(axis=1), window.observed)
    return Vectors(np.ascontiguousarray(found.values), np.ascontiguousarray(found.evidence))


def _look_from(head: Any, cells: NDArray[np.uint32], words: _F8, as_of_ms: int) -> None:
    """Clear in a copy of the states what lies before or after the windows.

    Moving a ring's anchor to one tile past the as-of tile clears just that: the tiles that drop
    out, and a tile that lies ahead.

    Args:
        head: `HEAD`[n].
        cells: u4[n, 228], changed in place.
        words: f8[n, 144], changed in place.
        as_of_ms: the time to look from.
    """
    newest_hour = head["newest_hour"].astype(np.int64)
    as_of_hour, as_of_day = as_of_ms // HOUR_MS, as_of_ms // DAY_MS
    past = np.full(len(head), as_of_hour + 1)
    row, place = places_to_clear(np.minimum(newest_hour, as_of_hour), past, HOUR_TILES)
    cells[row, HOURLY_COLUMN + place] = 0
    past = np.full(len(head), as_of_day + 1)
    newest_day = newest_hour // HOURS_PER_DAY
    row, place = places_to_clear(np.minimum(newest_day, as_of_day), past, DAY_TILES)
    cells[row[:, None], place[:, None] + COUNT_OFFSETS] = 0
    words[row[:, None], place[:, None] + SUM_OFFSETS] = 0.0


def _put(found: Vectors, name: str, value: _F8, evidence: _F8) -> None:
    """Write one feature; without evidence it stays null."""
    column = feature_index(name)
    found.values[:, column] = np.where(evidence > 0, value, np.nan)
    found.evidence[:, column] = evidence


def _window(head: Any, cells: NDArray[np.uint32], words: _F8, as_of_day: int) -> _Window:
    """Sum the 28 daily tiles."""
    n = len(head)
    tiles = cells[:, :HOURLY_COLUMN].reshape(n, len(DAY_COUNTS), DAY_TILES)
    counts = np.einsum("nkt->kn", tiles).astype(np.float64)  # integers: exact in any order
    seconds = words[:, SUMS].reshape(n, len(DAY_SUMS), DAY_TILES)
    sums = np.add.reduce(seconds, axis=2)
    weekday = _is_weekday(_day_of_places(as_of_day))
    first_day = head["first_ms"] // DAY_MS
    observed = np.clip(as_of_day - first_day + 1, 0, WINDOW_DAYS) * (head["applied"] > 0)
    given = (head["known_mask"][:, None] >> _METRIC_BITS) & 1
    known = np.where(given == 1, words[:, KNOWN], np.nan)
    return _Window(
        counts=dict(zip(DAY_COUNTS, counts, strict=True)),
        sums={name: sums[:, i] for i, name in enumerate(DAY_SUMS)},
        weekday_s=np.add.reduce(seconds[:, 0] * weekday, axis=1),
        # Not the total minus the weekdays: that leaves float dust where nothing happened.
        weekend_s=np.add.reduce(seconds[:, 0] * ~weekday, axis=1),
        active_days=np.count_nonzero(tiles[:, _ACTIVITY], axis=1).astype(np.float64),
        observed=observed.astype(np.float64),
        observed_weekdays=_weekdays_up_to(as_of_day)[observed],
        known={name: known[:, i] for i, name in enumerate(METRIC_NAMES)},
    )


def _day_of_places(as_of_day: int) -> NDArray[np.int64]:
    """Give the day of the window that each place of the ring holds."""
    return as_of_day - (as_of_day - np.arange(DAY_TILES)) % DAY_TILES


def _is_weekday(day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell Mondays to Fridays, for days since 1970-01-01."""
    return (day + _WEEKDAY_OF_DAY_0) % _DAYS_PER_WEEK <= _FRIDAY


def _weekdays_up_to(as_of_day: int) -> _F8:
    """Count the Mondays to Fridays among the last k days, the as-of day included.

    Returns:
        f8[29], by k.
    """
    weekday = _is_weekday(as_of_day - np.arange(WINDOW_DAYS))
    return np.concatenate(([0.0], np.cumsum(weekday)))


def _per_day(found: Vectors, window: _Window) -> None:
    """Features per day: what is known fills the days not observed yet."""
    observed = window.observed
    observed_weekends = observed - window.observed_weekdays
    for name, seconds, days, of_28 in (
        ("weekday_hours", window.weekday_s, window.observed_weekdays, _WEEKDAYS),
        ("weekend_hours", window.weekend_s, observed_weekends, _WEEKENDS),
    ):
        hours, known = seconds / _SECONDS_PER_HOUR, window.known[name]
        plain = hours / np.maximum(days, 1.0)
        filled = (hours + known * (of_28 - days)) / of_28
        _put_known(found, name, (plain, observed), (filled, float(WINDOW_DAYS)), known)
    _put(found, "page_views_per_day", window.counts["page_views"] / observed, observed)
    reactions, known = window.counts["reactions"], window.known["likes_and_reactions"]
    filled = (reactions + known / WINDOW_DAYS * (WINDOW_DAYS - observed)) / WINDOW_DAYS
    _put_known(
        found,
        "reactions_per_day",
        (reactions / observed, observed),
        (filled, float(WINDOW_DAYS)),
        known,
    )


def _put_known(
    found: Vectors,
    name: str,
    plain: tuple[_F8, _F8],
    filled: tuple[_F8, _F8 | float],
    known: _F8,
) -> None:
    """Write a feature's (value, evidence) for users without and with a known value."""
    given = ~np.isnan(known)
    _put(found, name, np.where(given, filled[0], plain[0]), np.where(given, filled[1], plain[1]))


def _trials(found: Vectors, window: _Window) -> None:
    """Features per trial: what is known stands for so many trials."""
    counts = window.counts
    for name, numerator, trials, prior, most in (
        ("ctr", counts["clicks"], counts["impressions"], PRIOR_IMPRESSIONS, 1.0),
        ("conversion_rate", counts["conversions"], counts["clicks"], PRIOR_CLICKS, 1.0),
        (
            "ad_seconds",
            window.sums["engagement_s"],
            counts["engagements"],
            PRIOR_ENGAGEMENTS,
            np.inf,
        ),
    ):
        known = window.known[name]
        plain = np.minimum(numerator / trials, most)
        filled = np.minimum((numerator + prior * known) / (trials + prior), most)
        _put_known(found, name, (plain, trials), (filled, trials + prior), known)


def _decayed(found: Vectors, head: Any, words: _F8, as_of_ms: int) -> None:
    """Features of decayed weights: device and interests."""
    factor = decay.as_of_factors(decay.periods(head["newest_hour"].astype(np.int64)), as_of_ms)
    mobile, devices = words[:, DEVICES.start], words[:, DEVICES.start + 1]
    _put(found, "mobile_share", mobile / devices, devices * factor)
    # Only as many places as anybody uses, in whole eights: numpy sums with 8 partial sums, so
    # more zeros do not change the bits.
    width = -(-int(head["interest_count"].max(initial=1)) // 8) * 8
    weights = words[:, INTERESTS.start : INTERESTS.start + width]
    total = np.add.reduce(weights, axis=1)
    share = weights / total[:, None]
    # The logarithm is the dear part, and most places are empty.
    present = np.flatnonzero(share > 0)
    share_log = np.zeros_like(share)
    chosen = share.reshape(-1)[present]
    share_log.reshape(-1)[present] = chosen * np.log(chosen)
    entropy = -np.add.reduce(share_log, axis=1)
    _put(found, "interest_breadth", np.exp(entropy), total * factor)


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

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
    DAY_COUNTS,
    DAY_MS,
    DAY_SUMS,
    DAY_TILES,
    HOUR_MS,
    HOURLY_COLUMN,
    WINDOW_DAYS,
    WINDOW_HOURS,
    days_ago,
    hours_ago,
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
        active_days: f8[n].
        observed: f8[n], observed days.
        observed_weekdays: f8[n], Mondays to Fridays among them.
        known: known metrics by name: f8[n], NaN = not given.
    """

    counts: dict[str, _F8]
    sums: dict[str, _F8]
    weekday_s: _F8
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
    head = slab.head[slots]
    cells, words = slab.cells[slots], slab.words[slots]
    window = _window(head, cells, words, as_of_ms // DAY_MS)
    found = Vectors(
        np.full((len(slots), len(CATALOGUE)), np.nan), np.zeros((len(slots), len(CATALOGUE)))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        _per_day(found, window)
        _trials(found, window)
        _decayed(found, head, words, as_of_ms)
    seen = (head["applied"] > 0).astype(np.float64)
    _put(found, "followed_accounts", np.maximum(head["level"], 0).astype(np.float64), seen)
    _put(found, "spend", window.sums["amount"], window.observed)
    _put(found, "active_days", window.active_days, window.observed)
    _put(found, "activity_24h", _activity_24h(head, cells, as_of_ms), window.observed)
    return found


def _put(found: Vectors, name: str, value: _F8, evidence: _F8) -> None:
    """Write one feature; without evidence it stays null."""
    column = feature_index(name)
    found.values[:, column] = np.where(evidence > 0, value, np.nan)
    found.evidence[:, column] = evidence


def _window(head: Any, cells: NDArray[np.uint32], words: _F8, as_of_day: int) -> _Window:
    """Sum the 28 daily tiles."""
    n = len(head)
    ago = days_ago(head["newest_hour"].astype(np.int64), as_of_day)
    inside = (ago >= 0) & (ago < WINDOW_DAYS)
    tiles = cells[:, :HOURLY_COLUMN].reshape(n, len(DAY_COUNTS), DAY_TILES)
    tiles = tiles * inside[:, None, :].astype(np.uint32)
    counts = np.add.reduce(tiles, axis=2, dtype=np.uint32).astype(np.float64)
    seconds = words[:, SUMS].reshape(n, len(DAY_SUMS), DAY_TILES) * inside[:, None, :]
    sums = np.add.reduce(seconds, axis=2)
    weekday = (as_of_day - ago + _WEEKDAY_OF_DAY_0) % _DAYS_PER_WEEK <= _FRIDAY
    first_day = head["first_ms"] // DAY_MS
    observed = np.clip(as_of_day - first_day + 1, 0, WINDOW_DAYS) * (head["applied"] > 0)
    known = words[:, KNOWN]
    given = (head["known_mask"][:, None] >> np.arange(len(METRIC_NAMES))) & 1
    known = np.where(given == 1, known, np.nan)
    return _Window(
        counts={name: counts[:, i] for i, name in enumerate(DAY_COUNTS)},
        sums={name: sums[:, i] for i, name in enumerate(DAY_SUMS)},
        weekday_s=np.add.reduce(seconds[:, 0, :] * weekday, axis=1),
        active_days=np.count_nonzero(tiles[:, _ACTIVITY, :], axis=1).astype(np.float64),
        observed=observed.astype(np.float64),
        observed_weekdays=_weekdays_up_to(as_of_day)[observed],
        known={name: known[:, i] for i, name in enumerate(METRIC_NAMES)},
    )


def _weekdays_up_to(as_of_day: int) -> _F8:
    """Count the Mondays to Fridays among the last k days, the as-of day included.

    Returns:
        f8[29], by k.
    """
    days = as_of_day - np.arange(WINDOW_DAYS)
    weekday = (days + _WEEKDAY_OF_DAY_0) % _DAYS_PER_WEEK <= _FRIDAY
    return np.concatenate(([0.0], np.cumsum(weekday)))


def _per_day(found: Vectors, window: _Window) -> None:
    """Features per day: what is known fills the days not observed yet."""
    observed = window.observed
    observed_weekends = observed - window.observed_weekdays
    session_s = window.sums["session_s"]
    # Not the total minus the weekdays: differences of floats leave dust where nothing happened.
    for name, seconds, days, of_28 in (
        ("weekday_hours", window.weekday_s, window.observed_weekdays, _WEEKDAYS),
        ("weekend_hours", session_s - window.weekday_s, observed_weekends, _WEEKENDS),
    ):
        hours, known = seconds / _SECONDS_PER_HOUR, window.known[name]
        plain = hours / np.maximum(days, 1.0)
        filled = (hours + known * (of_28 - days)) / of_28
        _put_known(found, name, (plain, observed), (filled, float(WINDOW_DAYS)), known)
    _put(
        found, "page_views_per_day", window.counts["page_views"] / observed, observed
    )
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
    _put(
        found, name, np.where(given, filled[0], plain[0]), np.where(given, filled[1], plain[1])
    )


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
    weights = np.ascontiguousarray(words[:, INTERESTS])
    total = np.add.reduce(weights, axis=1)
    share = weights / total[:, None]
    present = weights > 0
    # The logarithm is the dear part, and most places are empty.
    share_log = np.zeros_like(share)
    share_log[present] = share[present] * np.log(share[present])
    entropy = -np.add.reduce(share_log, axis=1)
    _put(found, "interest_breadth", np.exp(entropy), total * factor)


def _activity_24h(head: Any, cells: NDArray[np.uint32], as_of_ms: int) -> _F8:
    """Sum the 24 hourly tiles."""
    ago = hours_ago(head["newest_hour"].astype(np.int64), as_of_ms // HOUR_MS)
    inside = (ago >= 0) & (ago < WINDOW_HOURS)
    return np.add.reduce(cells[:, HOURLY_COLUMN:] * inside, axis=1).astype(np.float64)


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
    head = slab.head[slots]
    as_of_day = as_of_ms // DAY_MS
    ago = days_ago(head["newest_hour"].astype(np.int64), as_of_day)
    start = _ACTIVITY * DAY_TILES
    # What lies ahead of the as-of day comes into view at midnight.
    busy = ((slab.cells[slots, start : start + DAY_TILES] > 0) & (ago < WINDOW_DAYS)).any(axis=1)
    filling = (head["applied"] > 0) & (
        as_of_day - head["first_ms"] // DAY_MS + 1 < WINDOW_DAYS
    )
    midnight = (as_of_day + 1) * DAY_MS
    return np.where(busy | filling, midnight, head["last_ms"] + removal_ms)

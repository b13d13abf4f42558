"""Fold a batch of events into the states of their users.

The result is exactly that of applying the records one by one, whatever the batch boundaries. The
work per record is done by numpy over the whole batch, in an order sorted by user that keeps each
user's records in the order of their offsets: float sums get the same bits either way.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from features import decay
from features.admission import APPLIED, DUPLICATE, LATE, Admission, Standing, admit
from features.columns import Columns
from features.events import EVENT_TYPES, TYPE_CODES
from features.interests import add_interests
from features.profile import encode_traits
from features.slab import (
    DEVICES,
    FORGOTTEN,
    INTERESTS,
    KNOWN,
    RING_IDS,
    WORD_COLUMNS,
    Slab,
)
from features.tiles import (
    CELL_COLUMNS,
    COUNT_OFFSETS,
    DAY_MS,
    DAY_TILES,
    HOUR_MS,
    HOUR_TILES,
    HOURLY_COLUMN,
    HOURS_PER_DAY,
    SUM_OFFSETS,
    count_column,
    places_to_clear,
    sum_column,
)

__all__ = ["APPLIED", "DUPLICATE", "LATE", "Folded", "fold"]

_FOLLOW: Final = TYPE_CODES["follow"]
_UNFOLLOW: Final = TYPE_CODES["unfollow"]
_CONVERSION: Final = TYPE_CODES["conversion"]
_PROFILE: Final = TYPE_CODES["profile"]
_MOBILE: Final = 1

_COUNT_OF_TYPE: Final = {
    "page_view": "page_views",
    "reaction": "reactions",
    "ad_impression": "impressions",
    "ad_click": "clicks",
    "ad_engagement": "engagements",
    "conversion": "conversions",
}
_SUM_OF_TYPE: Final = {
    "session": "session_s",
    "ad_engagement": "engagement_s",
    "conversion": "amount",
}
# First column by type code; -1 = this type has no such counter.
_COUNT_COLUMN: Final = np.array(
    [count_column(_COUNT_OF_TYPE[t]) if t in _COUNT_OF_TYPE else -1 for t in EVENT_TYPES]
)
_SUM_COLUMN: Final = np.array(
    [sum_column(_SUM_OF_TYPE[t]) if t in _SUM_OF_TYPE else -1 for t in EVENT_TYPES]
)
_ACTIVITY_COLUMN: Final = count_column("activity")


@dataclass(frozen=True, slots=True)
class Folded:
    """What became of the records of a batch.

    Attributes:
        outcome: u1[n], `APPLIED`, `DUPLICATE` or `LATE`; a forget request is always applied.
        forgotten: row of the last forget request, by slot.
    """

    outcome: NDArray[np.uint8]
    forgotten: dict[int, int]


@dataclass(frozen=True, slots=True)
class _Batch:
    """The effective records sorted by user, and per-user views of them.

    Attributes:
        row: i8[n], index into the columns.
        slot, time_ms: i8[n].
        user: i8[u], the slots, ascending.
        start, count: i8[u], where each user's records stand.
    """

    row: NDArray[np.int64]
    slot: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    user: NDArray[np.int64]
    start: NDArray[np.int64]
    count: NDArray[np.int64]


def fold(slab: Slab, columns: Columns) -> Folded:
    """Apply a batch to the states of its users.

    Args:
        slab: changed in place.
        columns: the valid records of one partition, in the order of their offsets, built with the
            slab's own interner.
    """
    admission = admit(slab, columns)
    if admission.forgotten:
        _wipe(slab, columns, admission)
    batch = _sorted_by_user(columns, np.flatnonzero(admission.effective))
    if len(batch.row):
        period = _apply_heads(slab, columns, batch)
        _apply_tiles(slab, columns, batch)
        _apply_decayed(slab, columns, batch, period)
    for slot, standing in admission.standings.items():
        _write_standing(slab, slot, standing)
    return Folded(admission.outcome, admission.forgotten)


def _wipe(slab: Slab, columns: Columns, admission: Admission) -> None:
    """Leave nothing of forgotten users but the fact and its time."""
    slots = np.fromiter(admission.forgotten, np.int64)
    rows = np.fromiter(admission.forgotten.values(), np.int64)
    slab.clear(slots)
    slab.head["flags"][slots] = FORGOTTEN
    slab.head["last_ms"][slots] = columns.time_ms[rows]


def _sorted_by_user(columns: Columns, rows: NDArray[np.int64]) -> _Batch:
    """Sort records by user, keeping each user's order."""
    row = rows[np.argsort(columns.slot[rows], kind="stable")]
    slot = columns.slot[row]
    start = np.flatnonzero(np.diff(slot, prepend=-1))
    count = np.diff(start, append=len(slot))
    return _Batch(row, slot, columns.time_ms[row], slot[start], start, count)


def _apply_heads(slab: Slab, columns: Columns, batch: _Batch) -> NDArray[np.int64]:
    """Bring the heads, the id rings and the anchors of the tile rings up to date.

    Returns:
        i8[u], the period of each user's decayed weights.
    """
    head = slab.heads(batch.user)
    fresh = head["applied"] == 0
    first_ms = np.minimum.reduceat(batch.time_ms, batch.start)
    last_ms = np.maximum.reduceat(batch.time_ms, batch.start)
    newest = last_ms // HOUR_MS
    # The rows of fresh users are empty: nothing is to be cleared or re-based for them.
    anchor = np.where(fresh, newest, head["newest_hour"])
    newest = np.maximum(newest, anchor)
    _move_rings(slab, batch.user, anchor, newest)

    head["first_ms"] = np.where(fresh, first_ms, np.minimum(first_ms, head["first_ms"]))
    head["last_ms"] = np.where(fresh, last_ms, np.maximum(last_ms, head["last_ms"]))
    head["newest_hour"] = newest
    head["applied"] += batch.count.astype(np.uint32)
    head["flags"] &= 0xFF ^ FORGOTTEN
    code = columns.type_code[batch.row]
    follows = (code == _FOLLOW).astype(np.int32) - (code == _UNFOLLOW)
    head["level"] += np.add.reduceat(follows, batch.start)
    head["ring_next"] = _write_ring(slab, columns, batch, head["ring_next"].astype(np.int64))
    slab.set_heads(batch.user, head)
    return decay.periods(newest)


def _move_rings(
    slab: Slab, user: NDArray[np.int64], old: NDArray[np.int64], new: NDArray[np.int64]
) -> None:
    """Clear the tiles that newer hours and days take over; re-base the decayed weights.

    Args:
        slab: changed in place.
        user: i8[u], slots.
        old: i8[u], newest hours before.
        new: i8[u], newest hours after.
    """
    cells, words = slab.cells.reshape(-1), slab.words.reshape(-1)
    which, place = places_to_clear(old, new, HOUR_TILES)
    if not len(which):
        return
    cells[user[which] * CELL_COLUMNS + HOURLY_COLUMN + place] = 0
    which, place = places_to_clear(old // HOURS_PER_DAY, new // HOURS_PER_DAY, DAY_TILES)
    if not len(which):
        return
    cells[(user[which] * CELL_COLUMNS + place)[:, None] + COUNT_OFFSETS] = 0
    words[(user[which] * WORD_COLUMNS + place)[:, None] + SUM_OFFSETS] = 0.0
    old_period, new_period = decay.periods(old), decay.periods(new)
    moved = np.flatnonzero(new_period > old_period)
    if len(moved):
        factor = decay.rebase_factors(old_period[moved], new_period[moved])
        slab.words[user[moved], DEVICES.start : INTERESTS.stop] *= factor[:, None]


def _write_ring(
    slab: Slab, columns: Columns, batch: _Batch, ring_next: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Remember the last 16 ids of each user.

    Returns:
        i8[u], the place written next.
    """
    rank = np.arange(len(batch.row)) - np.repeat(batch.start, batch.count)
    kept = rank >= np.repeat(batch.count, batch.count) - RING_IDS
    place = (np.repeat(ring_next, batch.count) + rank) % RING_IDS
    slab.ring[batch.slot[kept], place[kept]] = columns.id_hash[batch.row[kept]]
    return (ring_next + batch.count) % RING_IDS


def _apply_tiles(slab: Slab, columns: Columns, batch: _Batch) -> None:
    """Count activity in the tiles; what is older than a ring leaves no trace in it."""
    cells, words = slab.cells.reshape(-1), slab.words.reshape(-1)
    newest_hour = np.repeat(slab.head["newest_hour"][batch.user].astype(np.int64), batch.count)
    code = columns.type_code[batch.row]
    activity = code < _PROFILE
    hour, day = batch.time_ms // HOUR_MS, batch.time_ms // DAY_MS
    in_hours = activity & (hour > newest_hour - HOUR_TILES)
    in_days = np.flatnonzero(activity & (day > newest_hour // HOURS_PER_DAY - DAY_TILES))

    slot = batch.slot * CELL_COLUMNS
    hourly = (slot + HOURLY_COLUMN + hour % HOUR_TILES)[in_hours]
    place = day[in_days] % DAY_TILES
    cell = slot[in_days] + place
    column = _COUNT_COLUMN[code[in_days]]
    counted = column >= 0
    touched = np.concatenate((hourly, cell + _ACTIVITY_COLUMN, (cell + column)[counted]))
    np.add.at(cells, touched, np.uint32(1))

    column = _SUM_COLUMN[code[in_days]]
    summed = column >= 0
    row = batch.row[in_days][summed]
    value = np.where(
        columns.type_code[row] == _CONVERSION, columns.amount[row], columns.duration_s[row]
    )
    word = batch.slot[in_days] * WORD_COLUMNS + place + column
    np.add.at(words, word[summed], value)


def _apply_decayed(slab: Slab, columns: Columns, batch: _Batch, period: NDArray[np.int64]) -> None:
    """Add devices and interests with the weights of their event times."""
    words = slab.words.reshape(-1)
    weight = np.zeros(len(columns))
    weight[batch.row] = decay.event_weights(batch.time_ms, np.repeat(period, batch.count))
    device = columns.device[batch.row]
    mobile_column = batch.slot * WORD_COLUMNS + DEVICES.start
    for chosen, column in ((device == _MOBILE, mobile_column), (device > 0, mobile_column + 1)):
        np.add.at(words, column[chosen], weight[batch.row[chosen]])
    if len(columns.interest_row):
        effective = np.zeros(len(columns), np.bool_)
        effective[batch.row] = True
        named = effective[columns.interest_row]
        row = columns.interest_row[named]
        if len(row):
            add_interests(slab, columns.slot[row], columns.interest_id[named], weight[row], row)


def _write_standing(slab: Slab, slot: int, standing: Standing) -> None:
    """Store what a contested user's profiles said."""
    if standing.level_set:
        slab.head["level"][slot] = standing.level
    if standing.profile is None or not standing.profile_changed:
        return
    slab.traits[slot] = encode_traits(standing.profile.traits)
    slab.tails[slot] = None
    mask = 0
    for i, value in enumerate(msgspec.structs.astuple(standing.profile.metrics)):
        if value is not None:
            mask |= 1 << i
            # Adding 0 turns a negative zero into a plain one.
            slab.words[slot, KNOWN.start + i] = value + 0.0
    slab.head["known_mask"][slot] = mask

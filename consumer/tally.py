"""What one step adds to the trend: counts by hour, segment and campaign, and the moves.

Everything stands at the stream time of its record. An event counts to the segment in which the
newest change decided by an earlier record had put its user, so the trend does not depend on how
records were cut into batches. A move counts at the stream time at its `source_offset`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from consumer.dead_letters import DeadLetter
from features.columns import Columns
from features.events import EVENT_TYPES, TYPE_CODES
from features.fold import APPLIED
from features.tiles import HOUR_MS
from segments.changes import SegmentChange
from segments.model import NO_SEGMENT

CAMPAIGN_CHARS_MAX = 128
"""A longer campaign id is not told apart from others."""

_AD_TYPES = ("ad_impression", "ad_click", "ad_engagement", "conversion")
# Column of each type code in a matrix of counts; the first one is for all that is no ad.
_AD_COLUMN = np.array([_AD_TYPES.index(t) + 1 if t in _AD_TYPES else 0 for t in EVENT_TYPES])
_COLUMNS = len(_AD_TYPES) + 1
_PROFILE = TYPE_CODES["profile"]
_NO_ROWS = np.empty(0, np.int64)

Rows = npt.NDArray[np.int64]
Segments = npt.NDArray[np.int32]
Moves = Counter[tuple[int, int, int, str]]
"""How many users moved, by hour, previous and current segment, and cause."""


class Rates(msgspec.Struct, array_like=True, kw_only=True):
    """What the people of a segment did; stored as an array in this order.

    Attributes:
        events: applied events other than profiles and forget requests.
        impressions, clicks, engagements, conversions: those among them.
        amount: sum of the conversions' amounts.
    """

    events: int = 0
    impressions: int = 0
    clicks: int = 0
    engagements: int = 0
    conversions: int = 0
    amount: float = 0.0

    def add(self, other: "Rates") -> None:
        """Add what others did."""
        self.events += other.events
        self.impressions += other.impressions
        self.clicks += other.clicks
        self.engagements += other.engagements
        self.conversions += other.conversions
        self.amount += other.amount


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What one step adds.

    Attributes:
        end_hour: hours since 1970 of the stream time after the step.
        outcomes: applied, duplicate and late records by hour.
        rates: by hour: segment and what its people did (`NO_SEGMENT`: people without one).
        campaigns: by campaign id and segment; all of a batch lies within one day.
        moves: how many by hour, previous and current segment, and cause.
    """

    end_hour: int
    outcomes: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    rates: dict[int, list[tuple[int, Rates]]] = field(default_factory=dict)
    campaigns: dict[tuple[str, int], Rates] = field(default_factory=dict)
    moves: Moves = field(default_factory=Counter)

    @classmethod
    def of_sweep(cls, changes: Sequence[SegmentChange], stream_ms: int) -> "Tally":
        """Count the changes of a sweep, which does not move stream time."""
        moves = moves_of(changes, StreamTimes(stream_ms, _NO_ROWS, _NO_ROWS, ()))
        return cls(end_hour=stream_ms // HOUR_MS, moves=moves)


@dataclass(frozen=True)
class StreamTimes:
    """Stream time at any offset of a batch: also where a sweep decided, between two events.

    Attributes:
        before_ms: before the batch.
        offsets: int64[n], of its valid events.
        stream_ms: int64[n], at each.
        dead: its dead letters, which move stream time too.
    """

    before_ms: int
    offsets: Rows
    stream_ms: Rows
    dead: Sequence[DeadLetter]

    def at(self, offsets: Rows) -> Rows:
        """Give the stream time when the records at these offsets had been read, ms."""
        row = np.searchsorted(self.offsets, offsets, side="right")
        times_ms = np.append(self.stream_ms, self.before_ms)[row - 1]  # row 0: the last place
        for letter in self.dead:
            past = offsets >= letter.offset
            times_ms[past] = np.maximum(times_ms[past], letter.timestamp_ms)
        return np.asarray(np.maximum(times_ms, self.before_ms))


def moves_of(changes: Sequence[SegmentChange], times: StreamTimes) -> Moves:
    """Count changes by hour, previous and current segment, and cause."""
    if not changes:
        return Counter()
    hours = times.at(np.array([change.source_offset for change in changes])) // HOUR_MS
    return Counter(
        (
            hour,
            change.previous.id if change.previous else NO_SEGMENT,
            change.current.id if change.current else NO_SEGMENT,
            change.cause,
        )
        for hour, change in zip(hours.tolist(), changes, strict=True)
    )


def segments_at(
    segment: Segments, slot: Rows, offsets: Rows, moved: Sequence[tuple[int, int, int]]
) -> Segments:
    """Give the segment that each event counts to.

    Args:
        segment: int32[n], where the user of each event was before the batch; changed in place.
        slot: int64[n], that user.
        offsets: int64[n], of the events.
        moved: slot, source offset and new segment of the moves decided within the batch, in order.
    """
    present = set(slot.tolist()) if moved else set()
    for user, source_offset, current in moved:
        if user in present:
            segment[(slot == user) & (offsets > source_offset)] = current
    return segment


def tally_batch(
    columns: Columns,
    outcome: npt.NDArray[np.uint8],
    segment: Segments,
    moves: Moves,
    stream_end_ms: int,
) -> Tally:
    """Count what a batch adds.

    Args:
        columns: its valid events, all of one day of stream time.
        outcome: uint8[n], what became of each.
        segment: int32[n], the segment each counts to (`segments_at`).
        moves: the changes of the batch (`moves_of`).
        stream_end_ms: stream time after it.
    """
    end_hour = stream_end_ms // HOUR_MS
    if not len(columns):
        return Tally(end_hour=end_hour, moves=moves)
    hour = columns.stream_ms // HOUR_MS
    first = int(hour[0])  # stream time never goes back
    by_hour = np.bincount((hour - first) * 3 + outcome, minlength=3).tolist()
    by_hour += [0] * (-len(by_hour) % 3)
    outcomes = {
        first + i: (by_hour[3 * i], by_hour[3 * i + 1], by_hour[3 * i + 2])
        for i in range(len(by_hour) // 3)
        if any(by_hour[3 * i : 3 * i + 3])
    }
    rates: dict[int, list[tuple[int, Rates]]] = {}
    activity = np.flatnonzero((outcome == APPLIED) & (columns.type_code < _PROFILE))
    for at, of, found in _rates(columns, activity, (hour - first)[activity], segment):
        rates.setdefault(first + at, []).append((of, found))
    return Tally(
        end_hour=end_hour,
        outcomes=outcomes,
        rates=rates,
        campaigns=_campaigns(columns, activity, segment),
        moves=moves,
    )


def _campaigns(columns: Columns, activity: Rows, segment: Segments) -> dict[tuple[str, int], Rates]:
    active = np.zeros(len(columns), np.bool_)
    active[activity] = True
    counted = active[columns.campaign_row]
    rows, campaign = columns.campaign_row[counted], columns.campaign[counted].astype(np.int64)
    found = _rates(columns, rows, campaign, segment)
    return {(columns.campaigns[code], of): rates for code, of, rates in found}


def _rates(
    columns: Columns, rows: Rows, group: Rows, segment: Segments
) -> list[tuple[int, int, Rates]]:
    """Count some events by group and segment.

    Args:
        columns: the batch.
        rows: int64[m], which events.
        group: int64[m], small numbers from 0 on.
        segment: int32[n], of every event.

    Returns:
        Group, segment and counts of every pair that occurs.
    """
    if not len(rows):
        return []
    code, of = columns.type_code[rows], segment[rows].astype(np.int64)
    width = int(of.max()) + 2  # NO_SEGMENT is -1
    cell = group * width + of + 1
    cells = int(cell.max()) + 1
    counts = np.bincount(cell * _COLUMNS + _AD_COLUMN[code], minlength=cells * _COLUMNS)
    table = counts.reshape(cells, _COLUMNS)
    amounts = np.bincount(cell, columns.amount[rows], minlength=cells)
    present = np.flatnonzero(table.any(axis=1))
    return [
        (
            at // width,
            at % width - 1,
            Rates(
                events=sum(row),
                impressions=row[1],
                clicks=row[2],
                engagements=row[3],
                conversions=row[4],
                amount=amount,
            ),
        )
        for at, row, amount in zip(
            present.tolist(), table[present].tolist(), amounts[present].tolist(), strict=True
        )
    ]

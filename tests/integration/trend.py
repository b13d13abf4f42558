"""The trend of a partition, counted again from the topics: by day and hour, records and moves.

A record counts at the stream time at its place in the log, a change at that of the record that
decided it. The hash goes back to `since`: to the first record, unless Redis was emptied meanwhile.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any

from tests.integration.feed import Record
from tests.reference import DAY_MS, HOUR_MS

OUTCOMES = ("applied", "duplicate", "late")
HOURS_KEPT = 14 * 24

Trend = dict[str, Any]
Counts = Counter[tuple[int, str]]
"""By day or hour, and what."""


def count_trend(
    trend: Trend,
    meta: dict[str, Any] | None,
    events: list[Record],
    outcomes: list[str],
    moves: Iterable[tuple[int, str]],
) -> int:
    """Count by how much a partition's trend is off.

    Args:
        trend: its hash, decoded.
        meta: its counters.
        events: its input records.
        outcomes: what must become of each of them.
        moves: source offset and "<previous>><current>:<cause>" of each change, in order.
    """
    if meta is None or "since" not in trend:
        return int(meta is not None and meta["commits"] > 0)
    since, moved = trend["since"], list(moves)[trend["since"]["sequence"] :]
    stream_ms = list(accumulate((one.timestamp_ms for one in events), max))
    offsets = [one.offset for one in events]

    def time_of(source_offset: int) -> int:
        return stream_ms[max(0, bisect_right(offsets, source_offset) - 1)]

    wrong = 0
    for letter, length_ms, kept in (("d", DAY_MS, len(trend)), ("h", HOUR_MS, HOURS_KEPT)):
        tiles = _tiles(trend, letter)
        oldest = max(tiles, default=0) - kept
        should: Counts = Counter()
        if not since["stream_ms"]:
            should.update(
                (ms // length_ms, outcome)
                for ms, outcome in zip(stream_ms, outcomes, strict=True)
                if outcome in OUTCOMES
            )
        should.update((time_of(offset) // length_ms, move) for offset, move in moved)
        found = _counts(tiles, lambda tile: tile.get("moves", {}))
        if not since["stream_ms"]:
            found += _counts(tiles, lambda tile: {one: tile.get(one, 0) for one in OUTCOMES})
        wrong += sum(
            abs(found[place] - should[place])
            for place in found.keys() | should.keys()
            if place[0] > oldest
        )
    days = _tiles(trend, "d")
    newest = days[max(days)] if days else {}
    people = Counter({int(k): n for k, n in newest.get("users", {}).items()})
    return wrong + (people != Counter({int(k): n for k, n in meta["users"].items()}))


def _tiles(trend: Trend, letter: str) -> dict[int, Any]:
    """Give the days' or the hours' tiles by number."""
    return {
        int(name[1:]): tile
        for name, tile in trend.items()
        if name[0] == letter and name[1:].isdigit()
    }


def _counts(tiles: dict[int, Any], part: Callable[[Any], dict[str, int]]) -> Counts:
    return Counter(
        {(number, name): n for number, tile in tiles.items() for name, n in part(tile).items()}
    )

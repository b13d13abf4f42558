"""What the trend of a partition must be, counted record by record from the log and the feed."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from consumer.trend import DAYS_KEPT, HOURS_KEPT
from features.events import Event
from features.tiles import DAY_MS, HOUR_MS
from segments.changes import SegmentChange
from segments.model import NO_SEGMENT

AD_TYPES = ("ad_impression", "ad_click", "ad_engagement", "conversion")


@dataclass(frozen=True)
class Seen:
    """One record of the log: when it was received, what it says, and what became of it."""

    offset: int
    timestamp_ms: int
    event: Event | None
    outcome: str


@dataclass
class Tile:
    """An hour or a day."""

    outcomes: Counter[str] = field(default_factory=Counter)
    moves: Counter[str] = field(default_factory=Counter)
    rates: dict[int, list[float]] = field(default_factory=dict)
    campaigns: dict[str, dict[int, list[float]]] = field(default_factory=dict)


def counted(log: Sequence[Seen], changes: Sequence[SegmentChange]) -> dict[str, Tile]:
    """Count hours ("h495000") and days ("d20625") afresh; changes in the order of the feed."""
    tiles: defaultdict[str, Tile] = defaultdict(Tile)
    streams: list[int] = []
    for seen in log:
        streams.append(max([seen.timestamp_ms, *streams[-1:]]))
        for name in _names(streams[-1]):
            if seen.outcome in ("applied", "duplicate", "late"):
                tiles[name].outcomes[seen.outcome] += 1
                _add_event(tiles[name], seen, changes, by_campaign=name[0] == "d")
    offsets = [seen.offset for seen in log]
    for change in changes:
        row = bisect_right(offsets, change.source_offset)
        for name in _names(streams[row - 1] if row else 0):
            tiles[name].moves[_move(change)] += 1
    hours = [int(name[1:]) for name in tiles if name[0] == "h"]
    days = [int(name[1:]) for name in tiles if name[0] == "d"]
    oldest = {"h": max(hours, default=0) - HOURS_KEPT, "d": max(days, default=0) - DAYS_KEPT}
    return {name: tile for name, tile in tiles.items() if int(name[1:]) > oldest[name[0]]}


def read(fields: Mapping[str, bytes]) -> dict[str, Tile]:
    """Give what a stored trend says in the same form, without any code of the worker."""
    tiles: defaultdict[str, Tile] = defaultdict(Tile)
    campaigns: list[tuple[str, Any]] = []
    for name, value in fields.items():
        stored = msgspec.msgpack.decode(value, strict=False)
        if name == "since":
            continue
        if "." in name:
            campaigns.append((name.partition(".")[0], stored))
            continue
        tile = tiles[name]
        tile.outcomes.update(
            {k: stored[k] for k in ("applied", "duplicate", "late") if k in stored}
        )
        tile.moves.update(stored.get("moves", {}))
        tile.rates = stored.get("rates", {})
    for name, stored in campaigns:
        tiles[name].campaigns[stored["campaign"]] = stored["rates"]
    # An hour that only tells how many users there were.
    return {name: tile for name, tile in tiles.items() if tile != Tile()}


def _names(stream_ms: int) -> tuple[str, str]:
    return f"h{stream_ms // HOUR_MS}", f"d{stream_ms // DAY_MS}"


def _move(change: SegmentChange) -> str:
    previous = change.previous.id if change.previous else NO_SEGMENT
    current = change.current.id if change.current else NO_SEGMENT
    return f"{previous}>{current}:{change.cause}"


def _add_event(
    tile: Tile, seen: Seen, changes: Sequence[SegmentChange], *, by_campaign: bool
) -> None:
    event = seen.event
    if event is None or seen.outcome != "applied" or event.type in ("profile", "forget"):
        return
    segment = NO_SEGMENT
    for change in changes:
        if change.user_id == event.user_id and change.source_offset < seen.offset:
            segment = change.current.id if change.current else NO_SEGMENT
    counts = [tile.rates.setdefault(segment, [0] * 5 + [0.0])]
    if event.type in AD_TYPES and event.campaign_id and by_campaign:
        of = tile.campaigns.setdefault(event.campaign_id, {})
        counts.append(of.setdefault(segment, [0] * 5 + [0.0]))
    for one in counts:
        one[0] += 1
        if event.type in AD_TYPES:
            one[1 + AD_TYPES.index(event.type)] += 1
        if event.type == "conversion":
            one[5] += event.amount or 0.0

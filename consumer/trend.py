"""The trend of one partition: what happened by hour (14 days) and by day (400 days).

A Redis hash, `{ns.p}:trend`, written by the script that writes everything else of a commit: it is
as exact as the rest. The owner holds the current hour and day in memory and writes what it touched.

    since         counters of the partition when its trend began (`TrendStart`)
    h<hour>       one hour, hours since 1970 (`TrendTile`)
    d<day>        one day, days since 1970 (`TrendTile`)
    d<day>.<i>    one campaign of that day (`CampaignTile`), in the order in which they appeared;
                  at most 200, whatever comes later is "other" (i = 200)

All values are MessagePack. Time is stream time, see `consumer.tally`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from consumer.meta import PartitionMeta
from consumer.tally import CAMPAIGN_CHARS_MAX, Rates, Tally
from features.tiles import DAY_MS, HOUR_MS, HOURS_PER_DAY

HOURS_KEPT = 14 * HOURS_PER_DAY
DAYS_KEPT = 400
CAMPAIGNS_PER_DAY_MAX = 200
OTHER_CAMPAIGNS = "other"


class TrendStart(msgspec.Struct, kw_only=True, frozen=True):
    """Counters of the partition when its trend began: all tiles lead from here to `meta`."""

    sequence: int = 0
    applied: int = 0
    duplicate: int = 0
    late: int = 0
    stream_ms: int = 0


class TrendTile(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One hour or one day.

    Attributes:
        applied, duplicate, late: records by what became of them.
        users: users per segment id at the end.
        unassigned: users without a segment at the end.
        moves: changes of segment, by "<previous>><current>:<cause>"; -1 is no segment.
        rates: what the people of each segment id did; -1 is no segment.
    """

    applied: int = 0
    duplicate: int = 0
    late: int = 0
    users: dict[int, int] = {}
    unassigned: int = 0
    moves: dict[str, int] = {}
    rates: dict[int, Rates] = {}


class CampaignTile(msgspec.Struct, kw_only=True):
    """One campaign's day: its id, and what the people of each segment id did with it."""

    campaign: str
    rates: dict[int, Rates] = {}


_encode = msgspec.msgpack.Encoder().encode
decode_start = msgspec.msgpack.Decoder(TrendStart).decode
decode_tile = msgspec.msgpack.Decoder(TrendTile).decode
decode_campaign = msgspec.msgpack.Decoder(CampaignTile).decode

START_FIELD = "since"


def hour_field(hour: int) -> str:
    """Name the field of an hour (hours since 1970)."""
    return f"h{hour}"


def day_field(day: int) -> str:
    """Name the field of a day (days since 1970)."""
    return f"d{day}"


def campaign_field(day: int, number: int) -> str:
    """Name the field of a campaign by its place among those of the day."""
    return f"d{day}.{number}"


def _day_fields(day: int) -> Iterator[str]:
    """Name all fields that a day may have."""
    yield day_field(day)
    for number in range(CAMPAIGNS_PER_DAY_MAX + 1):
        yield campaign_field(day, number)


def current_fields(stream_ms: int) -> list[str]:
    """Name the fields that an owner goes on with."""
    day = stream_ms // DAY_MS
    return [START_FIELD, hour_field(stream_ms // HOUR_MS), *_day_fields(day)]


@dataclass(frozen=True)
class TrendWrite:
    """What a commit does to the hash.

    Attributes:
        restart: drop whatever was there before.
        fields: field, value, field, value, …
        gone: fields whose time is over.
    """

    restart: bool
    fields: Sequence[bytes]
    gone: Sequence[bytes]


class Trend:
    """The current hour and day of one partition, as its owner holds them.

    It counts on every commit it was written with, like the rest of what an owner holds: when one
    fails, the partition is dropped and the trend is read again.
    """

    def __init__(self, start: PartitionMeta) -> None:
        """Begin a new trend; the first write drops what an older one may have left.

        Args:
            start: the partition's counters before anything is counted.
        """
        outcomes = start.outcomes
        self._start = TrendStart(
            sequence=start.sequence,
            applied=outcomes.applied,
            duplicate=outcomes.duplicate,
            late=outcomes.late,
            stream_ms=start.stream_ms,
        )
        self._restart = True
        self._hour, self._day = start.stream_ms // HOUR_MS, start.stream_ms // DAY_MS
        self._tiles: dict[str, TrendTile] = {}  # by field
        self._campaigns: dict[str, tuple[str, CampaignTile]] = {}  # today's: id → field, tile
        self._touched: dict[str, TrendTile | CampaignTile] = {}
        self._gone: list[str] = []

    @classmethod
    def resumed(cls, meta: PartitionMeta, stored: Mapping[str, bytes]) -> "Trend":
        """Go on with what Redis holds.

        Args:
            meta: the partition's counters in the same state of Redis.
            stored: those of `current_fields(meta.stream_ms)` that there are.
        """
        trend = cls(meta)
        if START_FIELD not in stored:
            return trend  # written by a release that kept no trend
        trend._restart = False
        trend._start = decode_start(stored[START_FIELD])
        for name in (hour_field(trend._hour), day_field(trend._day)):
            if name in stored:
                trend._tiles[name] = decode_tile(stored[name])
        for number in range(CAMPAIGNS_PER_DAY_MAX + 1):
            name = campaign_field(trend._day, number)
            if name in stored:
                tile = decode_campaign(stored[name])
                trend._campaigns[tile.campaign] = (name, tile)
        return trend

    def add(self, tally: Tally, meta: PartitionMeta) -> None:
        """Count what a step adds.

        Args:
            tally: what it adds.
            meta: the partition's counters after it.
        """
        for hour in sorted({*tally.outcomes, *(move[0] for move in tally.moves), tally.end_hour}):
            self._reach(hour)
        self._add_events(tally)
        for (hour, previous, current, cause), count in sorted(tally.moves.items()):
            move = f"{previous}>{current}:{cause}"
            for tile in self._tiles_of(hour):
                tile.moves[move] = tile.moves.get(move, 0) + count
        for tile in self._tiles_of(tally.end_hour):
            tile.users, tile.unassigned = dict(meta.users), meta.unassigned

    def take(self) -> TrendWrite:
        """Give what the next commit has to write; it counts as written from here on."""
        fields = [
            part for name, tile in self._touched.items() for part in (name.encode(), _encode(tile))
        ]
        if self._restart:
            fields += [START_FIELD.encode(), _encode(self._start)]
        write = TrendWrite(self._restart, fields, [name.encode() for name in self._gone])
        self._restart = False
        self._touched, self._gone = {}, []
        current = (hour_field(self._hour), day_field(self._day))
        self._tiles = {name: tile for name, tile in self._tiles.items() if name in current}
        return write

    def _add_events(self, tally: Tally) -> None:
        for hour, (applied, duplicate, late) in tally.outcomes.items():
            for tile in self._tiles_of(hour):
                tile.applied += applied
                tile.duplicate += duplicate
                tile.late += late
        for hour, by_segment in tally.rates.items():
            for tile in self._tiles_of(hour):
                for segment, rates in by_segment:
                    _add(tile.rates, segment, rates)
        for (campaign, segment), rates in tally.campaigns.items():
            _add(self._campaign(campaign).rates, segment, rates)

    def _reach(self, hour: int) -> None:
        """Let stream time come to an hour; what is too old then goes."""
        day = hour // HOURS_PER_DAY
        if hour > self._hour:
            kept_from = hour - HOURS_KEPT + 1
            oldest = max(self._hour - HOURS_KEPT + 1, self._start.stream_ms // HOUR_MS)
            self._gone += map(hour_field, range(oldest, min(self._hour + 1, kept_from)))
            self._hour = hour
        if day > self._day:
            kept_from = day - DAYS_KEPT + 1
            oldest = max(self._day - DAYS_KEPT + 1, self._start.stream_ms // DAY_MS)
            for old in range(oldest, min(self._day + 1, kept_from)):
                self._gone += _day_fields(old)
            self._day = day
            self._campaigns = {}

    def _tiles_of(self, hour: int) -> tuple[TrendTile, TrendTile]:
        """Give the tiles of an hour and of its day, to be changed.

        What is not in memory has never been written: within a partition stream time only rises,
        and a commit's hours begin with the one that the commit before ended in.
        """
        return self._tile(hour_field(hour)), self._tile(day_field(hour // HOURS_PER_DAY))

    def _tile(self, name: str) -> TrendTile:
        tile = self._tiles.get(name)
        if tile is None:
            tile = self._tiles[name] = TrendTile()
        self._touched[name] = tile
        return tile

    def _campaign(self, campaign: str) -> CampaignTile:
        known = self._campaigns.get(campaign)
        if known is None:
            number = len(self._campaigns) - (OTHER_CAMPAIGNS in self._campaigns)
            if number == CAMPAIGNS_PER_DAY_MAX or len(campaign) > CAMPAIGN_CHARS_MAX:
                campaign, number = OTHER_CAMPAIGNS, CAMPAIGNS_PER_DAY_MAX
            known = self._campaigns.get(campaign)
        if known is None:
            known = (campaign_field(self._day, number), CampaignTile(campaign=campaign))
            self._campaigns[campaign] = known
        name, tile = known
        self._touched[name] = tile
        return tile


def _add(counts: dict[int, Rates], segment: int, rates: Rates) -> None:
    known = counts.get(segment)
    if known is None:
        known = counts[segment] = Rates()
    known.add(rates)

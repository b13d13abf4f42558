"""The trend of all partitions put together, day by day."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from consumer.keys import PartitionKeys
from consumer.redis_client import RedisClient
from consumer.store import needing_redis
from consumer.tally import Rates
from consumer.trend import (
    CAMPAIGNS_PER_DAY_MAX,
    DAYS_KEPT,
    CampaignTile,
    TrendTile,
    campaign_field,
    day_field,
    decode_campaign,
    decode_tile,
)
from features.tiles import DAY_MS

DAYS_SHOWN = 28
"""So many days are told; the flow covers them too."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """How often people moved from one segment to another; -1 is none."""

    previous: int
    current: int
    cause: str
    count: int


@dataclass
class Day:
    """One UTC day of stream time over all partitions.

    Attributes:
        users: users per segment at its end.
        unassigned: users without one.
        moves: by previous and current segment, and cause.
        rates: what the people of each segment did.
        campaigns: the same by campaign.
    """

    users: Counter[int] = field(default_factory=Counter)
    unassigned: int = 0
    moves: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    rates: dict[int, Rates] = field(default_factory=dict)
    campaigns: dict[str, dict[int, Rates]] = field(default_factory=dict)


History = dict[int, Day]
"""Days since 1970, rising."""


def read_history(
    client: RedisClient, namespace: str, partitions: Iterable[int], as_of_ms: int
) -> History:
    """Read the newest days of every partition.

    Raises:
        ServiceUnavailable: Redis cannot be reached.
    """
    last = as_of_ms // DAY_MS
    days = range(last - DAYS_SHOWN + 1, last + 1)
    stored = []
    for partition in partitions:
        key = PartitionKeys(namespace, partition).trend
        values = needing_redis(lambda key=key: client.hgetall(key))  # type: ignore[misc]
        stored.append({name.decode(): value for name, value in values.items()})
    return put_together(stored, days)


def put_together(stored: Iterable[Mapping[str, bytes]], days: range) -> History:
    """Add up partitions.

    A partition that was silent on a day still has the users it had before.

    Args:
        stored: the trend hash of each partition.
        days: which days.
    """
    history: History = {}
    for fields in stored:
        held: TrendTile | None = None
        for number in range(days.start - DAYS_KEPT, days.stop):
            value = fields.get(day_field(number))
            tile = decode_tile(value) if value is not None else None
            held = tile or held
            if number >= days.start and held is not None:
                day = history.setdefault(number, Day())
                day.users.update(held.users)
                day.unassigned += held.unassigned
                if tile is not None:
                    _add_tile(day, tile)
                    _add_campaigns(day, fields, number)
    return dict(sorted(history.items()))


def _add_tile(day: Day, tile: TrendTile) -> None:
    for move, count in tile.moves.items():
        route, _, cause = move.partition(":")
        previous, _, current = route.partition(">")
        day.moves[int(previous), int(current), cause] += count
    _add_rates(day.rates, tile.rates)


def _add_campaigns(day: Day, fields: Mapping[str, bytes], number: int) -> None:
    for place in range(CAMPAIGNS_PER_DAY_MAX + 1):
        value = fields.get(campaign_field(number, place))
        if value is not None:
            tile: CampaignTile = decode_campaign(value)
            _add_rates(day.campaigns.setdefault(tile.campaign, {}), tile.rates)


def _add_rates(into: dict[int, Rates], rates: Mapping[int, Rates]) -> None:
    for segment, more in rates.items():
        into.setdefault(segment, Rates()).add(more)

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from consumer.meta import PartitionMeta
from consumer.records import batches
from consumer.tally import Rates, Tally
from consumer.trend import (
    CAMPAIGNS_PER_DAY_MAX,
    HOURS_KEPT,
    Trend,
    current_fields,
    decode_start,
)
from features.events import Event
from features.tiles import DAY_MS, HOUR_MS
from segments.changes import SegmentChange
from tests.consumer.builders import NOON_MS, Bench, event, follows, profile, records_of
from tests.consumer.lives import LogRecord, life
from tests.consumer.trends import Seen, Tile, counted, read
from tests.reference import Reference

HOUR = NOON_MS // HOUR_MS
DAY = NOON_MS // DAY_MS


class Kept:
    """A trend and the hash it is written to."""

    def __init__(self, meta: PartitionMeta | None = None) -> None:
        self.trend = Trend(meta or PartitionMeta(applied_offset=0))
        self.fields: dict[str, bytes] = {}

    def add(self, tally: Tally, meta: PartitionMeta) -> None:
        self.trend.add(tally, meta)
        write = self.trend.take()
        if write.restart:
            self.fields.clear()
        pairs = zip(write.fields[::2], write.fields[1::2], strict=True)
        self.fields.update({name.decode(): value for name, value in pairs})
        for name in write.gone:
            self.fields.pop(name.decode(), None)

    def resume(self, meta: PartitionMeta) -> None:
        names = current_fields(meta.stream_ms)
        stored = {name: self.fields[name] for name in names if name in self.fields}
        self.trend = Trend.resumed(meta, stored)

    def tiles(self) -> dict[str, Tile]:
        return read(self.fields)


class Told(Bench):
    """A partition without services, and its trend."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = Kept()

    def _keep(self, effects: Any) -> Any:
        self.kept.add(effects.tally, effects.meta)
        return super()._keep(effects)


def lived(log: Sequence[LogRecord], random: Random, forced: Sequence[SegmentChange] = ()) -> Told:
    """Fold a log in batches cut at random; take decisions over if there are any."""
    told, waiting = Told(), list(forced)
    removals = [change.source_offset for change in forced if change.current is None]
    records = records_of(
        [one.value for one in log],
        offsets=[one.offset for one in log],
        timestamps_ms=[one.timestamp_ms for one in log],
        keys=[one.key for one in log],
    )
    for part in batches(
        records, stream_ms=0, records_max=random.randint(1, 12), cut_after=removals
    ):
        values = [log[int(np.searchsorted(records.offsets, o))].value for o in part.offsets]
        options: dict[str, Any] = {
            "offsets": part.offsets.tolist(),
            "timestamps_ms": part.timestamps_ms.tolist(),
            "keys": part.keys,
        }
        if random.random() < 0.2:
            told.kept.resume(told.meta)  # another owner
        if forced:
            end = int(part.offsets[-1])
            due = [change for change in waiting if change.source_offset <= end]
            waiting = waiting[len(due) :]
            told.catch_up(*values, forced=due, **options)
            continue
        told.batch(*values, **options)
        if told.user_ids and random.random() < 0.3:
            told.sweep(told.meta.stream_ms)
    return told


def seen_of(log: Sequence[LogRecord]) -> list[Seen]:
    reference = Reference()
    for one in log:
        one.feed(reference)
    return [
        Seen(one.offset, one.timestamp_ms, one.value if isinstance(one.value, Event) else None, out)
        for one, out in zip(log, reference.outcomes, strict=True)
    ]


@pytest.mark.parametrize("seed", range(25))
def test_the_trend_is_what_a_recount_gives(seed: int) -> None:
    random = Random(seed)
    log = life(random)
    told = lived(log, random)
    assert told.kept.tiles() == counted(seen_of(log), told.changes)


@pytest.mark.parametrize("seed", range(25))
def test_taking_decisions_over_gives_the_same_trend_however_batches_are_cut(seed: int) -> None:
    random = Random(seed)
    log = life(random)
    first = lived(log, random)
    if first.changes:
        again = lived(log, random, forced=first.changes)
        assert again.kept.tiles() == first.kept.tiles()


def test_hours_lead_to_what_the_counters_say() -> None:
    told = Told()
    told.batch(*follows(6), *follows(1, user="bea"))
    told.batch(*follows(3, at_ms=NOON_MS + HOUR_MS), event("ad_click", at_ms=NOON_MS + HOUR_MS))
    start = decode_start(told.kept.fields["since"])
    tiles = told.kept.tiles()
    hours = [tile for name, tile in tiles.items() if name[0] == "h"]
    assert start.applied + sum(tile.outcomes["applied"] for tile in hours) == 11
    moves = sum(sum(tile.moves.values()) for tile in hours)
    assert start.sequence + moves == told.meta.sequence == 1


def test_an_event_counts_to_where_the_user_was_before_it() -> None:
    told = Told()
    told.batch(*follows(6), event("ad_impression"))  # assigned at the end of this batch
    told.batch(event("ad_impression"), event("conversion", amount=2.5))
    assert told.kept.tiles()[f"d{DAY}"].rates == {
        -1: [7, 1, 0, 0, 0, 0.0],
        2: [2, 1, 0, 0, 1, 2.5],
    }


def test_what_a_forgotten_user_does_next_counts_to_no_segment() -> None:
    told = Told()
    told.batch(profile(6))
    told.batch(event("ad_click"), event("forget"), event("ad_click"), event("ad_click"))
    rates = told.kept.tiles()[f"d{DAY}"].rates
    assert rates == {2: [1, 0, 1, 0, 0, 0.0], -1: [2, 0, 2, 0, 0, 0.0]}


def test_campaigns_are_counted_by_day_and_segment() -> None:
    told = Told()
    told.batch(
        profile(6),
        event("ad_impression", campaign_id="c1"),
        event("ad_click", campaign_id="c2", user="bea"),
        event("page_view", campaign_id="c3"),
        event("ad_click", campaign_id=""),
    )
    told.kept.resume(told.meta)
    told.batch(event("conversion", campaign_id="c1", amount=3.0))
    assert told.kept.tiles()[f"d{DAY}"].campaigns == {
        "c1": {-1: [1, 1, 0, 0, 0, 0.0], 2: [1, 0, 0, 0, 1, 3.0]},
        "c2": {-1: [1, 0, 1, 0, 0, 0.0]},
    }


def test_campaigns_beyond_the_limit_are_counted_together() -> None:
    kept, meta = Kept(), PartitionMeta(applied_offset=0)
    names = [f"c{number}" for number in range(CAMPAIGNS_PER_DAY_MAX + 20)]
    for chunk in (names[:150], ["x" * 129], names[150:], names[:1]):
        campaigns = {(name, 1): Rates(clicks=1) for name in chunk}
        kept.add(Tally(end_hour=HOUR, campaigns=campaigns), meta)
        kept.resume(PartitionMeta(applied_offset=0, stream_ms=NOON_MS))
    found = kept.tiles()[f"d{DAY}"].campaigns
    assert len(found) == CAMPAIGNS_PER_DAY_MAX + 1
    assert found["other"][1][2] == 21
    assert found["c0"][1][2] == 2


def test_hours_are_kept_for_two_weeks_and_days_for_longer() -> None:
    kept, meta = Kept(), PartitionMeta(applied_offset=0)
    for hour in (*range(HOURS_KEPT + 5), HOURS_KEPT + 9, 4 * HOURS_KEPT, 500 * 24):
        campaigns = {("c", 1): Rates(clicks=1)} if hour % 24 == 0 else {}
        tally = Tally(end_hour=hour, outcomes={hour: (1, 0, 0)}, campaigns=campaigns)
        kept.add(tally, meta)
        hours = sorted(int(name[1:]) for name in kept.fields if name[0] == "h")
        assert hours[0] > hour - HOURS_KEPT
        assert hours[-1] == hour
        if hour == HOURS_KEPT + 9:
            assert len(hours) == HOURS_KEPT - 4
            assert len([name for name in kept.fields if name[0] == "d"]) == 30
    assert {name for name in kept.fields if name[0] == "d"} == {"d500", "d500.0"}


def test_users_at_the_end_are_those_of_the_counters() -> None:
    told = Told()
    told.batch(*follows(6), *follows(1, user="bea"))
    stored = told.kept.fields[f"h{HOUR}"]
    tile = msgspec.msgpack.decode(stored, strict=False)
    assert (tile["users"], tile["unassigned"]) == ({2: 1}, 1)


def test_a_state_without_a_trend_begins_one_where_it_stands() -> None:
    meta = PartitionMeta(applied_offset=9, sequence=4, stream_ms=NOON_MS)
    meta.outcomes.applied = 9
    kept = Kept()
    kept.resume(meta)
    kept.add(Tally(end_hour=HOUR), meta)
    start = decode_start(kept.fields["since"])
    assert (start.sequence, start.applied, start.stream_ms) == (4, 9, NOON_MS)

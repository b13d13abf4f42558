"""Constructors in which only what a test sets is meaningful, and a partition held in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np

from consumer.catch_up import step_catch_up
from consumer.dead_letters import DeadLetter
from consumer.effects import Batch, Effects, Moment
from consumer.judge import Judged, Partitioning, judge
from consumer.meta import PartitionMeta
from consumer.population import Rules, counted
from consumer.records import Headers, Records, no_headers
from consumer.step import step_batch, step_sweep
from features.columns import build_columns
from features.events import Event, Metrics, encode_event
from features.slab import Slab
from features.tiles import DAY_MS, HOUR_MS
from segments.changes import SegmentChange, SegmentRef
from segments.model import NO_SEGMENT, CompiledModel
from tests.segments.models import model_with

NOON_MS = 1_795_521_600_000  # 2026-11-24 12:00 UTC, a Tuesday
MIDNIGHT_MS = NOON_MS + 12 * HOUR_MS
REMOVAL_MS = 90 * DAY_MS
ALONE = Partitioning(partition=0, partitions=1, event_bytes_max=1_000)

FEW, MANY, MOST = 1, 2, 3
"""Segments of `model`."""

_ids = count()


def event(kind: str = "page_view", user: str = "ann", at_ms: int = NOON_MS, **over: Any) -> Event:
    fields: dict[str, Any] = {
        "event_id": f"id-{next(_ids)}",
        "user_id": user,
        "type": kind,
        "timestamp": datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms),
    }
    if kind in ("session", "ad_engagement"):
        fields["duration_s"] = 1.0
    return Event(**(fields | over))


def follows(number: int, user: str = "ann", at_ms: int = NOON_MS) -> list[Event]:
    return [event("follow", user, at_ms) for _ in range(number)]


def profile(followed: float, user: str = "ann", at_ms: int = NOON_MS, **over: Any) -> Event:
    """It sets the number of followed accounts, by which `model` tells users apart."""
    return event("profile", user, at_ms, metrics=Metrics(followed_accounts=followed), **over)


def records_of(
    values: Sequence[Event | bytes | None],
    *,
    first: int = 0,
    offsets: Sequence[int] | None = None,
    timestamps_ms: Sequence[int] | None = None,
    keys: Sequence[bytes | None] | None = None,
    headers: Sequence[Headers] | None = None,
) -> Records:
    """Records as received: keyed by user, stamped with the event time, offsets without holes."""
    events = [value if isinstance(value, Event) else None for value in values]
    if timestamps_ms is None:
        timestamps_ms = [NOON_MS if e is None else ms_of(e) for e in events]
    return Records(
        offsets=np.array(range(first, first + len(values)) if offsets is None else offsets),
        timestamps_ms=np.array(timestamps_ms, np.int64),
        keys=[b"ann" if e is None else e.user_id.encode() for e in events]
        if keys is None
        else keys,
        values=[encode_event(value) if isinstance(value, Event) else value for value in values],
        headers=no_headers if headers is None else headers.__getitem__,
    )


def ms_of(one: Event) -> int:
    return (one.timestamp - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def judged(records: Records, **over: Any) -> Judged:
    arguments: dict[str, Any] = {"place": ALONE, "stream_ms": 0, "routed": ()}
    return judge(records, **(arguments | over))


def model(*, major: int = 1, minor: int = 0, feature: str = "followed_accounts") -> CompiledModel:
    """Three segments on one axis: log(1 + feature) near 0 is FEW, near 2 MANY, near 4 MOST.

    So 0 … 1 followed accounts are FEW, 2 … 19 MANY (6 is its middle), from 20 on MOST. With the
    hysteresis of 10 %, a move takes two looks, and a little more distance.
    """
    return CompiledModel(
        model_with(
            [[0.0], [2.0], [4.0]],
            features=(feature,),
            transforms=("log1p",),
            prior_weights=(0.0,),
            major=major,
            minor=minor,
            names=("few", "many", "most"),
        )
    )


def rules(**over: Any) -> Rules:
    fields = {"min_events": 5, "sample_interval_ms": 600_000, "removal_ms": REMOVAL_MS}
    return Rules(**(fields | over))


def change(**over: Any) -> SegmentChange:
    fields: dict[str, Any] = {
        "user_id": "ann",
        "previous": None,
        "current": SegmentRef(id=FEW, name="few"),
        "cause": "behaviour",
        "model_version": "1.0",
        "margin": 0.5,
        "reasons": [],
        "event_time": None,
        "changed_at": "2026-11-24T12:00:00.000Z",
        "user_version": 1,
        "sequence": 1,
        "source_offset": 0,
    }
    fields |= over
    return SegmentChange(change_id=f"0-{fields['sequence']}", **fields)


def dead_letter(**over: Any) -> DeadLetter:
    fields: dict[str, Any] = {
        "offset": 0,
        "timestamp_ms": NOON_MS,
        "key": b"ann",
        "value": b"{}",
        "headers": [],
        "reason": "missing_field",
        "detail": "event_id is missing",
    }
    return DeadLetter(**(fields | over))


@dataclass
class Bench:
    """One partition without services: a slab, the counters, and the steps applied to them.

    Attributes:
        meta: replaced by what each step says.
        model: None before the first release.
        rules: who is assigned, sampled, removed.
        changes: all changes so far.
    """

    meta: PartitionMeta = field(default_factory=lambda: PartitionMeta(applied_offset=0))
    model: CompiledModel | None = field(default_factory=model)
    rules: Rules = field(default_factory=rules)
    changes: list[SegmentChange] = field(default_factory=list)
    slab: Slab = field(default_factory=lambda: Slab(64))
    user_ids: list[str] = field(default_factory=list)

    def slot(self, user: str) -> int:
        if user not in self.user_ids:
            self.user_ids.append(user)
        return self.user_ids.index(user)

    def head(self, user: str = "ann") -> Any:
        return self.slab.head[self.slot(user)]

    def judged_batch(self, values: Sequence[Event | bytes | None], **options: Any) -> Batch:
        """Records that follow each other from the applied offset on."""
        dead_floor = options.pop("dead_floor", -1)
        records = records_of(values, **({"first": self.meta.applied_offset} | options))
        found = judged(records, stream_ms=self.meta.stream_ms)
        slots = [self.slot(user) for user in found.user_ids]
        return Batch(
            columns=build_columns(
                found.events, slots, found.stream_ms, self.slab.interests, time_ms=found.times_ms
            ),
            offsets=found.offsets,
            next_offset=int(records.offsets[-1]) + 1 if values else self.meta.applied_offset,
            stream_end_ms=found.stream_end_ms,
            dead=found.dead,
            dead_floor=dead_floor,
        )

    def batch(
        self, *values: Event | bytes | None, as_of_ms: int | None = None, **options: Any
    ) -> Effects:
        batch = self.judged_batch(values, **options)
        moment = self._moment(batch.stream_end_ms if as_of_ms is None else as_of_ms)
        return self._keep(
            step_batch(
                self.slab, self.user_ids, self.meta, batch, self.model, self.rules, moment
            )
        )  # fmt: skip

    def catch_up(
        self, *values: Event | bytes | None, forced: Sequence[SegmentChange] = (), **options: Any
    ) -> Effects:
        batch = self.judged_batch(values, **options)
        pairs = [(self.slot(one.user_id), one) for one in forced]
        moment = self._moment(max(batch.stream_end_ms, self.meta.as_of_ms))
        return self._keep(step_catch_up(self.slab, self.meta, batch, pairs, self.rules, moment))

    def sweep(self, as_of_ms: int, *users: str, queued: Sequence[str] = ()) -> Effects:
        """Look at users; at all of them if none is named."""
        slots = np.sort([self.slot(user) for user in users or self.user_ids])
        by_model = np.array([self.user_ids[slot] in queued for slot in slots], bool)
        return self._keep(
            step_sweep(
                self.slab, self.user_ids, self.meta, slots, by_model, self.model, self.rules,
                self._moment(as_of_ms),
            )
        )  # fmt: skip

    def recount(self) -> tuple[dict[int, int], int]:
        """Users by segment, and users without one, counted from the states."""
        slots = np.arange(len(self.user_ids))
        segments = self.slab.head["segment"][slots[counted(self.slab, slots)]].tolist()
        by_segment = {s: segments.count(s) for s in set(segments) - {NO_SEGMENT}}
        return by_segment, segments.count(NO_SEGMENT)

    def _moment(self, as_of_ms: int) -> Moment:
        return Moment(partition=0, as_of_ms=as_of_ms, now_ms=as_of_ms + 7)

    def _keep(self, effects: Effects) -> Effects:
        self.meta = effects.meta
        self.changes += effects.changes
        return effects

    def users(self, slots: Any) -> list[str]:
        return [self.user_ids[slot] for slot in slots.tolist()]

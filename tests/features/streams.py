"""Hypothesis strategies for streams of one partition, and folding them in batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
from hypothesis import strategies as st

from features.codec import decode, encode
from features.columns import build_columns, event_times_ms
from features.events import EVENT_TYPES, Event, EventType, Metrics, Traits, validate_event
from features.fold import Folded, fold
from features.slab import Slab

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
USERS = ("ann", "bob", "cyd")

Record = tuple[int, Event]
"""Record timestamp in ms, event."""

# Leap days (2000 had one, 2100 has none), year ends, the epoch, an ordinary Tuesday.
STARTS_MS = [
    int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000
    for text in (
        "1970-01-01T00:00:00",
        "1999-12-31T23:58:00",
        "2000-02-28T23:00:00",
        "2024-02-27T12:00:00",
        "2026-11-24T03:00:00",
        "2027-12-31T22:00:00",
        "2100-02-28T20:00:00",
    )
]

steps_ms = st.one_of(
    st.sampled_from([0, 1, MINUTE_MS, HOUR_MS, DAY_MS - 1, DAY_MS, 27 * DAY_MS, 28 * DAY_MS]),
    st.sampled_from([29 * DAY_MS, 90 * DAY_MS, 896 * DAY_MS, -MINUTE_MS, -DAY_MS]),
    st.integers(0, 2 * HOUR_MS),
    st.integers(0, 3 * DAY_MS),
)
# Event time minus record timestamp: never more than 5 minutes ahead, or it would be dead.
delays_ms = st.one_of(
    st.just(0),
    st.integers(-2 * HOUR_MS, 5 * MINUTE_MS),
    st.integers(-40 * DAY_MS, 0),
    st.sampled_from([5 * MINUTE_MS, -27 * DAY_MS, -28 * DAY_MS, -14 * DAY_MS, -DAY_MS]),
)

texts = st.one_of(
    st.sampled_from(["x", "yé", "\U0001f600"]), st.text(min_size=1, max_size=4)
).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
trait = st.one_of(st.none(), texts, st.lists(texts, max_size=3).map(tuple))
shares = st.one_of(st.none(), st.sampled_from([0.0, 0.05, 1.0]), st.floats(0.0, 1.0))
hours = st.one_of(st.none(), st.sampled_from([0.0, 24.0]), st.floats(0.0, 24.0))
metrics = st.builds(
    Metrics,
    weekday_hours=hours,
    weekend_hours=hours,
    likes_and_reactions=st.one_of(st.none(), st.sampled_from([0.0, 280.0])),
    followed_accounts=st.one_of(st.none(), st.sampled_from([0, 7, 7.0, 1e9])),
    ctr=shares,
    conversion_rate=shares,
    ad_seconds=st.one_of(st.none(), st.floats(0.0, 86_400.0)),
)
traits = st.builds(Traits, age=trait, location=trait, device=trait, interests=trait)

few_interests = [f"topic {i}" for i in range(5)]
many_interests = [f"topic {i}" for i in range(60)]


@st.composite
def events(draw: st.DrawFn, time_ms: int, types: Sequence[str], interests: list[str]) -> Event:
    """One valid event at a time."""
    event_type = draw(st.sampled_from(types))
    timed = event_type in ("session", "ad_engagement")
    profile = event_type == "profile"
    return validate_event(
        Event(
            event_id=f"id-{draw(st.integers(0, 40))}",
            user_id=draw(st.sampled_from(USERS)),
            type=cast(EventType, event_type),
            timestamp=datetime(1970, 1, 1, tzinfo=UTC)
            + timedelta(milliseconds=time_ms, microseconds=draw(st.sampled_from([0, 1, 999]))),
            device="desktop"
            if profile
            else draw(st.sampled_from([None, "mobile", "desktop", "tablet"])),
            interests=tuple(draw(st.lists(st.sampled_from(interests), max_size=8))),
            duration_s=draw(st.floats(0.001, 86_400.0)) if timed else None,
            amount=draw(st.one_of(st.none(), st.sampled_from([0.0, -0.0]), st.floats(0.0, 1e6))),
            traits=draw(st.one_of(st.none(), traits)) if profile else None,
            metrics=draw(st.one_of(st.none(), metrics)) if profile else None,
        )
    )


@st.composite
def streams(
    draw: st.DrawFn,
    types: Sequence[str] = EVENT_TYPES,
    interests: Sequence[str] = few_interests,
    max_size: int = 40,
) -> list[Record]:
    """Records of one partition in the order of their offsets; none of them dead."""
    now_ms = draw(st.sampled_from(STARTS_MS))
    records = []
    for _ in range(draw(st.integers(1, max_size))):
        now_ms = max(0, now_ms + draw(steps_ms))
        event = draw(events(now_ms + draw(delays_ms), types, list(interests)))
        records.append((now_ms, event))
    # Microseconds may push an event over the limit of 5 minutes ahead only within its millisecond.
    return records


@dataclass
class Folder:
    """Folds records into a slab, as a worker would, in whatever batches they come."""

    slab: Slab = field(default_factory=lambda: Slab(len(USERS)))
    stream_ms: int = 0
    outcomes: list[int] = field(default_factory=list)

    @property
    def slots(self) -> np.ndarray:
        """The rows of all users."""
        return np.arange(len(USERS))

    def fold(self, records: Sequence[Record]) -> Folded:
        """Fold one batch."""
        batch = [event for _, event in records]
        timestamps = np.array([self.stream_ms, *(ms for ms, _ in records)], np.int64)
        stream_ms = np.maximum.accumulate(timestamps)[1:]
        slots = [USERS.index(event.user_id) for event in batch]
        columns = build_columns(
            batch, slots, stream_ms, self.slab.interests, time_ms=event_times_ms(batch)
        )
        result = fold(self.slab, columns)
        self.outcomes += result.outcome.tolist()
        if len(records):
            self.stream_ms = int(stream_ms[-1])
        return result

    def encoded(self) -> list[bytes]:
        """The stored form of all users, made afresh."""
        self.slab.tails = [None] * self.slab.capacity
        return encode(self.slab, self.slots)

    def move_to_another_slab(self) -> None:
        """Store and read back all states, into rows that held others' before."""
        values = encode(self.slab, self.slots)
        fresh = Slab(len(USERS))
        fresh.interests.ids_of(["an interest of somebody else", *few_interests[::-1]])
        decode(fresh, self.slots, values)
        self.slab = fresh


def folded(records: Sequence[Record]) -> Folder:
    """Fold all records as one batch."""
    folder = Folder()
    folder.fold(records)
    return folder

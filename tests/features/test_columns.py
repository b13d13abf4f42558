"""Columns hold what the events say, with exact times."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.columns import build_columns, event_times_ms
from features.events import TYPE_CODES, Event, epoch_ms, event_id_hash
from features.slab import Interner


def at(timestamp: datetime, **fields: object) -> Event:
    values: dict[str, object] = {"event_id": "e", "user_id": "u", "type": "page_view", **fields}
    return Event(timestamp=timestamp, **values)  # type: ignore[arg-type]


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
timestamps = st.datetimes(
    datetime(2, 1, 1),  # noqa: DTZ001 - the offset comes from the strategy
    datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=offsets,
)


@settings(max_examples=200)
@given(st.lists(timestamps, max_size=5))
def test_times_are_exact_in_every_year(times: list[datetime]) -> None:
    events = [at(time) for time in times]
    assert event_times_ms(events).tolist() == [epoch_ms(time) for time in times]


@settings(max_examples=200)
@given(st.integers(-(10**15), 8 * 10**15))
def test_the_fast_path_is_exact_to_the_microsecond(microseconds: int) -> None:
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    assert event_times_ms([at(time)]).tolist() == [microseconds // 1000]


def test_each_column_holds_its_field() -> None:
    time = datetime(2026, 11, 24, 3, tzinfo=UTC)
    events = [
        at(time, device="mobile", interests=("a", "b", "a"), event_id="first"),
        at(time, type="session", duration_s=12.5),
        at(time, type="conversion", amount=19.9, device="tablet"),
        at(time, type="profile", device="desktop", interests=("c",)),
        at(time, interests=("b",)),
    ]
    interner = Interner()
    columns = build_columns(events, [4, 3, 2, 1, 0], [7, 7, 8, 9, 9], interner)
    assert len(columns) == 5
    assert columns.slot.tolist() == [4, 3, 2, 1, 0]
    assert columns.stream_ms.tolist() == [7, 7, 8, 9, 9]
    assert columns.type_code.tolist() == [TYPE_CODES[event.type] for event in events]
    assert columns.device.tolist() == [1, 0, 3, 0, 0]
    assert columns.duration_s.tolist() == [0.0, 12.5, 0.0, 0.0, 0.0]
    assert columns.amount.tolist() == [0.0, 0.0, 19.9, 0.0, 0.0]
    assert int(columns.id_hash[0]) == event_id_hash("first")
    assert columns.interest_row.tolist() == [0, 0, 0, 4]
    assert [interner.names[i] for i in columns.interest_id] == ["a", "b", "a", "b"]
    assert list(columns.profiles) == [3]
    assert columns.profiles[3].traits.interests == ("c",)
    assert columns.profiles[3].traits.device == "desktop"


def test_no_events_make_empty_columns() -> None:
    columns = build_columns([], [], [], Interner())
    assert len(columns) == 0
    assert columns.slot.dtype == np.int64

"""Where a run of records is cut into batches, and the stream time at each record."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer import records as module
from consumer.records import Records, batches, stream_times
from features.tiles import DAY_MS
from tests.consumer.builders import MIDNIGHT_MS, NOON_MS, records_of


def cut(
    records: Records, *, stream_ms: int = 0, records_max: int = 100, after: list[int]
) -> list[list[int]]:
    found = batches(records, stream_ms=stream_ms, records_max=records_max, cut_after=after)
    return [batch.offsets.tolist() for batch in found]


def five(**over: Any) -> Records:
    return records_of([b"0", b"1", b"2", b"3", b"4"], **over)


def test_no_records_are_no_batch() -> None:
    assert cut(records_of([]), after=[3]) == []


def test_a_run_within_a_day_is_one_batch() -> None:
    records = five()
    assert next(batches(records, stream_ms=0, records_max=5)) is records


def test_a_batch_has_at_most_so_many_records() -> None:
    assert cut(five(), records_max=2, after=[]) == [[0, 1], [2, 3], [4]]


def test_a_batch_ends_at_a_midnight_of_stream_time() -> None:
    times = [NOON_MS, MIDNIGHT_MS - 1, MIDNIGHT_MS, NOON_MS, MIDNIGHT_MS + DAY_MS]
    assert cut(five(timestamps_ms=times), after=[]) == [[0, 1], [2, 3], [4]]


def test_records_from_before_midnight_do_not_cut_again() -> None:
    times = [NOON_MS, MIDNIGHT_MS, NOON_MS, NOON_MS, MIDNIGHT_MS]
    assert cut(five(timestamps_ms=times), stream_ms=MIDNIGHT_MS, after=[]) == [[0, 1, 2, 3, 4]]


def test_a_batch_ends_after_a_given_offset_and_in_a_hole_before_the_next_record() -> None:
    records = five(offsets=[10, 20, 30, 40, 50])
    assert cut(records, after=[20]) == [[10, 20], [30, 40, 50]]
    assert cut(records, after=[25, 40]) == [[10, 20], [30, 40], [50]]
    assert cut(records, after=[-1, 5, 50, 60]) == [[10, 20, 30, 40, 50]]


def test_the_most_records_count_from_each_cut() -> None:
    assert cut(five(), records_max=2, after=[0]) == [[0], [1, 2], [3, 4]]


def test_a_batch_has_at_most_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_BYTES_MAX", 10)
    values = [b"x" * 3, None, b"x" * 4, b"x", b"x" * 20, b"x", b"x" * 7]
    records = records_of(values, keys=[b"k", b"k", b"k", b"k", None, None, b"kk"])
    assert cut(records, after=[]) == [[0, 1, 2], [3], [4], [5, 6]]


def test_a_part_keeps_everything_of_its_records() -> None:
    records = records_of(
        [b"a", None, b"c"],
        offsets=[4, 5, 9],
        timestamps_ms=[1, 2, 3],
        keys=[b"k", None, b"m"],
        headers=[[], [], [("h", b"v")]],
    )
    part = records.part(1, 3)
    assert len(part) == 2
    assert part.offsets.tolist() == [5, 9]
    assert part.timestamps_ms.tolist() == [2, 3]
    assert (list(part.keys), list(part.values)) == ([None, b"m"], [None, b"c"])
    assert part.headers(1) == [("h", b"v")]
    assert part.part(1, 2).headers(0) == [("h", b"v")]


def test_runs_of_one_fetch_are_joined() -> None:
    first = records_of([b"a"], headers=[[("h", b"1")]])
    later = records_of([b"b", None], first=7, keys=[b"x", None], headers=[[], [("h", b"2")]])
    joined = first.followed_by(later)
    assert joined.offsets.tolist() == [0, 7, 8]
    assert joined.timestamps_ms.tolist() == [NOON_MS] * 3
    assert (list(joined.keys), list(joined.values)) == ([b"ann", b"x", None], [b"a", b"b", None])
    assert [joined.headers(i) for i in range(3)] == [[("h", b"1")], [], [("h", b"2")]]


def test_records_have_no_headers_unless_given() -> None:
    assert five().headers(3) == []


def test_stream_time_is_the_highest_timestamp_so_far() -> None:
    records = five(timestamps_ms=[5, 3, 9, 8, 9])
    assert stream_times(records, 0).tolist() == [5, 5, 9, 9, 9]
    assert stream_times(records, 7).tolist() == [7, 7, 9, 9, 9]


@given(
    steps=st.lists(st.integers(-DAY_MS, DAY_MS), min_size=1, max_size=30),
    stream_ms=st.sampled_from([0, NOON_MS, NOON_MS + 5 * DAY_MS]),
    records_max=st.integers(1, 10),
    after=st.lists(st.integers(-1, 40), max_size=4),
)
def test_batches_are_the_records_in_order_and_never_cross_a_cut(
    steps: list[int], stream_ms: int, records_max: int, after: list[int]
) -> None:
    times = (NOON_MS + np.cumsum(steps)).tolist()
    records = records_of([b"%d" % i for i in range(len(steps))], timestamps_ms=times)
    found = list(batches(records, stream_ms=stream_ms, records_max=records_max, cut_after=after))
    assert [value for batch in found for value in batch.values] == records.values
    for batch in found:
        assert 1 <= len(batch) <= records_max
        first, last = int(batch.offsets[0]), int(batch.offsets[-1])
        assert not any(first <= offset < last for offset in after)
        days = stream_times(batch, stream_ms) // DAY_MS
        assert len(set(days.tolist())) == 1
        stream_ms = int(stream_times(batch, stream_ms)[-1])

from consumer.backlog import GO_ON_RECORDS, HOLD_RECORDS, PATIENCE_S, Backlog, Standing
from consumer.records import Records
from features.tiles import DAY_MS
from tests.consumer.builders import records_of

START = Standing(stream_ms=0, at_end=False)
ENDED = Standing(stream_ms=0, at_end=True)


def days(*wanted: int) -> Records:
    return records_of([b"x"] * len(wanted), timestamps_ms=[day * DAY_MS for day in wanted])


def taken(backlog: Backlog, standings: dict[int, Standing], now_s: float = 0.0) -> list[object]:
    """Take everything that may be taken: (partition, days) in order."""
    found: list[object] = []
    while (one := backlog.next(standings, now_s)) is not None:
        number, records = one
        found.append((number, (records.timestamps_ms // DAY_MS).tolist()))
        latest = Standing(int(records.timestamps_ms[-1]), standings[number].at_end)
        standings = standings | {number: latest}
    return found


def test_live_records_are_taken_at_once_and_whole() -> None:
    backlog = Backlog(in_step=False)
    backlog.add(3, days(1, 2, 5))
    backlog.add(1, days(1))
    assert taken(backlog, {1: START, 2: START, 3: START}) == [(3, [1, 2, 5]), (1, [1])]
    assert len(backlog) == 0


def test_history_is_taken_day_by_day_across_partitions() -> None:
    backlog = Backlog(in_step=True)
    backlog.add(0, days(1, 1, 2, 3))
    backlog.add(1, days(1, 3))
    assert taken(backlog, {0: ENDED, 1: ENDED}) == [
        (0, [1, 1]), (1, [1]), (0, [2]), (0, [3]), (1, [3]),
    ]  # fmt: skip


def test_a_day_waits_for_a_partition_that_has_more_to_come() -> None:
    backlog = Backlog(in_step=True)
    backlog.add(0, days(1, 2))
    assert taken(backlog, {0: START, 1: Standing(1 * DAY_MS, at_end=False)}) == [(0, [1])]
    assert len(backlog) == 1


def test_a_partition_at_its_end_is_not_waited_for() -> None:
    backlog = Backlog(in_step=True)
    backlog.add(0, days(1, 2))
    assert taken(backlog, {0: START, 1: ENDED}) == [(0, [1]), (0, [2])]


def test_a_partition_that_stays_silent_is_not_waited_for_for_ever() -> None:
    backlog = Backlog(in_step=True)
    backlog.add(0, days(5))
    standings = {0: START, 1: START}
    assert backlog.next(standings, 100.0) is None
    assert backlog.next(standings, 100.0 + PATIENCE_S) is None
    assert backlog.next(standings, 100.1 + PATIENCE_S) is not None


def test_stream_time_does_not_go_back_with_an_older_record_timestamp() -> None:
    backlog = Backlog(in_step=True)
    backlog.add(0, days(1, 4, 2, 5))
    assert taken(backlog, {0: ENDED}) == [(0, [1]), (0, [4, 2]), (0, [5])]


def test_later_records_are_put_behind_those_that_wait() -> None:
    backlog = Backlog(in_step=True)
    backlog.add(0, days(1))
    backlog.add(0, days(1, 2))
    assert taken(backlog, {0: ENDED}) == [(0, [1, 1]), (0, [2])]


def test_what_was_dropped_is_gone() -> None:
    backlog = Backlog(in_step=True)
    backlog.add(0, days(1))
    backlog.drop(0)
    assert taken(backlog, {0: ENDED}) == []
    assert not backlog.has(0)


def test_a_partition_far_ahead_is_held_once_and_released_once() -> None:
    backlog = Backlog(in_step=True)
    backlog.add(0, days(*[1] * (HOLD_RECORDS - GO_ON_RECORDS), *[2] * GO_ON_RECORDS))
    assert backlog.to_hold() == [0]
    assert backlog.to_hold() == []
    assert backlog.to_release() == []
    assert backlog.next({0: ENDED}, 0.0) is not None
    assert backlog.to_release() == [0]
    assert backlog.to_release() == []

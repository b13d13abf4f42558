"""Who moves where, and the numbered messages that say so."""

import numpy as np
import pytest

from consumer.decisions import Decision, number
from consumer.meta import PartitionMeta
from segments.model import NO_SEGMENT
from tests.consumer.builders import FEW, MANY, MOST, Bench, event, follows, model, profile


def decision(user: str, **over: object) -> Decision:
    fields: dict[str, object] = {
        "user_id": user,
        "previous": FEW,
        "current": MANY,
        "cause": "behaviour",
        "user_version": 1,
        "source_offset": 0,
    }
    return Decision(**(fields | over))  # type: ignore[arg-type]


def numbered(*decisions: Decision, sequence: int = 0) -> list[tuple[str, int, int]]:
    meta = PartitionMeta(applied_offset=0, sequence=sequence)
    changes = number(list(decisions), meta, model(), partition=4, now_ms=0)
    assert meta.sequence == sequence + len(decisions)
    assert [change.change_id for change in changes] == [f"4-{c.sequence}" for c in changes]
    return [(change.user_id, change.sequence, change.source_offset) for change in changes]


def test_numbers_go_on_from_the_last_one() -> None:
    assert numbered(decision("ann"), decision("bob"), sequence=41) == [
        ("ann", 42, 0),
        ("bob", 43, 0),
    ]


def test_the_order_is_that_of_the_records() -> None:
    found = numbered(*[decision(str(at), source_offset=at) for at in (5, 3, 9)])
    assert found == [("3", 1, 3), ("5", 2, 5), ("9", 3, 9)]


def test_leaving_comes_before_arriving_at_the_same_record() -> None:
    found = numbered(decision("ann"), decision("bob", current=NO_SEGMENT), decision("cyd"))
    assert [user for user, *_ in found] == ["bob", "ann", "cyd"]


def test_a_message_names_segments_as_the_model_does() -> None:
    meta = PartitionMeta(applied_offset=0)
    moved = decision("ann", event_ms=1_000, margin=0.25)
    gone = decision("bob", previous=99, current=NO_SEGMENT)
    left, change = number([moved, gone], meta, model(minor=7), partition=0, now_ms=2_000)
    assert change.previous is not None
    assert change.current is not None
    assert (change.previous.name, change.current.name) == ("few", "many")
    assert (change.model_version, change.margin) == ("1.7", 0.25)
    assert change.event_time == "1970-01-01T00:00:01.000Z"
    assert change.changed_at == "1970-01-01T00:00:02.000Z"
    assert left.previous is not None
    assert (left.previous.id, left.previous.name) == (99, "segment 99")
    assert (left.current, left.event_time, left.margin) == (None, None, None)


def test_reasons_are_parts_of_the_difference_of_the_squared_distances() -> None:
    bench = Bench()
    bench.batch(profile(0))
    bench.batch(profile(6))
    [change] = bench.batch(event()).changes
    z = np.log1p(6.0)
    [reason] = change.reasons
    assert reason.contribution == pytest.approx(z**2 - (z - 2.0) ** 2)
    assert reason.value == 6.0
    assert change.margin == pytest.approx(1 - (2.0 - z) / z)


def test_a_first_segment_is_explained_against_the_mean() -> None:
    bench = Bench()
    [change] = bench.batch(*follows(6)).changes
    z = np.log1p(6.0)
    assert change.reasons[0].contribution == pytest.approx(z**2 - (z - 2.0) ** 2)


def test_a_user_of_a_segment_that_is_no_more_moves_at_once() -> None:
    bench = Bench()
    bench.batch(profile(100))
    bench.head()["segment"] = 77
    [change] = bench.batch(event()).changes
    assert change.previous is not None
    assert change.current is not None
    assert (change.previous.name, change.current.id) == ("segment 77", MOST)


def test_many_users_are_observed_as_each_alone() -> None:
    together, levels = Bench(), [0, 1, 2, 6, 19, 20, 400]
    together.batch(*[profile(level, f"user {level}") for level in levels])
    for level in levels:
        alone = Bench()
        alone.batch(profile(level, "x"))
        assert together.head(f"user {level}")["segment"] == alone.head("x")["segment"]

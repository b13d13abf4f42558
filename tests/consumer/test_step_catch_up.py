"""Catching up: what is published already is taken over exactly, and nothing is decided."""

import numpy as np
import pytest

from features import codec
from features.events import Event
from segments.changes import SegmentChange, SegmentRef
from segments.model import NO_SEGMENT
from tests.consumer.builders import (
    FEW,
    MANY,
    MIDNIGHT_MS,
    MOST,
    NOON_MS,
    REMOVAL_MS,
    Bench,
    change,
    event,
    follows,
    profile,
)


def to(segment: int | None, **over: object) -> SegmentChange:
    current = None if segment is None else SegmentRef(id=segment, name="?")
    return change(current=current, **over)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_published_changes_are_taken_over(bench: Bench) -> None:
    effects = bench.catch_up(
        event(),
        event(user="bob"),
        forced=[
            to(MOST, sequence=7, user_version=3, source_offset=0),
            to(FEW, user_id="bob", sequence=8, user_version=1, source_offset=1),
        ],
    )
    assert (bench.head()["segment"], bench.head()["user_version"]) == (MOST, 3)
    assert (bench.head("bob")["segment"], bench.head("bob")["user_version"]) == (FEW, 1)
    assert bench.meta.sequence == 8
    assert bench.meta.users == {MOST: 1, FEW: 1}
    assert bench.users(effects.written) == ["ann", "bob"]
    assert effects.due_ms.tolist() == [MIDNIGHT_MS] * 2


def test_nothing_is_decided(bench: Bench) -> None:
    effects = bench.catch_up(profile(0), *follows(6, "bob"))
    assert (effects.changes, effects.samples) == ([], [])
    assert bench.head()["segment"] == NO_SEGMENT
    assert bench.meta.sequence == 0
    assert bench.meta.unassigned == 2


def test_records_are_counted_and_folded_as_ever(bench: Bench) -> None:
    other = Bench(model=None)
    once = event(event_id="once")
    values: list[Event | bytes | None] = [
        once,
        once,
        event("session"),
        b"{",
        event(user="bob", at_ms=0),
    ]
    times = [NOON_MS] * len(values)
    effects = bench.catch_up(*values, timestamps_ms=times)
    other.batch(*values, timestamps_ms=times)
    assert bench.meta == other.meta
    slots = np.arange(2)
    assert codec.encode(bench.slab, slots) == codec.encode(other.slab, slots)
    assert [letter.offset for letter in effects.dead] == [3]


def test_the_last_of_several_changes_of_a_user_stands(bench: Bench) -> None:
    bench.catch_up(
        event(),
        event(),
        forced=[to(FEW, sequence=1, user_version=1), to(MANY, sequence=2, user_version=2)],
    )
    assert (bench.head()["segment"], bench.head()["user_version"]) == (MANY, 2)
    assert bench.meta.users == {MANY: 1}


def test_a_waiting_candidate_is_dropped(bench: Bench) -> None:
    bench.batch(profile(0))
    bench.batch(profile(6))
    assert bench.head()["candidate_count"] == 1
    bench.catch_up(event(), forced=[to(MOST, sequence=2, user_version=2)])
    assert (bench.head()["candidate"], bench.head()["candidate_count"]) == (NO_SEGMENT, 0)


def test_who_has_no_record_in_the_batch_is_moved_too(bench: Bench) -> None:
    bench.batch(profile(0))
    effects = bench.catch_up(
        event(user="bob"), forced=[to(MOST, sequence=2, user_version=2, cause="expiry")]
    )
    assert bench.users(effects.written) == ["ann", "bob"]
    assert bench.head()["segment"] == MOST


def test_a_sweep_is_taken_over_without_records(bench: Bench) -> None:
    bench.batch(profile(0))
    before = bench.meta
    bench.catch_up(forced=[to(MOST, sequence=2, user_version=2, cause="expiry")])
    assert (bench.meta.sequence, bench.meta.users) == (2, {MOST: 1})
    assert bench.meta.applied_offset == before.applied_offset
    assert bench.meta.stream_ms == before.stream_ms
    assert bench.meta.outcomes == before.outcomes


def test_a_removal_is_taken_over(bench: Bench) -> None:
    bench.batch(profile(0))
    gone = to(None, sequence=2, user_version=2, cause="expiry")
    effects = bench.catch_up(event(user="bob", at_ms=NOON_MS + REMOVAL_MS), forced=[gone])
    assert bench.users(effects.removed) == ["ann"]
    assert bench.users(effects.written) == bench.users(effects.due_slots) == ["bob"]
    assert (bench.meta.users, bench.meta.unassigned) == ({}, 1)
    assert bench.head()["applied"] == 0


def test_a_forget_is_taken_over(bench: Bench) -> None:
    bench.batch(profile(0))
    left = to(None, sequence=2, user_version=2, cause="forget", source_offset=1)
    effects = bench.catch_up(event("forget"), forced=[left])
    assert not len(effects.removed)  # that they were forgotten is kept
    assert bench.users(effects.written) == ["ann"]
    assert bench.head()["segment"] == NO_SEGMENT
    assert bench.meta.users_seen == 0


def test_assigned_and_then_forgotten_in_one_catch_up_batch_ends_without_a_segment(
    bench: Bench,
) -> None:
    bench.catch_up(
        *follows(5),
        event("forget"),
        forced=[
            to(MANY, sequence=1, user_version=1, source_offset=4),
            to(None, sequence=2, user_version=2, source_offset=5, cause="forget"),
        ],
    )
    assert (bench.head()["segment"], bench.head()["user_version"]) == (NO_SEGMENT, 0)
    assert (bench.meta.users, bench.meta.unassigned) == ({}, 0)


def test_a_new_start_after_a_forget_is_taken_over(bench: Bench) -> None:
    bench.batch(profile(0))
    bench.catch_up(
        event("forget"),
        *follows(6),
        forced=[
            to(None, sequence=2, user_version=2, source_offset=1, cause="forget"),
            to(MANY, sequence=3, user_version=1, source_offset=7),
        ],
    )
    assert (bench.head()["segment"], bench.head()["user_version"]) == (MANY, 1)
    assert bench.head()["applied"] == 6
    assert bench.recount() == (bench.meta.users, bench.meta.unassigned) == ({MANY: 1}, 0)


def test_who_was_seeded_keeps_the_segment_over_a_forget_that_is_older_than_it(
    bench: Bench,
) -> None:
    """Redis was emptied; the log still has a forget, after which the user came back."""
    bench.head()["segment"], bench.head()["user_version"] = MANY, 4
    bench.meta.users = {MANY: 1}
    bench.catch_up(event("forget"), *follows(6))
    assert (bench.head()["segment"], bench.head()["user_version"]) == (MANY, 4)


def test_the_meta_given_is_not_changed(bench: Bench) -> None:
    before, unchanged = bench.meta, bench.meta.copy()
    bench.catch_up(event(), b"{", forced=[to(MANY)])
    assert before == unchanged


def test_published_dead_letters_are_counted_and_not_published_again(bench: Bench) -> None:
    effects = bench.catch_up(b"{", b"{", dead_floor=0)
    assert [letter.offset for letter in effects.dead] == [1]
    assert bench.meta.outcomes.dead == {"not_json": 2}


def test_after_catching_up_decisions_go_on_from_there(bench: Bench) -> None:
    bench.catch_up(*follows(5), forced=[to(FEW, sequence=9, user_version=3, source_offset=4)])
    bench.batch(event())
    [moved] = bench.batch(event()).changes
    assert moved.previous is not None
    assert (moved.previous.id, moved.sequence, moved.user_version) == (FEW, 10, 4)

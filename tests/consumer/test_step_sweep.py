"""A sweep: users whose windows moved on without an event."""

import pytest

from features.tiles import DAY_MS
from segments.model import NO_SEGMENT
from tests.consumer.builders import (
    FEW,
    MANY,
    MIDNIGHT_MS,
    NOON_MS,
    REMOVAL_MS,
    Bench,
    event,
    follows,
    model,
    profile,
    rules,
)


@pytest.fixture
def fading() -> Bench:
    """Ann is in MANY by six page views a day, the first of which is today."""
    bench = Bench(model=model(feature="page_views_per_day"))
    bench.batch(*[event() for _ in range(6)])
    assert bench.head()["segment"] == MANY
    return bench


def test_one_look_of_the_sweep_is_enough_to_move(fading: Bench) -> None:
    assert fading.sweep(NOON_MS + DAY_MS).changes == []  # 3 a day is still MANY
    [change] = fading.sweep(NOON_MS + 5 * DAY_MS).changes  # 1 a day
    assert (change.cause, change.sequence, change.user_version) == ("expiry", 2, 2)
    assert change.previous is not None
    assert change.current is not None
    assert (change.previous.id, change.current.id) == (MANY, FEW)
    assert (change.source_offset, change.event_time) == (5, None)
    assert fading.head()["since_ms"] == NOON_MS + 5 * DAY_MS
    assert fading.meta.users == {FEW: 1}


def test_a_sweep_reads_no_record(fading: Bench) -> None:
    before, unchanged = fading.meta, fading.meta.copy()
    fading.sweep(NOON_MS + 5 * DAY_MS)
    after = fading.meta
    assert before == unchanged
    assert after.applied_offset == before.applied_offset
    assert after.stream_ms == before.stream_ms
    assert after.outcomes == before.outcomes
    assert after.commits == before.commits + 1
    assert after.as_of_ms == NOON_MS + 5 * DAY_MS


def test_only_changed_states_are_written_but_everybody_is_due_again(fading: Bench) -> None:
    fading.batch(event(user="bob"))
    effects = fading.sweep(MIDNIGHT_MS)
    assert not len(effects.written)
    assert fading.users(effects.due_slots) == ["ann", "bob"]
    assert effects.due_ms.tolist() == [MIDNIGHT_MS + DAY_MS] * 2
    assert fading.users(fading.sweep(NOON_MS + 5 * DAY_MS).written) == ["ann"]


def test_a_sweep_takes_no_samples(fading: Bench) -> None:
    assert fading.sweep(NOON_MS + 5 * DAY_MS).samples == []


def test_an_empty_window_is_looked_at_again_only_for_removal(fading: Bench) -> None:
    last = fading.sweep(NOON_MS + 27 * DAY_MS)
    assert last.due_ms.tolist() == [MIDNIGHT_MS + 27 * DAY_MS]
    empty = fading.sweep(MIDNIGHT_MS + 27 * DAY_MS)
    assert empty.due_ms.tolist() == [NOON_MS + REMOVAL_MS]


def test_a_new_model_queues_everybody() -> None:
    bench = Bench(model=None)
    bench.batch(*follows(5), *[event(user="bob") for _ in range(5)], event(user="cyd"))
    bench.sweep(NOON_MS)
    assert bench.changes == []
    bench.model = model()
    bench.sweep(NOON_MS, queued=["ann", "cyd"])
    assert [(c.user_id, c.cause, c.previous) for c in bench.changes] == [
        ("ann", "model", None),
        ("bob", "expiry", None),
    ]
    assert bench.recount() == (bench.meta.users, bench.meta.unassigned) == ({MANY: 1, FEW: 1}, 1)


def test_a_batch_and_a_sweep_are_looks_in_a_row() -> None:
    bench = Bench()
    bench.batch(*[event() for _ in range(5)])
    bench.batch(*follows(6))
    [change] = bench.sweep(NOON_MS).changes
    assert (change.cause, bench.head()["candidate_count"]) == ("expiry", 0)


def test_silent_users_are_removed() -> None:
    bench = Bench()
    bench.batch(profile(0), event(user="bob"), profile(0, "cyd", NOON_MS + 1))
    effects = bench.sweep(NOON_MS + REMOVAL_MS)
    assert bench.users(effects.removed) == ["ann", "bob"]
    [change] = effects.changes
    assert (change.user_id, change.current, change.cause) == ("ann", None, "expiry")
    assert (change.user_version, change.source_offset, change.event_time) == (2, 2, None)
    assert bench.users(effects.due_slots) == ["cyd"]
    assert not len(effects.written)
    assert bench.meta.users == {FEW: 1}
    assert bench.meta.unassigned == 0
    assert bench.head()["segment"] == NO_SEGMENT


def test_how_long_a_silent_user_is_kept_is_a_rule() -> None:
    bench = Bench(rules=rules(removal_ms=DAY_MS))
    bench.batch(event())
    assert not len(bench.sweep(NOON_MS + DAY_MS - 1).removed)
    assert len(bench.sweep(NOON_MS + DAY_MS).removed)


def test_the_state_of_a_forgotten_user_goes_without_a_change() -> None:
    bench = Bench()
    bench.batch(event("forget"))
    effects = bench.sweep(NOON_MS + REMOVAL_MS)
    assert bench.users(effects.removed) == ["ann"]
    assert effects.changes == []


def test_a_removed_user_starts_anew() -> None:
    bench = Bench()
    bench.batch(profile(0))
    bench.sweep(NOON_MS + REMOVAL_MS)
    bench.batch(profile(6, at_ms=NOON_MS + REMOVAL_MS))
    assert [(c.user_version, c.current is None) for c in bench.changes] == [
        (1, False),
        (2, True),
        (1, False),
    ]
    assert bench.head()["applied"] == 1


def test_removals_are_numbered_before_moves(fading: Bench) -> None:
    fading.batch(profile(0, "old", at_ms=NOON_MS - 27 * DAY_MS), timestamps_ms=[NOON_MS])
    fading.rules = rules(removal_ms=28 * DAY_MS)
    fading.batch(*[event("page_view", "bob", NOON_MS) for _ in range(6)])
    effects = fading.sweep(NOON_MS + 6 * DAY_MS)
    assert [(c.user_id, c.sequence) for c in effects.changes] == [
        ("old", 4),
        ("ann", 5),
        ("bob", 6),
    ]


def test_without_a_model_a_sweep_only_removes() -> None:
    bench = Bench(model=None)
    bench.batch(profile(0), profile(0, "bob", NOON_MS + DAY_MS))
    effects = bench.sweep(NOON_MS + REMOVAL_MS)
    assert (effects.changes, bench.users(effects.removed)) == ([], ["ann"])
    assert bench.meta.unassigned == 1

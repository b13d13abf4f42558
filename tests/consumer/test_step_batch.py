"""A batch of records: what is applied, decided, counted, sampled, and when to look again."""

import pytest

from features.events import Traits, event_id_hash
from features.slab import FORGOTTEN
from features.tiles import DAY_MS
from segments.model import NO_SEGMENT
from segments.samples import decode_sample
from tests.consumer.builders import (
    FEW,
    MANY,
    MIDNIGHT_MS,
    MOST,
    NOON_MS,
    REMOVAL_MS,
    Bench,
    event,
    follows,
    model,
    profile,
    rules,
)

MINUTE_MS = 60_000


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def at_home() -> Bench:
    """Ann is in FEW after five page views (offsets 0 to 4)."""
    bench = Bench()
    bench.batch(*[event() for _ in range(5)])
    return bench


def test_the_fifth_event_gives_a_first_segment(bench: Bench) -> None:
    assert bench.batch(*follows(4)).changes == []
    [change] = bench.batch(event("follow", at_ms=NOON_MS + 5), event("page_view", "bob")).changes
    assert (change.change_id, change.sequence, change.user_version) == ("0-1", 1, 1)
    assert (change.user_id, change.previous, change.cause) == ("ann", None, "behaviour")
    assert change.current is not None
    assert (change.current.id, change.current.name) == (MANY, "many")
    assert (change.source_offset, change.event_time) == (4, "2026-11-24T12:00:00.005Z")
    assert (change.model_version, change.changed_at) == ("1.0", "2026-11-24T12:00:00.012Z")
    assert [reason.feature for reason in change.reasons] == ["followed_accounts"]
    assert change.reasons[0].value == 5.0
    assert change.margin is not None
    assert 0 < change.margin <= 1


def test_how_many_events_it_takes_is_a_rule() -> None:
    bench = Bench(rules=rules(min_events=2))
    assert bench.batch(event()).changes == []
    assert len(bench.batch(event()).changes) == 1


def test_a_profile_with_metrics_is_enough(bench: Bench) -> None:
    [change] = bench.batch(profile(100)).changes
    assert change.cause == "profile"
    assert bench.head()["segment"] == MOST


def test_a_profile_with_traits_only_is_not_enough(bench: Bench) -> None:
    assert bench.batch(event("profile", traits=Traits(age="25-34"))).changes == []


def test_the_last_applied_record_of_the_batch_names_the_cause(bench: Bench) -> None:
    bench.batch(profile(0))
    bench.batch(profile(100))
    [by_profile] = bench.batch(event(), profile(101)).changes
    assert by_profile.cause == "profile"
    bench.batch(profile(0))
    [by_event] = bench.batch(profile(1), event()).changes
    assert by_event.cause == "behaviour"


def test_who_waited_for_the_first_model_moves_because_of_it(bench: Bench) -> None:
    bench.model = None
    bench.batch(*[event() for _ in range(5)], *[event(user="bob") for _ in range(4)])
    assert bench.changes == []
    assert bench.meta.unassigned == 2
    bench.model = model()
    bench.batch(event(), event(user="bob"))
    assert [(c.user_id, c.cause) for c in bench.changes] == [("ann", "model"), ("bob", "behaviour")]


def test_a_move_takes_two_batches(at_home: Bench) -> None:
    assert at_home.batch(*follows(6)).changes == []
    assert at_home.head()["candidate"] == MANY
    [change] = at_home.batch(event()).changes
    assert (change.sequence, change.user_version, change.cause) == (2, 2, "behaviour")
    assert change.previous is not None
    assert change.previous.id == FEW
    assert at_home.head()["segment"] == MANY
    assert at_home.head()["since_ms"] == NOON_MS


def test_coming_back_between_two_batches_starts_the_count_anew(at_home: Bench) -> None:
    at_home.batch(*follows(6))
    at_home.batch(*[event("unfollow") for _ in range(6)])
    assert at_home.batch(*follows(6)).changes == []
    assert len(at_home.batch(event()).changes) == 1


def test_many_records_of_one_batch_are_one_look(at_home: Bench) -> None:
    assert at_home.batch(*follows(60)).changes == []


def test_changes_are_numbered_in_the_order_of_their_records(bench: Bench) -> None:
    bench.batch(event(user="cyd"), event(user="bob"), event(user="ann"))
    effects = bench.batch(profile(0, "bob"), profile(0, "ann"), profile(0, "cyd"), event())
    assert [(c.user_id, c.sequence) for c in effects.changes] == [
        ("bob", 1),
        ("cyd", 2),
        ("ann", 3),
    ]
    assert [c.source_offset for c in effects.changes] == [3, 5, 6]


def test_a_forgotten_user_leaves_their_segment(at_home: Bench) -> None:
    effects = at_home.batch(event("forget", at_ms=NOON_MS + 1))
    [change] = effects.changes
    assert (change.current, change.cause, change.user_version) == (None, "forget", 2)
    assert change.previous is not None
    assert (change.previous.id, change.source_offset) == (FEW, 5)
    assert (change.event_time, change.margin) == ("2026-11-24T12:00:00.001Z", None)
    assert at_home.users(effects.written) == ["ann"]
    head = at_home.head()
    assert (head["flags"], head["segment"], head["applied"]) == (FORGOTTEN, NO_SEGMENT, 0)
    assert at_home.meta.users_seen == 0
    assert at_home.meta.outcomes.applied == 6


def test_forgetting_somebody_without_a_segment_is_no_change(bench: Bench) -> None:
    bench.batch(event(), event(user="bob"))
    effects = bench.batch(event("forget"), event("forget", "stranger"))
    assert effects.changes == []
    assert bench.users(effects.written) == ["ann", "stranger"]
    assert bench.meta.unassigned == 1


def test_forgotten_and_started_anew_in_one_batch(at_home: Bench) -> None:
    at_home.batch(event(user="bob"), event("forget"), *follows(6), event(user="bob"))
    left, came = at_home.changes[1:]
    assert (left.current, left.user_version, left.source_offset) == (None, 2, 6)
    assert (came.previous, came.user_version, came.source_offset) == (None, 1, 12)
    assert (left.sequence, came.sequence) == (2, 3)
    assert at_home.head()["user_version"] == 1
    assert at_home.recount() == ({MANY: 1}, 1)


def test_forgotten_twice_in_one_batch_is_one_change(at_home: Bench) -> None:
    effects = at_home.batch(event("forget"), *follows(6), event("forget"))
    assert [(c.current, c.source_offset) for c in effects.changes] == [(None, 12)]
    assert at_home.head()["segment"] == NO_SEGMENT


def test_every_record_is_in_one_counter(at_home: Bench) -> None:
    once = event(event_id="once")
    at_home.batch(
        once,
        once,
        event(at_ms=NOON_MS - 28 * DAY_MS),
        b"{",
        None,
        event("forget", "bob"),
        timestamps_ms=[NOON_MS] * 6,
    )
    outcomes = at_home.meta.outcomes
    assert (outcomes.applied, outcomes.duplicate, outcomes.late) == (5 + 2, 1, 1)
    assert outcomes.dead == {"not_json": 1, "empty_value": 1}
    assert outcomes.records == at_home.meta.applied_offset == 11


def test_what_is_not_applied_leaves_no_trace(at_home: Bench) -> None:
    late = event("follow", at_ms=NOON_MS - 28 * DAY_MS)
    effects = at_home.batch(late, event(user="new", at_ms=0), timestamps_ms=[NOON_MS] * 2)
    assert at_home.meta.outcomes.late == 2
    assert not len(effects.written)
    assert not len(effects.due_slots)
    assert effects.samples == []
    assert at_home.meta.users_seen == 1


def test_the_applied_offset_is_behind_the_last_record_even_a_dead_one(bench: Bench) -> None:
    bench.batch(event(), b"{", offsets=[3, 9], timestamps_ms=[NOON_MS, NOON_MS + MINUTE_MS])
    assert bench.meta.applied_offset == 10
    assert bench.meta.stream_ms == NOON_MS + MINUTE_MS


def test_stream_time_and_the_time_looked_at_never_go_back(bench: Bench) -> None:
    bench.batch(event(), as_of_ms=NOON_MS + DAY_MS)
    bench.batch(event(), timestamps_ms=[NOON_MS - DAY_MS], as_of_ms=NOON_MS)
    assert bench.meta.stream_ms == NOON_MS
    assert bench.meta.as_of_ms == NOON_MS + DAY_MS
    assert bench.meta.commits == 2


def test_the_meta_given_is_not_changed(bench: Bench) -> None:
    before, unchanged = bench.meta, bench.meta.copy()
    bench.batch(profile(3), b"{")
    assert before == unchanged
    assert bench.meta != unchanged


def test_published_dead_letters_are_counted_and_not_published_again(bench: Bench) -> None:
    effects = bench.batch(b"{", b"{", b"{", dead_floor=1)
    assert [letter.offset for letter in effects.dead] == [2]
    assert bench.meta.outcomes.dead == {"not_json": 3}


def test_active_users_are_due_at_the_next_midnight(at_home: Bench) -> None:
    effects = at_home.batch(event(), event(user="bob"))
    assert at_home.users(effects.due_slots) == ["ann", "bob"]
    assert effects.due_ms.tolist() == [MIDNIGHT_MS, MIDNIGHT_MS]


def test_the_midnight_is_that_after_the_time_looked_from(bench: Bench) -> None:
    assert bench.batch(event(), as_of_ms=MIDNIGHT_MS).due_ms.tolist() == [MIDNIGHT_MS + DAY_MS]


def test_forgotten_users_are_due_for_removal(at_home: Bench) -> None:
    assert at_home.batch(event("forget")).due_ms.tolist() == [NOON_MS + REMOVAL_MS]


def test_eligible_users_are_sampled_in_the_order_of_their_records(bench: Bench) -> None:
    bench.model = None  # samples are what the first model comes from
    effects = bench.batch(
        event(user="bob"), event(user="cyd"), profile(5, "bob"), profile(6, "ann"), event()
    )
    samples = [decode_sample(sample) for sample in effects.samples]
    assert [sample.user_hash for sample in samples] == [event_id_hash("bob"), event_id_hash("ann")]
    assert [sample.source_offset for sample in samples] == [2, 4]
    assert {(sample.partition, sample.stream_ms) for sample in samples} == {(0, NOON_MS)}
    assert [sample.values[4] for sample in samples] == [5.0, 6.0]
    assert samples[0].evidence[4] == 1.0


def test_nobody_is_sampled_twice_within_the_interval(bench: Bench) -> None:
    sampled = [
        len(bench.batch(profile(minute), timestamps_ms=[NOON_MS + minute * MINUTE_MS]).samples)
        for minute in (0, 1, 9, 10, 19, 20)
    ]
    assert sampled == [1, 0, 0, 1, 0, 1]


def test_a_batch_without_valid_events_moves_only_the_counters(at_home: Bench) -> None:
    effects = at_home.batch(b"{", timestamps_ms=[NOON_MS + 5])
    assert (effects.changes, effects.samples, len(effects.written)) == ([], [], 0)
    assert at_home.meta.stream_ms == NOON_MS + 5
    assert at_home.meta.users == {FEW: 1}

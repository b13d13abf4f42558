"""What becomes of users when a new major version keeps some segments and retires others."""

from segments.model import NO_SEGMENT, CompiledModel
from tests.consumer.builders import FEW, MANY, MOST, NOON_MS, Bench, follows, model, profile
from tests.segments.models import model_with

FRESH = 7  # an id that no version before had


def next_major(names: tuple[str, ...] = ("few", "plenty", "most")) -> CompiledModel:
    """The segments of `model`, but MANY is retired and its people are FRESH now."""
    old = model().model
    return CompiledModel(
        model_with(
            [[0.0], [2.0], [4.0]],
            features=old.features,
            transforms=old.transforms,
            prior_weights=old.prior_weights,
            major=2,
            ids=(FEW, FRESH, MOST),
            names=names,
        )
    )


def bench_of_three() -> Bench:
    """Ann follows nobody, Bob 6, Cyd 60."""
    bench = Bench()
    bench.batch(profile(0), profile(6, "bob"), profile(60, "cyd"))
    assert [bench.head(user)["segment"] for user in ("ann", "bob", "cyd")] == [FEW, MANY, MOST]
    bench.model = next_major()
    return bench


def test_the_queue_moves_users_of_a_retired_segment_and_nobody_else() -> None:
    bench = bench_of_three()
    effects = bench.sweep(NOON_MS, queued=["ann", "bob", "cyd"])
    [change] = effects.changes
    assert (change.user_id, change.cause, change.model_version) == ("bob", "model", "2.0")
    assert change.previous is not None
    assert change.current is not None
    assert (change.previous.id, change.current.id, change.current.name) == (MANY, FRESH, "plenty")
    assert bench.meta.users == {FEW: 1, FRESH: 1, MOST: 1}


def test_an_event_of_a_user_whose_segment_is_retired_moves_them_because_of_the_model() -> None:
    bench = bench_of_three()
    effects = bench.batch(*follows(1, "bob"))
    assert [(c.user_id, c.cause, c.current.id) for c in effects.changes if c.current] == [
        ("bob", "model", FRESH)
    ]


def test_so_does_a_sweep_that_came_for_another_reason() -> None:
    [change] = bench_of_three().sweep(NOON_MS, "bob").changes
    assert change.cause == "model"


def test_a_new_user_is_in_a_segment_because_of_what_they_did() -> None:
    bench = bench_of_three()
    [change] = bench.batch(*follows(5, "dan")).changes
    assert (change.previous, change.cause) == (None, "behaviour")


def test_rolling_back_brings_users_home_and_says_why() -> None:
    bench = bench_of_three()
    bench.sweep(NOON_MS, queued=["ann", "bob", "cyd"])
    bench.model = model(major=3)
    [change] = bench.sweep(NOON_MS, queued=["ann", "bob", "cyd"]).changes
    assert (change.user_id, change.cause, change.user_version) == ("bob", "model", 3)
    assert bench.head("bob")["segment"] == MANY


def test_a_candidate_that_is_retired_is_no_step_towards_another() -> None:
    bench = Bench()
    bench.batch(profile(0))
    bench.batch(*follows(6))  # nearer to MANY now, once
    assert bench.head()["candidate"] == MANY
    bench.model = next_major()
    assert bench.batch(*follows(1)).changes == []
    assert (bench.head()["candidate"], bench.head()["candidate_count"]) == (FRESH, 1)


def test_a_rename_changes_nobody_and_later_messages_carry_it() -> None:
    bench = bench_of_three()
    bench.sweep(NOON_MS, queued=["ann", "bob", "cyd"])
    bench.model = next_major(names=("newcomers", "plenty", "most"))
    assert bench.sweep(NOON_MS).changes == []
    [change] = [c for _ in range(2) for c in bench.batch(*follows(4)).changes]
    assert change.previous is not None
    assert change.previous.name == "newcomers"
    assert bench.head("nobody")["segment"] == NO_SEGMENT

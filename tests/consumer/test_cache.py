"""The bounded cache of user states: who is held, who goes, and what is noted about each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer import cache as module
from consumer.cache import UserCache
from consumer.keys import PartitionKeys
from features import codec
from features.errors import UnknownLayout
from segments.model import NO_SEGMENT

KEYS = [PartitionKeys("shoal", number) for number in range(3)]


def admit(
    cache: UserCache, *users: str, partition: int = 0, keep: list[str] | None = None
) -> list[int]:
    states = [None] * len(users)
    slots: list[int] = cache.admit(KEYS[partition], users, states, keep=keep or []).tolist()
    return slots


def state_of(segment: int) -> bytes:
    cache = UserCache(1)
    admit(cache, "ann")
    cache.slab.head["segment"][0] = segment
    cache.slab.head["applied"][0] = 1
    return codec.encode(cache.slab, np.zeros(1, np.int64))[0]


@pytest.fixture
def cache() -> UserCache:
    return UserCache(10)


def test_who_is_admitted_is_held(cache: UserCache) -> None:
    slots = admit(cache, "ann", "bob", partition=2)
    assert len(cache) == 2
    assert cache.slots(["bob", "ann", "bob"]).tolist() == [slots[1], slots[0], slots[1]]
    assert [cache.user_ids[slot] for slot in slots] == ["ann", "bob"]
    assert [cache.redis_keys[slot] for slot in slots] == [b"{shoal.2}:u:ann", b"{shoal.2}:u:bob"]
    assert cache.partition[slots].tolist() == [2, 2]
    assert np.isnan(cache.due_ms[slots]).all()


def test_the_missing_are_named_once_in_order_of_appearance(cache: UserCache) -> None:
    admit(cache, "bob")
    assert cache.missing(["cyd", "bob", "ann", "cyd", "ann"]) == ["cyd", "ann"]


def test_stored_states_are_read_and_new_users_start_empty(cache: UserCache) -> None:
    slots = cache.admit(KEYS[0], ["ann", "bob", "cyd"], [state_of(7), None, state_of(8)])
    assert cache.slab.head["segment"][slots].tolist() == [7, NO_SEGMENT, 8]
    assert cache.slab.head["applied"][slots].tolist() == [1, 0, 1]


def test_a_state_of_another_layout_is_refused(cache: UserCache) -> None:
    with pytest.raises(UnknownLayout):
        cache.admit(KEYS[0], ["ann"], [b"\xfe" + state_of(1)[1:]])


def test_nothing_is_left_of_who_was_dropped(cache: UserCache) -> None:
    admit(cache, "ann", "bob", partition=1)
    slot = cache.slot_of["ann"]
    cache.slab.head["segment"][slot] = 7
    cache.due_ms[slot] = 5.0
    cache.drop_users(["ann"])
    assert list(cache.slot_of) == ["bob"]
    assert cache.slab.head["segment"][slot] == NO_SEGMENT
    assert cache.partition[slot] == -1
    [again] = admit(cache, "new", partition=2)
    assert again == slot
    assert np.isnan(cache.due_ms[slot])
    assert cache.user_ids[slot] == "new"


def test_a_partition_is_dropped_whole_and_alone(cache: UserCache) -> None:
    admit(cache, "ann", "bob", partition=1)
    admit(cache, "cyd", partition=2)
    cache.drop_partition(1)
    assert list(cache.slot_of) == ["cyd"]
    cache.drop_partition(0)
    assert len(cache) == 1


def test_the_least_recently_used_make_room(cache: UserCache) -> None:
    admit(cache, *"abcdefghij")
    cache.slots(list("abcdefghij"))
    cache.slots(list("acefghij"))
    admit(cache, "k", "l")
    assert cache.missing(list("abcdefghijkl")) == ["b", "d"]


def test_admission_counts_as_use(cache: UserCache) -> None:
    admit(cache, *"abcde")
    cache.slots(list("abcde"))
    admit(cache, *"fghij")
    admit(cache, "k", "l")
    assert not cache.missing(list("fghijkl"))


def test_room_is_made_in_bulk() -> None:
    cache = UserCache(100)
    admit(cache, *map(str, range(100)))
    admit(cache, "new")
    assert len(cache) == 91


def test_the_batch_at_hand_is_kept_however_old(cache: UserCache) -> None:
    admit(cache, *"ab")
    cache.slots(["a", "b"])
    admit(cache, *"cdefghij")
    cache.slots(list("cdefghij"))
    admit(cache, *"klmnopqr", keep=["a", "b", "a", "zed"])
    assert not cache.missing(["a", "b", *"klmnopqr"])
    assert len(cache) == 10


def test_a_batch_as_large_as_the_cache_fits(cache: UserCache) -> None:
    admit(cache, *"abcde")
    admit(cache, *"fghijklmno")
    assert sorted(cache.slot_of) == list("fghijklmno")


def test_a_batch_larger_than_the_cache_is_a_broken_promise_of_the_settings(
    cache: UserCache,
) -> None:
    admit(cache, *"abcde")
    with pytest.raises(AssertionError, match="cache_users"):
        admit(cache, *"fghijk", keep=list("abcde"))


def test_too_many_interest_names_empty_the_cache(
    cache: UserCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERESTS_MAX", 2)
    admit(cache, "ann")
    cache.slab.interests.ids_of(["a", "b"])
    assert not cache.reset_if_crowded()
    assert len(cache) == 1
    cache.slab.interests.ids_of(["c"])
    assert cache.reset_if_crowded()
    assert (len(cache), len(cache.slab.interests)) == (0, 0)
    assert len(admit(cache, *"abcdefghij")) == 10


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["use", "drop", "partition"]), st.sets(st.integers(0, 30), max_size=8)
        ),
        max_size=30,
    )
)
def test_the_books_balance_whatever_happens(story: list[tuple[str, set[int]]]) -> None:
    cache = UserCache(8)
    for action, numbers in story:
        users = [f"user {n}" for n in numbers]
        if action == "use":
            by_partition = {
                n % 3: [f"user {m}" for m in numbers if m % 3 == n % 3] for n in numbers
            }
            for number, wanted in by_partition.items():
                admit(cache, *cache.missing(wanted), partition=number, keep=users)
            cache.slots(users)
        elif action == "drop":
            cache.drop_users([user for user in users if user in cache.slot_of])
        else:
            cache.drop_partition(len(users) % 3)
        slots = list(cache.slot_of.values())
        assert len(set(slots)) == len(slots) <= 8
        assert sorted([*slots, *cache._free]) == list(range(8))
        for user, slot in cache.slot_of.items():
            assert cache.user_ids[slot] == user
            number = int(cache.partition[slot])
            assert number == int(user.split()[1]) % 3
            assert cache.redis_keys[slot] == KEYS[number].user(user)
        assert (cache.partition[cache._free] == -1).all()

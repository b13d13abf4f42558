"""The vectorised fold equals the reference, and batch boundaries leave no trace."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import FEATURE_NAMES
from features.events import EVENT_TYPES, event_id_hash
from features.slab import FORGOTTEN
from features.vector import vectors
from tests.features.streams import (
    DAY_MS,
    HOUR_MS,
    USERS,
    Folder,
    Record,
    folded,
    many_interests,
    streams,
)
from tests.reference import Reference

OUTCOMES = ["applied", "duplicate", "late"]
COUNTS = ("followed_accounts", "active_days", "activity_24h")
PLAIN_TYPES = [name for name in EVENT_TYPES if name not in ("profile", "forget")]


def reference_of(records: list[Record]) -> Reference:
    reference = Reference()
    for record_timestamp_ms, event in records:
        reference.feed(record_timestamp_ms, event)
    return reference


def assert_same_features(folder: Folder, reference: Reference, as_of_ms: int) -> None:
    found = vectors(folder.slab, folder.slots, as_of_ms)
    for slot, user_id in enumerate(USERS):
        expected = reference.features(user_id, as_of_ms)
        assert set(FEATURE_NAMES) == set(expected)
        for column, name in enumerate(FEATURE_NAMES):
            value, evidence = expected[name]
            got = found.values[slot, column]
            where = f"{name} of {user_id} as of {as_of_ms}"
            assert math.isclose(evidence, found.evidence[slot, column], rel_tol=1e-9), where
            if value is None:
                assert math.isnan(got), where
            elif name in COUNTS:
                assert value == got, where
            else:
                assert math.isclose(value, got, rel_tol=1e-9, abs_tol=1e-9), where


def assert_same_heads(folder: Folder, reference: Reference) -> None:
    for slot, user_id in enumerate(USERS):
        head = folder.slab.head[slot]
        user = reference.users.get(user_id)
        if user is None:
            assert head["applied"] == 0
            assert not head["flags"] & FORGOTTEN
            continue
        assert len(user.applied) == head["applied"]
        assert user.forgotten == bool(head["flags"] & FORGOTTEN)
        assert user.level == head["level"]
        hashes = {event_id_hash(event_id) for event_id in user.recent_ids}
        assert hashes | {0} == set(folder.slab.ring[slot].tolist()) | {0}
        if user.applied or user.forgotten:
            assert user.last_ms == head["last_ms"]
        if user.applied:
            assert user.first_ms == head["first_ms"]


def check_against_reference(records: list[Record], later_ms: int) -> None:
    folder, reference = folded(records), reference_of(records)
    assert reference.outcomes == [OUTCOMES[code] for code in folder.outcomes]
    assert_same_heads(folder, reference)
    for as_of_ms in (folder.stream_ms, folder.stream_ms + later_ms):
        assert_same_features(folder, reference, as_of_ms)


laters_ms = st.sampled_from(
    [1, HOUR_MS, DAY_MS, 3 * DAY_MS, 27 * DAY_MS, 28 * DAY_MS, 400 * DAY_MS]
)


@settings(max_examples=200, deadline=None)
@given(streams(), laters_ms)
def test_a_batch_equals_the_reference(records: list[Record], later_ms: int) -> None:
    check_against_reference(records, later_ms)


@settings(max_examples=100, deadline=None)
@given(streams(types=PLAIN_TYPES, max_size=60), laters_ms)
def test_plain_activity_equals_the_reference(records: list[Record], later_ms: int) -> None:
    check_against_reference(records, later_ms)


@settings(max_examples=60, deadline=None)
@given(streams(types=["page_view", "forget"], interests=many_interests), laters_ms)
def test_interest_overflow_equals_the_reference(records: list[Record], later_ms: int) -> None:
    check_against_reference(records, later_ms)


@settings(max_examples=100, deadline=None)
@given(streams(types=["profile", "profile", "follow", "unfollow", "forget"]), laters_ms)
def test_profiles_and_forgets_equal_the_reference(records: list[Record], later_ms: int) -> None:
    check_against_reference(records, later_ms)


@pytest.mark.parametrize(
    ("types", "interests"),
    [
        (EVENT_TYPES, many_interests[:5]),
        (PLAIN_TYPES, many_interests),
        (("profile", "follow", "forget"), many_interests[:2]),
    ],
    ids=["all", "crowded", "profiles"],
)
@settings(max_examples=70, deadline=None)
@given(data=st.data())
def test_batch_boundaries_and_storage_leave_no_trace(
    types: list[str], interests: list[str], data: st.DataObject
) -> None:
    records = data.draw(streams(types=types, interests=interests))
    whole = folded(records)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(records)), max_size=8)))
    split = Folder()
    for start, end in zip([0, *cuts], [*cuts, len(records)], strict=True):
        split.fold(records[start:end])
        if data.draw(st.booleans()):
            split.move_to_another_slab()
    one_by_one = Folder()
    for record in records:
        one_by_one.fold([record])
    assert whole.outcomes == split.outcomes == one_by_one.outcomes
    assert whole.encoded() == split.encoded()
    assert whole.encoded() == one_by_one.encoded()

"""What becomes of single records; the rest is held by the reference."""

import numpy as np

from features.fold import APPLIED, DUPLICATE, LATE
from features.profile import decode_traits
from features.slab import FORGOTTEN, Slab
from tests.features.builders import NOON_MS, activity, folder_of, forget, profile
from tests.features.streams import DAY_MS, HOUR_MS, Folder


def head_of(folder: Folder) -> np.void:
    head: np.void = folder.slab.head[0]
    return head


def test_a_repeated_id_is_a_duplicate_in_the_same_and_in_a_later_batch() -> None:
    event = activity(event_id="same")
    folder = folder_of([event, event])
    folder.fold([(NOON_MS, event)])
    assert folder.outcomes == [APPLIED, DUPLICATE, DUPLICATE]
    assert head_of(folder)["applied"] == 1


def test_the_seventeenth_last_id_is_no_longer_remembered() -> None:
    events = [activity() for _ in range(17)]
    assert folder_of([*events, events[1]]).outcomes[-1] == DUPLICATE
    assert folder_of([*events, events[0]]).outcomes[-1] == APPLIED


def test_a_duplicate_does_not_renew_its_place() -> None:
    events = [activity() for _ in range(16)]
    folder = folder_of([*events, events[0], activity(), events[0]])
    assert folder.outcomes[-3:] == [DUPLICATE, APPLIED, APPLIED]


def test_an_event_of_day_27_is_applied_and_one_of_day_28_is_late() -> None:
    folder = folder_of([activity(ago=27 * DAY_MS), activity(ago=28 * DAY_MS)])
    assert folder.outcomes == [APPLIED, LATE]


def test_a_late_event_is_not_remembered() -> None:
    event = activity(ago=28 * DAY_MS)
    assert folder_of([event, event]).outcomes == [LATE, LATE]


def test_the_stream_time_at_the_record_decides_not_that_at_the_batchs_end() -> None:
    folder = Folder()
    old = activity(ago=27 * DAY_MS)
    folder.fold([(NOON_MS, old), (NOON_MS + 40 * DAY_MS, activity(ago=-40 * DAY_MS))])
    assert folder.outcomes == [APPLIED, APPLIED]
    assert head_of(folder)["first_ms"] == NOON_MS - 27 * DAY_MS


def test_a_profile_that_changes_nothing_is_a_duplicate() -> None:
    folder = folder_of([profile(ctr=0.1), profile(ctr=0.1), profile(ctr=0.2), profile(ctr=0.1)])
    assert folder.outcomes == [APPLIED, DUPLICATE, APPLIED, APPLIED]


def test_profiles_merge_key_by_key() -> None:
    folder = folder_of([profile("25-34", ctr=0.1), profile("35-44"), profile(ad_seconds=0.0)])
    assert folder.slab.traits[0] == b'{"age":"35-44"}'
    assert head_of(folder)["known_mask"] == 0b1010000


def test_a_profile_sets_the_level_at_its_place_in_the_order() -> None:
    folder = folder_of(
        [
            activity("follow"),
            profile(followed_accounts=10),
            activity("follow"),
            activity("unfollow"),
            activity("follow"),
        ]
    )
    assert head_of(folder)["level"] == 11


def test_device_and_interests_of_a_profile_are_traits_not_activity() -> None:
    folder = folder_of([activity("profile", device="mobile", interests=("a", "b"))])
    traits = decode_traits(folder.slab.traits[0])
    assert traits.device == "mobile"
    assert traits.interests == ("a", "b")
    assert not folder.slab.words[0, 87 + 16 :].any()
    assert not folder.slab.cells.any()


def test_a_forgotten_user_keeps_the_fact_and_its_time_only() -> None:
    folder = folder_of([profile("25-34", ctr=0.5), activity(interests=("a",)), forget(HOUR_MS)])
    expected = Slab(3)
    expected.head["flags"][0] = FORGOTTEN
    expected.head["last_ms"][0] = NOON_MS - HOUR_MS
    assert folder.outcomes == [APPLIED] * 3
    assert np.array_equal(expected.head, folder.slab.head)
    assert not folder.slab.cells.any()
    assert not folder.slab.words.any()
    assert folder.slab.traits[0] is None
    assert (folder.slab.interest_ids == -1).all()


def test_a_forget_request_is_never_late_and_never_a_duplicate() -> None:
    event = activity("forget", ago=400 * DAY_MS, event_id="again")
    assert folder_of([event, event]).outcomes == [APPLIED, APPLIED]


def test_records_after_a_forget_request_start_from_nothing() -> None:
    before = [activity("follow"), profile("25-34", ctr=0.5)]
    after = [before[1], activity(interests=("a",))]
    folder = folder_of([*before, forget(), *after])
    only_after = folder_of(after)
    assert folder.encoded() == only_after.encoded()
    assert head_of(folder)["flags"] == 0


def test_a_profile_known_before_a_forget_request_is_new_after_it() -> None:
    known = profile("25-34", ctr=0.5)
    folder = folder_of([known])
    folder.fold([(NOON_MS, forget()), (NOON_MS, profile("25-34", ctr=0.5))])
    assert folder.outcomes == [APPLIED] * 3
    assert folder.slab.traits[0] == b'{"age":"25-34"}'


def test_an_empty_batch_changes_nothing() -> None:
    folder = folder_of([activity()])
    before = folder.encoded()
    folder.fold([])
    assert before == folder.encoded()

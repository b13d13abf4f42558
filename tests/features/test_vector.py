"""Vectors as of a time, and when to look again."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

from features.catalogue import feature_index
from features.slab import Slab
from features.vector import next_look_ms, vectors
from tests.features.builders import NOON_MS, a_day, activity, folder_of, profile
from tests.features.streams import DAY_MS, HOUR_MS, USERS, Folder, Record, folded, streams

ANN = np.array([0])


def value_of(folder: Folder, name: str, as_of_ms: int = NOON_MS) -> float:
    return float(vectors(folder.slab, ANN, as_of_ms).values[0, feature_index(name)])


def evidence_of(folder: Folder, name: str, as_of_ms: int = NOON_MS) -> float:
    return float(vectors(folder.slab, ANN, as_of_ms).evidence[0, feature_index(name)])


@settings(max_examples=100, deadline=None)
@given(streams())
def test_a_vector_alone_has_the_bits_it_has_among_many(records: list[Record]) -> None:
    folder = folded(records)
    many = vectors(folder.slab, np.tile(folder.slots, 7), folder.stream_ms)
    for slot in range(len(USERS)):
        alone = vectors(folder.slab, np.array([slot]), folder.stream_ms)
        for row in range(slot, len(many.values), len(USERS)):
            assert alone.values.tobytes() == many.values[row].tobytes()
            assert alone.evidence.tobytes() == many.evidence[row].tobytes()


def test_computing_vectors_changes_no_state() -> None:
    folder = folder_of([activity("session", duration_s=60.0), activity("page_view", ago=a_day)])
    before = folder.encoded()
    vectors(folder.slab, folder.slots, NOON_MS + 400 * DAY_MS)
    assert before == folder.encoded()


def test_a_user_never_seen_has_only_nulls_and_no_evidence() -> None:
    found = vectors(Slab(1), ANN, NOON_MS)
    assert np.isnan(found.values).all()
    assert not found.evidence.any()
    assert vectors(Slab(1), np.empty(0, np.int64), NOON_MS).values.shape == (0, 13)


def test_an_event_after_the_as_of_day_is_not_counted_yet() -> None:
    midnight = NOON_MS + 12 * HOUR_MS
    folder = folder_of([activity("page_view", ago=-12 * HOUR_MS)], stream_ms=midnight - 1)
    assert math.isnan(value_of(folder, "page_views_per_day", midnight - 1))
    assert math.isnan(value_of(folder, "activity_24h", midnight - 1))
    assert value_of(folder, "page_views_per_day", midnight) == 1.0
    assert value_of(folder, "activity_24h", midnight) == 1.0


def test_the_window_is_28_days_and_24_hours() -> None:
    folder = folder_of([activity("page_view")])
    assert value_of(folder, "active_days", NOON_MS + 27 * DAY_MS) == 1.0
    assert value_of(folder, "active_days", NOON_MS + 28 * DAY_MS) == 0.0
    assert value_of(folder, "page_views_per_day", NOON_MS + 27 * DAY_MS) == 1 / 28
    assert value_of(folder, "activity_24h", NOON_MS + 23 * HOUR_MS) == 1.0
    assert value_of(folder, "activity_24h", NOON_MS + 24 * HOUR_MS) == 0.0


def test_a_known_value_fills_the_days_not_observed_and_fades() -> None:
    # NOON_MS is a Tuesday: one weekday is observed, 19 are not.
    folder = folder_of([profile(weekday_hours=2.0), activity("session", duration_s=3600.0)])
    assert value_of(folder, "weekday_hours") == pytest.approx((1 + 2 * 19) / 20)
    assert evidence_of(folder, "weekday_hours") == 28.0
    # 28 days later the session has left, and nothing is unobserved any more.
    assert value_of(folder, "weekday_hours", NOON_MS + 28 * DAY_MS) == 0.0


def test_a_known_zero_is_a_value() -> None:
    folder = folder_of([profile(ctr=0.0)])
    assert value_of(folder, "ctr") == 0.0
    assert evidence_of(folder, "ctr") == 20.0
    assert math.isnan(value_of(folder, "conversion_rate"))


def test_more_clicks_than_impressions_are_a_share_of_1() -> None:
    folder = folder_of([activity("ad_click"), activity("ad_click"), activity("ad_impression")])
    assert value_of(folder, "ctr") == 1.0
    assert evidence_of(folder, "ctr") == 1.0


def test_devices_halve_in_14_days() -> None:
    folder = folder_of([activity(device="mobile", ago=14 * DAY_MS), activity(device="tablet")])
    assert value_of(folder, "mobile_share") == pytest.approx(1 / 3)
    assert evidence_of(folder, "mobile_share") == pytest.approx(1.5)
    assert evidence_of(folder, "mobile_share", NOON_MS + 14 * DAY_MS) == pytest.approx(0.75)


def test_one_interest_is_a_breadth_of_exactly_1() -> None:
    folder = folder_of([activity(interests=("a",)), activity(interests=("a",))])
    assert value_of(folder, "interest_breadth") == 1.0
    folder = folder_of([activity(interests=("a", "b", "c"))])
    assert value_of(folder, "interest_breadth") == pytest.approx(3.0)


def test_the_next_look_is_midnight_until_nothing_moves_any_more() -> None:
    folder = folder_of([activity("page_view")])
    removal_ms = 90 * DAY_MS
    midnight = NOON_MS + 12 * HOUR_MS
    for days in range(28):
        as_of_ms = NOON_MS + days * DAY_MS
        look = next_look_ms(folder.slab, ANN, as_of_ms, removal_ms)
        assert look.tolist() == [midnight + days * DAY_MS]
    look = next_look_ms(folder.slab, ANN, NOON_MS + 28 * DAY_MS, removal_ms)
    assert look.tolist() == [NOON_MS + removal_ms]


def test_a_profile_alone_is_looked_at_until_28_days_are_observed() -> None:
    folder = folder_of([profile(ctr=0.1)])
    busy = next_look_ms(folder.slab, ANN, NOON_MS + 26 * DAY_MS, 90 * DAY_MS)
    quiet = next_look_ms(folder.slab, ANN, NOON_MS + 27 * DAY_MS, 90 * DAY_MS)
    assert busy.tolist() == [NOON_MS + 12 * HOUR_MS + 26 * DAY_MS]
    assert quiet.tolist() == [NOON_MS + 90 * DAY_MS]


def test_a_forgotten_user_is_looked_at_when_due_for_removal() -> None:
    folder = folder_of([activity("page_view"), activity("forget")])
    look = next_look_ms(folder.slab, ANN, NOON_MS, 90 * DAY_MS)
    assert look.tolist() == [NOON_MS + 90 * DAY_MS]

"""Names: from the data, all different, and they do not flicker."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import FEATURE_NAMES
from segments.names import WORDS, Name, name_segments, title

FEATURES = ("weekend_hours", "ctr", "mobile_share", "page_views_per_day")


def names(centroids: list[list[float]], previous: dict[int, Name] | None = None) -> list[Name]:
    ids = range(1, len(centroids) + 1)
    return name_segments(ids, np.array(centroids), FEATURES, previous)


def test_a_name_says_the_strongest_deviations_strongest_first() -> None:
    (name,) = names([[1.5, 1.2, 0.9, 0.1]])
    assert name == Name("weekend · high CTR · mobile", ("+weekend_hours", "+ctr", "+mobile_share"))


def test_what_does_not_stand_out_is_not_mentioned() -> None:
    assert names([[0.1, -1.0, 0.3, 0.2]])[0].text == "low CTR"
    assert names([[0.1, -0.1, 0.2, 0.2]])[0].text == "average"


def test_every_feature_of_the_catalogue_has_words_for_high_and_low() -> None:
    assert set(WORDS) == {sign + name for sign in "+-" for name in FEATURE_NAMES}
    assert len(set(WORDS.values())) == len(WORDS)


def test_weekday_and_weekend_together_are_the_whole_week() -> None:
    assert title(["+ctr", "+weekend_hours", "+weekday_hours"]) == "high CTR · online all week"
    assert title(["-weekday_hours", "+ctr", "-weekend_hours"]) == "rarely online · high CTR"
    assert title(["-weekday_hours", "+weekend_hours"]) == "rarely on weekdays · weekend"


def test_alike_segments_get_longer_names_and_twins_their_id() -> None:
    longer = names([[1.5, 1.2, 0.9, 0.5], [1.5, 1.2, 0.9, 0.4]])
    assert [n.text for n in longer] == [
        "weekend · high CTR · mobile",
        "weekend · high CTR · mobile · many page views",
    ]
    twins = names([[1.5, 0.0, 0.0, 0.0], [1.5, 0.0, 0.0, 0.0]])
    assert [n.text for n in twins] == ["weekend", "weekend #2"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.floats(-4, 4), min_size=4, max_size=4), min_size=1, max_size=12))
def test_names_are_unique_and_naming_again_changes_nothing(centroids: list[list[float]]) -> None:
    first = names(centroids)
    assert len({name.text for name in first}) == len(centroids)
    again = names(centroids, dict(enumerate(first, start=1)))
    assert len({name.text for name in again}) == len(centroids)
    assert first == again


def test_a_name_survives_small_motion_and_a_change_of_order() -> None:
    before = names([[1.5, 1.2, 0.9, 0.85]])
    after = names([[1.2, 1.3, 0.85, 0.95]], dict(enumerate(before, start=1)))
    assert before == after
    assert names([[1.2, 1.3, 0.85, 0.95]]) != after  # without its past it would be another


@pytest.mark.parametrize(
    ("centroid", "expected"),
    [
        ([1.2, 1.3, 0.7, 1.0], "high CTR · weekend · many page views"),  # clearly stronger
        ([1.2, 1.3, 0.2, 0.1], "high CTR · weekend"),  # no longer true
        ([1.2, 1.3, -0.9, 0.1], "high CTR · weekend · desktop or tablet"),  # reversed
    ],
)
def test_a_name_gives_way_when_it_is_no_longer_fair(centroid: list[float], expected: str) -> None:
    before = names([[1.5, 1.2, 0.9, 0.85]])
    assert names([centroid], dict(enumerate(before, start=1)))[0].text == expected


def test_an_operators_name_is_not_given_to_another_segment() -> None:
    got = name_segments([1], np.array([[1.5, 0.0, 0.0, 0.0]]), FEATURES, None, ["weekend"])
    assert got[0].text == "weekend #1"

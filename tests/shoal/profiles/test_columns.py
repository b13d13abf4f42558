from __future__ import annotations

import pytest

from shoal.errors import WrongUse
from shoal.profiles.columns import COLUMNS, find_layout
from tests.shoal.profiles.tables import HEADERS


def test_the_table_as_it_is_usually_found_is_understood_whole() -> None:
    layout = find_layout(HEADERS)
    assert (layout.unknown, layout.missing, dict(layout.factor)) == ([], [], {})
    assert [column.title for column in COLUMNS] == list(HEADERS)


def test_field_names_are_headers_too() -> None:
    layout = find_layout([column.name for column in COLUMNS])
    assert list(layout.place) == [column.name for column in COLUMNS]


@pytest.mark.parametrize(
    ("header", "field", "factor"),
    [
        ("User_ID", "user_id", 1), ("user id", "user_id", 1), ("userId", "user_id", 1),
        ("UserID", "user_id", 1), ("USER-ID", "user_id", 1), ("AGE GROUP", "age", 1),
        ("Sex", "gender", 1), ("Likes & Reactions", "likes_and_reactions", 1),
        ("time_spent_online_weekday", "weekday_hours", 1), ("Weekend Hours", "weekend_hours", 1),
        ("Time Spent Online (min/weekday)", "weekday_hours", 1 / 60),
        ("CTR (%)", "ctr", 1 / 100), ("Click-through rate", "ctr", 1),
        ("Conversion Rate", "conversion_rate", 1), ("Ad Interaction Time (ms)", "ad_seconds", 1e-3),
        ("Average Ad Interaction Time (minutes)", "ad_seconds", 60), ("Interests", "interests", 1),
    ],
)  # fmt: skip
def test_headers_are_read_with_their_units(header: str, field: str, factor: float) -> None:
    layout = find_layout([header])
    assert layout.place == {field: 0}
    assert layout.factor.get(field, 1.0) == pytest.approx(factor)


@pytest.mark.parametrize("header", ["", "Name", "Unnamed: 0", "User name", "Weekday (km)", "Rate"])
def test_other_headers_mean_nothing(header: str) -> None:
    assert find_layout([header]).place == {}


def test_two_columns_of_one_meaning_are_refused_by_name() -> None:
    with pytest.raises(WrongUse, match="'CTR' and 'Click-through rate' both mean"):
        find_layout(["User ID", "CTR", "Click-through rate"])


def test_a_column_without_a_header_is_no_unknown_column() -> None:
    assert find_layout(["User ID", "Age", "", "Shoe size"]).unknown == ["Shoe size"]

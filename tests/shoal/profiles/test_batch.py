from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from features.catalogue import feature_index
from shoal.profiles.batch import TableFolder
from shoal.profiles.table import ProfileTable
from tests.shoal.profiles.tables import uniform_rows, write_table


@pytest.mark.parametrize("day", [1, 2, 3, 4, 5, 6, 7])  # a whole week from a Thursday on
def test_features_of_a_table_are_its_numbers_on_every_day_of_the_week(
    day: int, tmp_path: Path
) -> None:
    rows = uniform_rows(25)
    folder = TableFolder(int(datetime(2026, 1, day, tzinfo=UTC).timestamp() * 1000))
    for block in ProfileTable(write_table(tmp_path / "t.csv", rows)).blocks():
        folder.add(block.rows)
    people = folder.people()
    assert folder.user_ids == [row[0] for row in rows]
    assert list(people.user_ids) == sorted(folder.user_ids)
    for column, feature, factor in (
        (6, "reactions_per_day", 1 / 28),
        (7, "followed_accounts", 1),
        (9, "weekday_hours", 1),
        (10, "weekend_hours", 1),
        (11, "ctr", 1),
        (12, "conversion_rate", 1),
        (13, "ad_seconds", 1),
    ):
        said = np.array([float(row[column]) * factor for row in sorted(rows)])
        np.testing.assert_allclose(people.values[:, feature_index(feature)], said, rtol=1e-12)

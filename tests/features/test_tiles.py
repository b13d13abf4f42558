"""Which place of a ring holds which day."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.tiles import (
    CELL_COLUMNS,
    DAY_TILES,
    HOUR_TILES,
    HOURS_PER_DAY,
    days_ago,
    places_to_clear,
)

days = st.integers(-1000, 40_000)


@given(days, st.integers(-1, 60))
def test_each_place_holds_the_newest_day_not_after_the_anchor(day: int, later: int) -> None:
    ago = days_ago(np.array([day * HOURS_PER_DAY + 5]), day + later)[0]
    held = day + later - ago
    assert sorted(held) == list(range(day - DAY_TILES + 1, day + 1))
    assert all(d % DAY_TILES == place for place, d in enumerate(held))


@given(st.lists(st.tuples(days, st.integers(0, 100)), max_size=6), st.sampled_from([29, 25]))
def test_exactly_the_places_of_the_new_tiles_are_cleared(
    moves: list[tuple[int, int]], tiles: int
) -> None:
    old = np.array([start for start, _ in moves], np.int64)
    new = old + np.array([steps for _, steps in moves], np.int64)
    which, place = places_to_clear(old, new, tiles)
    found = sorted(zip(which.tolist(), place.tolist(), strict=True))
    expected = {
        (i, tile % tiles)
        for i, (start, steps) in enumerate(moves)
        for tile in range(start + 1, start + steps + 1)
    }
    assert found == sorted(expected)


def test_a_user_has_228_cells() -> None:
    assert CELL_COLUMNS == 7 * DAY_TILES + HOUR_TILES == 228

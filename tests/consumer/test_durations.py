import pytest

from consumer.durations import BOUNDS_S, Durations


def test_every_duration_is_at_most_as_long_as_the_bound_that_counts_it() -> None:
    durations = Durations()
    for seconds in (0.01, 0.05, 0.06, 3.0, 1_000.0):
        durations.add(seconds)
    counted = dict(durations.cumulative())
    assert (counted[0.05], counted[0.1], counted[2.5], counted[5.0]) == (2, 3, 3, 4)
    assert (counted[BOUNDS_S[-1]], counted[float("inf")]) == (4, 5)
    assert durations.total_s == pytest.approx(1_003.12)

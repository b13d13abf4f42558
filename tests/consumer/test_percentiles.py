import numpy as np

from consumer.percentiles import Percentiles

NAN = np.nan


def test_a_value_stands_above_those_below_it_and_in_the_middle_of_its_equals() -> None:
    found = Percentiles(np.array([[1.0], [2.0], [2.0], [3.0]]))
    assert found.of(np.array([2.0])) == [50.0]
    assert found.of(np.array([3.0])) == [87.5]
    assert found.of(np.array([0.0])) == [0.0]
    assert found.of(np.array([9.0])) == [100.0]


def test_only_users_whose_value_is_known_count() -> None:
    found = Percentiles(np.array([[NAN, 1.0], [1.0, NAN], [NAN, NAN]]))
    assert found.of(np.array([2.0, 0.5])) == [100.0, 0.0]


def test_what_is_unknown_has_no_percentile() -> None:
    found = Percentiles(np.array([[1.0, NAN]]))
    assert found.of(np.array([NAN, 1.0])) == [None, None]
    assert Percentiles(np.empty((0, 2))).of(np.array([1.0, 1.0])) == [None, None]

"""Nearest centroid like River's, and the hysteresis table."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import cluster

from segments.assignment import assign, margins, nearest_rows, squared_distances
from segments.model import CompiledModel
from tests.segments.models import model_with

HALVES = st.integers(-8, 8).map(lambda n: n / 2)  # exact in binary, so ties really are ties


def river_labels(points: np.ndarray, centroids: np.ndarray) -> list[int]:
    river: Any = cluster.KMeans
    kmeans = river(n_clusters=len(centroids))
    kmeans.centers = {row: dict(enumerate(c)) for row, c in enumerate(centroids.tolist())}
    return [kmeans.predict_one(dict(enumerate(point))) for point in points.tolist()]


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 5).flatmap(
        lambda d: st.tuples(
            st.lists(st.lists(HALVES, min_size=d, max_size=d), min_size=1, max_size=8),
            st.lists(st.lists(HALVES, min_size=d, max_size=d), min_size=1, max_size=5),
        )
    )
)
def test_the_nearest_centroid_is_the_one_river_predicts_ties_included(
    drawn: tuple[list[list[float]], list[list[float]]],
) -> None:
    points, centroids = np.array(drawn[0]), np.array(drawn[1])
    assert river_labels(points, centroids) == nearest_rows(points, centroids).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_centroid_of_random_points_is_the_one_river_predicts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, centroids = rng.normal(size=(400, 10)), rng.normal(size=(7, 10))
    assert river_labels(points, centroids) == nearest_rows(points, centroids).tolist()


def test_the_first_of_two_equal_centroids_wins() -> None:
    z = np.array([[1.0, 0.0]])
    assert nearest_rows(z, np.array([[9.0, 0.0], [2.0, 0.0], [0.0, 0.0]])).tolist() == [1]


def test_distances_are_squared_sums_over_the_features() -> None:
    d2 = squared_distances(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0], [0.0, 4.0]]))
    assert d2.tolist() == [[0.0, 16.0], [25.0, 9.0]]


# Segments 1, 2, 3 on a line at 0, 10 and 20: at x the distances are |x|, |x − 10|, |x − 20|.
LINE = CompiledModel(model_with([[0.0], [10.0], [20.0]], ids=(1, 2, 3)))
# From segment 1 at x, segment 2 is exactly 10 % nearer where 10 − x = .9 x: at 100 ÷ 19.
EDGE = 100.0 / 19.0


@pytest.mark.parametrize(
    ("case", "x", "segment", "candidate", "count", "weight", "expected"),
    [
        ("first assignment is immediate", 9.0, -1, -1, 0, 1, (2, -1, 0, True)),
        ("a retired segment is left at once", 1.0, 99, -1, 0, 1, (1, -1, 0, True)),
        ("nearest already", 1.0, 1, -1, 0, 1, (1, -1, 0, False)),
        ("nearer, but by less than 10 %", EDGE - 0.01, 1, -1, 0, 2, (1, -1, 0, False)),
        ("nearer by more than 10 %, once", EDGE + 0.01, 1, -1, 0, 1, (1, 2, 1, False)),
        ("twice in a row", EDGE + 0.01, 1, 2, 1, 1, (2, -1, 0, True)),
        ("a sweep counts as two", EDGE + 0.01, 1, -1, 0, 2, (2, -1, 0, True)),
        ("another candidate starts again", 18.0, 1, 2, 1, 1, (1, 3, 1, False)),
        ("back within the margin forgets the candidate", 4.0, 1, 2, 1, 1, (1, -1, 0, False)),
        ("home again forgets the candidate", 0.0, 1, 2, 1, 2, (1, -1, 0, False)),
    ],
)
def test_hysteresis(
    case: str,
    x: float,
    segment: int,
    candidate: int,
    count: int,
    weight: int,
    expected: tuple[int, int, int, bool],
) -> None:
    got = assign(
        np.array([[x]]),
        LINE,
        np.array([segment], dtype=np.int32),
        np.array([candidate], dtype=np.int32),
        np.array([count], dtype=np.uint8),
        weight=weight,
    )
    found = (
        int(got.segment[0]),
        int(got.candidate[0]),
        int(got.candidate_count[0]),
        bool(got.moved[0]),
    )
    assert expected == found, case
    assert got.segment.dtype == got.candidate.dtype == np.int32
    assert got.candidate_count.dtype == np.uint8


def test_exactly_ten_percent_nearer_counts() -> None:
    # At 10 from its own centroid and at 9 from the other one.
    model = CompiledModel(model_with([[0.0], [19.0]], ids=(1, 2)))
    got = assign(np.array([[10.0]]), model, *state(1), weight=2)
    assert got.moved.tolist() == [True]


def test_a_user_on_two_identical_centroids_stays() -> None:
    model = CompiledModel(model_with([[5.0], [5.0]], ids=(1, 2)))
    got = assign(np.array([[5.0]]), model, *state(2), weight=2)
    assert got.segment.tolist() == [2]
    assert got.moved.tolist() == [False]


def test_a_batch_decides_as_its_users_do_one_by_one() -> None:
    rng = np.random.default_rng(3)
    n = 300
    z = rng.uniform(-5, 25, size=(n, 1))
    segment = rng.choice([-1, 1, 2, 3, 99], size=n).astype(np.int32)
    candidate = rng.choice([-1, 1, 2, 3], size=n).astype(np.int32)
    count = rng.integers(0, 2, size=n).astype(np.uint8)
    batch = assign(z, LINE, segment, candidate, count)
    for i in range(n):
        one = slice(i, i + 1)
        alone = assign(z[one], LINE, segment[one], candidate[one], count[one])
        assert batch.segment[i] == alone.segment[0]
        assert batch.candidate[i] == alone.candidate[0]
        assert batch.candidate_count[i] == alone.candidate_count[0]
        assert batch.margin[i] == alone.margin[0]


def test_the_inputs_stay_as_they_were() -> None:
    segment, candidate, count = state(1)
    assign(np.array([[20.0]]), LINE, segment, candidate, count, weight=2)
    assert (segment[0], candidate[0], count[0]) == (1, -1, 0)


@pytest.mark.parametrize(
    ("distances", "row", "margin"),
    [
        ([1.0, 4.0], 0, 0.75),  # 1 − 1 ÷ 4
        ([0.0, 4.0], 0, 1.0),
        ([2.0, 2.0], 0, 0.0),
        ([0.0, 0.0], 0, 0.0),
        ([10.0, 9.0], 0, -0.1),  # where a move begins
        ([4.0, 0.0], 0, -1.0),
        ([3.0, 9.0, 6.0], 0, 0.5),  # the best of the others counts
        ([3.0], 0, 1.0),
    ],
)
def test_margin(distances: list[float], row: int, margin: float) -> None:
    got = margins(np.array([distances]), np.array([row]))
    assert margin == pytest.approx(got[0])


def test_nobody_to_assign_is_no_error() -> None:
    none = np.empty(0, dtype=np.int32)
    got = assign(np.empty((0, 1)), LINE, none, none, np.empty(0, dtype=np.uint8))
    assert len(got.segment) == 0


def state(segment: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array([segment], dtype=np.int32),
        np.array([-1], dtype=np.int32),
        np.array([0], dtype=np.uint8),
    )

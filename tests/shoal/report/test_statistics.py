import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.report.labels import LabelColumns, Labels
from shoal.report.mixes import mix
from shoal.report.proportions import Z_95, pooled, proportion, wilson
from shoal.report.pseudonyms import pseudonym
from shoal.report.wording import caution, headline, strength_of


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_bounds_of_wilson_are_where_the_score_test_turns(counts: tuple[int, int]) -> None:
    k, n = counts
    low, high = wilson(k, n)
    assert 0 <= low <= k / n + 1e-12
    assert k / n - 1e-12 <= high <= 1
    for bound in (low, high):
        if 1e-9 < bound < 1 - 1e-9:
            z = abs(k / n - bound) / math.sqrt(bound * (1 - bound) / n)
            assert z == pytest.approx(Z_95, rel=1e-6)


def test_an_interval_holds_the_truth_in_95_of_100_cases() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(2_000):
        trials = rng.integers(1, 40, 200)
        low_high = pooled(rng.binomial(trials, 0.07), trials)
        assert low_high is not None
        covered += low_high.low <= 0.07 <= low_high.high
    assert 0.94 <= covered / 2_000 <= 0.975


def test_a_bot_widens_the_interval_until_it_holds_the_truth_again() -> None:
    rng = np.random.default_rng(1)
    trials = rng.integers(10, 30, 300)
    clicks = rng.binomial(trials, 0.1)
    before = pooled(clicks, trials)
    trials[0], clicks[0] = 500, 400
    after = pooled(clicks, trials)
    assert before is not None
    assert after is not None
    assert before.design < 1.5 < after.design
    assert after.low < 0.1 < after.high
    assert before.high < after.high


def test_more_conversions_than_clicks_are_no_more_than_all() -> None:
    found = pooled(np.array([3, 0]), np.array([1, 1]))
    assert found is not None
    assert (found.successes, found.trials, found.share) == (2, 2, 1.0)
    assert proportion(0, 0) is None
    assert pooled(np.zeros(3, np.int64), np.zeros(3, np.int64)) is None


def labels(said: list[list[str]]) -> Labels:
    columns = LabelColumns()
    for user, names in enumerate(said):
        columns.note(user, names)
    return columns.labels(np.arange(len(said)))


def test_an_index_of_100_is_the_population() -> None:
    group = np.repeat([0, 1], 40)
    found = mix(labels([["a"] if i % 2 else ["b"] for i in range(80)]), group, 2)
    assert [(row.label, row.index, row.people) for row in found.rows(0, 9)] == [
        ("a", 100, 20),
        ("b", 100, 20),
    ]


def test_a_label_only_one_segment_has_stands_out_by_the_share_of_the_others() -> None:
    group = np.repeat([0, 1, -1], [30, 30, 30])
    said = [["x"]] * 30 + [["y"]] * 60
    found = mix(labels(said), group, 2)
    assert [(row.label, row.index) for row in found.rows(0, 9)] == [("x", 300)]
    assert [(row.label, row.index) for row in found.rows(1, 9)] == [("y", 150)]


def test_a_label_of_fewer_than_20_people_is_left_out() -> None:
    group = np.zeros(60, np.int64)
    found = mix(labels([["rare"]] * 19 + [["often"]] * 41), group, 1)
    assert [row.label for row in found.rows(0, 9)] == ["often"]


def test_age_groups_come_in_their_order() -> None:
    names = ["65+", "18-24", "100k+", "0-20k"]
    found = mix(labels([[name] for name in names for _ in range(20)]), np.zeros(80, np.int64), 1)
    rows = found.rows(0, 9, in_order=True)
    assert [row.label for row in rows] == ["0-20k", "18-24", "65+", "100k+"]


def test_effects_are_named_as_cohen_names_them() -> None:
    assert [strength_of(d) for d in (-0.9, 0.6, 0.3, -0.1)] == [
        "large",
        "medium",
        "small",
        "hardly",
    ]


def test_a_segment_like_everybody_is_said_to_be_one() -> None:
    assert "hardly be told from everybody" in headline([], [])


def test_thin_evidence_is_said() -> None:
    assert "watched 3 days at most" in str(caution(3, 0.0, 100, 100))
    assert "from profiles" in str(caution(28, 0.9, 100, 100))
    assert "not known" in str(caution(28, 0.0, 10, 100))
    assert caution(28, 0.0, 100, 100) is None


def test_ids_are_hashed_unless_they_may_be_shown() -> None:
    assert pseudonym("u1", shown=True) == "u1"
    hashed = pseudonym("u1", shown=False)
    assert "u1" not in hashed
    assert hashed == pseudonym("u1", shown=False) != pseudonym("u2", shown=False)

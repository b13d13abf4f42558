"""The benchmark's own logic, on cases small enough to check by hand."""

import numpy as np
import pytest

from benchmarks.segmentation import document
from benchmarks.segmentation.pipeline import Shoal
from benchmarks.segmentation.populations import SWITCH_DAYS, PopulationSpec
from benchmarks.segmentation.score import (
    NOBODY,
    Score,
    Tally,
    same_id_accuracy,
    score,
    switch_delays,
)
from benchmarks.segmentation.stream import RULES, Looks, Trace, nth_of_user, trace
from benchmarks.segmentation.table import CEILING, SHOAL, means, shortfalls
from consumer.population import eligible
from features.columns import build_columns
from features.fold import fold
from features.slab import Slab
from features.tiles import DAY_MS
from features.vector import vectors
from producer.rendering import Renderer
from producer.simulation import Simulation
from segments.learner import LearnerSettings

DAYS = 18
SPEC = PopulationSpec(name="small", seed=5, users=120, days=DAYS, personas=3, bots=0.02)


@pytest.fixture(scope="module")
def small() -> Trace:
    return trace(SPEC)


def looks(users: list[int], *, sweep: bool = False, day: int = 0) -> Looks:
    user = np.array(users)
    nothing = np.zeros((len(users), 13))
    return Looks(
        day=day, stream_ms=0, sweep=sweep, user=user, turn=nth_of_user(user), values=nothing,
        evidence=nothing, fresh=user < 0, offset=user,
    )  # fmt: skip


def test_ids_that_keep_their_meaning_are_right() -> None:
    persona = np.tile([0, 0, 1, 1], (9, 1))
    known = np.ones_like(persona, dtype=bool)
    assert same_id_accuracy(np.where(persona == 0, 7, 3), persona, known) == 1.0


def test_ids_that_swap_or_are_new_in_the_last_third_are_wrong() -> None:
    persona = np.tile([0, 0, 1, 1], (9, 1))
    known = np.ones_like(persona, dtype=bool)
    swapped = np.where(persona == 0, 7, 3)
    swapped[6:] = np.where(persona[6:] == 0, 3, 7)
    assert same_id_accuracy(swapped, persona, known) == 0.0
    renumbered = np.where(persona == 0, 7, 3)
    renumbered[6:, :2] = 9
    assert same_id_accuracy(renumbered, persona, known) == 0.5


def test_a_switcher_is_found_on_the_first_of_three_right_days_in_a_row() -> None:
    days = 10
    persona = np.tile([0, 1, 0, 0, 0], (days, 1))
    persona[2:, 2:] = 1  # three users switch on day 2
    daily = np.tile([5, 6, 5, 5, 5], (days, 1))
    daily[4, 2] = 6  # passes by on day 4, comes on day 6 and stays
    daily[6:, 2] = 6
    daily[3::2, 3] = 6  # there every other day
    steady = np.zeros(persona.shape, dtype=bool)
    steady[:, :2] = True
    delays = switch_delays(daily, persona, steady, [(2, 2), (3, 2), (4, 2)])
    np.testing.assert_array_equal(delays, [4.0, np.nan, np.nan])


def test_switchers_are_found_under_ids_that_change_every_day() -> None:
    persona = np.array([[0, 1, 0], [0, 1, 1], [0, 1, 1], [0, 1, 1]])
    daily = persona + 10 * np.arange(4)[:, None]
    steady = np.tile([True, True, False], (4, 1))
    assert switch_delays(daily, persona, steady, [(2, 1)]).tolist() == [0.0]


def test_every_change_of_a_label_counts_but_the_first_label_does_not() -> None:
    tally = Tally(days=2, users=3)
    tally.note(looks([0, 1, 0, 0]), np.array([4, 5, 4, 6]))
    tally.note(looks([0, 1, 2], sweep=True), np.array([6, 5, 5]))
    tally.note(looks([0, 0], day=1), np.array([4, 6]))
    assert tally.changes.tolist() == [[1, 0, 0], [2, 0, 0]]
    assert tally.label.tolist() == [6, 5, 5]
    assert tally.daily.tolist() == [[6, 5, 5], [NOBODY, NOBODY, NOBODY]]


def test_the_trace_sees_what_a_fold_of_the_whole_stream_sees(small: Trace) -> None:
    settings = SPEC.settings()
    simulation = Simulation(settings, SWITCH_DAYS)
    slab = Slab(settings.users)
    renderer = Renderer(simulation.people)
    for batch in simulation.days():
        events = [one.event for one in renderer.render(batch)]
        stream_ms = np.maximum.accumulate(batch.arrival_ms)
        fold(slab, build_columns(events, batch.user, stream_ms, slab.interests))
    everybody = np.arange(settings.users)
    users = everybody[eligible(slab, everybody, RULES)]
    end = small.everybody()
    found = vectors(slab, users, end.stream_ms)
    np.testing.assert_array_equal(end.user, users)
    np.testing.assert_array_equal(end.values, found.values)
    np.testing.assert_array_equal(end.evidence, found.evidence)


def test_in_a_population_of_bursts_a_day_comes_within_ten_minutes() -> None:
    bursts = trace(PopulationSpec(name="b", seed=5, users=60, days=6, bursts=True, disorder=0.0))
    hours = [one for one in bursts.looks if not one.sweep]
    visits = sum(len(np.unique(one.user)) for one in hours)
    days = sum(
        len(np.unique(np.concatenate([one.user for one in hours if one.day == day])))
        for day in range(6)
    )
    assert visits <= 1.15 * days  # a visit may run over the full hour


def test_shoal_runs_through_the_trace_and_is_scored(small: Trace) -> None:
    shoal = Shoal(small.persona.shape[1], LearnerSettings(segments=3, bootstrap_days=6.0))
    tally = Tally(*small.persona.shape)
    for one in small.looks:
        tally.note(one, shoal.look(one))
    first_day = (shoal.releases[0].released_ms - SPEC.settings().start_ms) // DAY_MS + 1
    result = score(tally, small, first_day)
    assert len(shoal.releases) > 5
    assert result.ari > 0.5, SPEC.seed
    assert result.same_id > 0.7, SPEC.seed
    assert 0 <= result.per_1000 < 10, SPEC.seed


def good(**changed: float) -> Score:
    columns = {"ari": 0.95, "same_id": 0.96, "per_1000": 0.3, "found": 0.99, "delay_days": 14.0}
    return Score(**(columns | changed))


def test_the_table_says_what_it_must_show_and_does_not() -> None:
    ceiling = good(ari=0.97)
    assert shortfalls({SHOAL: good(), CEILING: ceiling, "x": good(ari=0.99)}) == []
    (found,) = shortfalls({SHOAL: good(), CEILING: ceiling, "x": good(ari=0.99, found=1.0)})
    assert found == "x is better in ari, found"
    for bad in ({"ari": 0.9}, {"same_id": 0.9}, {"per_1000": 0.6}, {"found": 0.9}):
        assert len(shortfalls({SHOAL: good(**bad), CEILING: ceiling})) == 1


def test_populations_without_switchers_do_not_count_where_switchers_are_found() -> None:
    nothing = float("nan")
    average = means({"a": {"x": good(found=0.8)}, "b": {"x": good(found=nothing, ari=0.85)}})
    assert average["x"].found == 0.8
    assert average["x"].ari == pytest.approx(0.9)


def test_a_block_of_a_document_is_replaced_and_nothing_else() -> None:
    text = "a\n<!-- t: begin -->\nold\n<!-- t: end -->\nb\n"
    assert document.put(text, "t", "new\n") == text.replace("old", "new")
    with pytest.raises(ValueError, match="'u'"):
        document.put(text, "u", "new")

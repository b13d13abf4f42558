from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from consumer.trend import DAYS_KEPT
from features.tiles import DAY_MS
from segments.model import SegmentModel
from shoal.report.document import Report
from shoal.report.history import put_together
from shoal.report.making import encoded
from shoal.report.page import render
from shoal.report.population import PopulationBuilder
from shoal.report.profiling import make_report
from tests.shoal.report.synthetic import SyntheticState
from tests.shoal.report.truths import score


@pytest.fixture(scope="module")
def report(state: SyntheticState) -> Report:
    return make_report(state.people, state.model, state.history)


def test_a_report_agrees_with_what_is_true_of_synthetic_people(state: SyntheticState) -> None:
    people = state.people
    found = score(make_report(people, state.model), people, state.truth)
    assert found.segments == 6
    assert found.top_features == 6, found
    assert found.top_interests >= 5, found
    assert found.covered >= 11, found


def test_the_same_state_gives_the_same_bytes(state: SyntheticState, report: Report) -> None:
    reversed_chunks = PopulationBuilder(state.meta.as_of_ms)
    slots = np.arange(len(state.user_ids))[::-1]
    for part in np.array_split(slots, 7):
        reversed_chunks.add(state.slab, part, [state.user_ids[slot] for slot in part.tolist()])
    again = make_report(reversed_chunks.build(), state.model, state.history)
    assert encoded(again, None) == encoded(report, None)
    assert render(again) == render(report)


def test_sizes_add_up(report: Report) -> None:
    assert report.assigned == sum(one.users or 0 for one in report.segments)
    assert sum(one.share or 0 for one in report.segments) == pytest.approx(1)
    sizes = [one.users or 0 for one in report.segments]
    assert sizes == sorted(sizes, reverse=True)
    assert [one.trend[-1].users for one in report.segments] == sizes


def test_the_flow_is_that_of_the_trend(state: SyntheticState, report: Report) -> None:
    arrivals = sum(flow.moves for one in report.segments for flow in one.came_from)
    moves = sum(sum(day.moves.values()) for day in state.history.values())
    assert 0 < arrivals <= moves == state.meta.sequence
    assert all(flow.moves >= 20 for one in report.segments for flow in one.went_to)


def numbers_of(document: Any) -> Iterator[tuple[str, Any]]:
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for name, value in items:
        yield str(name), value
        if isinstance(value, dict | list):
            yield from numbers_of(value)


def test_no_group_of_fewer_than_20_people_is_in_the_json_or_on_the_page(
    state: SyntheticState,
) -> None:
    people, model = state.people, state.model
    assert model is not None
    few = np.flatnonzero(people.segment == model.ids[0])[19:]
    segment = people.segment.copy()
    segment[few] = -1
    small = make_report(replace(people, segment=segment), model, state.history)
    hidden = next(one for one in small.segments if one.id == model.ids[0])
    assert hidden.users is None
    assert hidden == msgspec.structs.replace(
        type(hidden)(id=hidden.id, name=hidden.name, users=None, headline=hidden.headline)
    )
    counts = [value for name, value in numbers_of(msgspec.to_builtins(small)) if name == "people"]
    assert min(value for value in counts if value is not None) >= 20
    assert f'id="segment-{hidden.id}"' not in render(small)
    assert "under 20" in render(small)


def test_ids_appear_only_when_asked_for(state: SyntheticState, report: Report) -> None:
    shown = make_report(state.people, state.model, state.history, show_ids=True)
    ids = {person.user for one in shown.segments for person in one.typical}
    assert ids <= set(state.user_ids)
    assert not ids & {person.user for one in report.segments for person in one.typical}


def test_rates_that_only_profiles_know_have_no_interval(state: SyntheticState) -> None:
    people = state.people
    totals = replace(
        people.totals,
        counts=np.zeros_like(people.totals.counts),
        known=np.full_like(people.totals.known, 0.25),
    )
    told = make_report(replace(people, totals=totals), state.model)
    for one in told.segments:
        assert one.ctr is not None
        assert (one.ctr.observed, one.ctr.from_profiles) == (None, 0.25)
        assert "from profiles" in str(one.caution)
    assert "from profiles, no interval" in render(told)


def test_before_the_first_model_there_is_a_page_that_says_so(state: SyntheticState) -> None:
    people = state.people
    nobody = replace(people, segment=np.full(len(people), -1, np.int32))
    page = render(make_report(nobody, None, {}))
    assert "There are no segments yet." in page
    empty = PopulationBuilder(0).build()
    assert "0 people" in render(make_report(empty, None))


def test_a_retired_segment_that_people_are_still_in_is_described(state: SyntheticState) -> None:
    people = state.people
    segment = np.where(people.segment == 1, 99, people.segment).astype(np.int32)
    report = make_report(replace(people, segment=segment), state.model, state.history)
    old = next(one for one in report.segments if one.id == 99)
    assert old.users
    assert old.typical == []
    render(report)


def test_names_from_outside_are_text_on_the_page(state: SyntheticState) -> None:
    assert state.model is not None
    renamed: SegmentModel = msgspec.structs.replace(state.model, renamed={1: "<b>&\"'</b>"})
    page = render(make_report(state.people, renamed, state.history))
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page


def test_a_silent_partition_keeps_its_users_in_the_history(state: SyntheticState) -> None:
    last = state.meta.as_of_ms // DAY_MS
    later = put_together([state.trend, {}], range(last, last + 3))
    assert later[last + 2].users == later[last].users == state.meta.users
    assert not later[last + 2].moves
    assert put_together([state.trend], range(last + DAYS_KEPT + 9, last + DAYS_KEPT + 10)) == {}

from __future__ import annotations

import pytest

from benchmarks.bench_campaigns import BUDGETS, outcomes, people_of
from segments.model import SegmentModel
from shoal.campaigns.targets import DEMOGRAPHICS, GROUP_MIN, targets
from shoal.report.population import ReportPopulation

People = tuple[ReportPopulation, SegmentModel]


@pytest.fixture(scope="module")
def synthetic() -> People:
    people, model, _ = people_of(seed=1, users=400, events=20_000)
    return people, model


def test_the_counts_of_all_segments_are_those_of_their_people(synthetic: People) -> None:
    people, model = synthetic
    found = targets(people, model, demographics=False)
    inside = people.segment >= 0
    assert sum(one.reach for one in found) == inside.sum()
    for name in ("impressions", "clicks", "conversions"):
        total = int(people.totals.count(name)[inside].sum())
        assert sum(getattr(one, name) for one in found) == total > 0
    assert all(one.click_scatter > 0 for one in found)


def test_audiences_are_described_in_words(synthetic: People) -> None:
    people, model = synthetic
    found = targets(people, model, demographics=False)
    assert all(one.device and "of events" in one.device for one in found)
    assert all(
        one.time and one.time.startswith(("weekends", "weekdays", "any day")) for one in found
    )
    assert {one.device.split()[0] for one in found if one.device} == {"mobile", "desktop"}
    standouts = [one for target in found for one in target.interests]
    assert standouts
    assert all(one.users >= GROUP_MIN and one.index >= 120 for one in standouts)


def test_demographics_are_looked_at_only_when_asked_for(synthetic: People) -> None:
    people, model = synthetic
    assert all(one.demographics == () for one in targets(people, model, demographics=False))
    asked = targets(people, model, demographics=True)
    for one in asked:
        assert all(found.label.split()[0] in DEMOGRAPHICS for found in one.demographics)
    # Nothing else changes by it.
    plain = targets(people, model, demographics=False)
    assert [(a.reach, a.clicks, a.interests) for a in asked] == [
        (b.reach, b.clicks, b.interests) for b in plain
    ]


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_the_best_split_brings_more_at_the_true_rates_than_both_others(seed: int) -> None:
    for share, found in zip(BUDGETS, outcomes(seed, users=500, events=20_000), strict=True):
        brought = found.conversions
        assert brought["best"] > brought["equal"], (seed, share)
        assert brought["best"] > brought["proportional"], (seed, share)
        assert brought["best"] <= brought["true rates"] * (1 + 1e-9)

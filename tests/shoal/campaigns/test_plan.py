from __future__ import annotations

import pytest

from shoal.campaigns.plan import NothingToPlan, make_plan
from shoal.campaigns.targets import Known, Target, design_effect, trials_of
from tests.shoal.campaigns.audiences import audience, conditions

POOR, RICH = (
    audience(1, clicks=1_000, conversions=20),
    audience(2, clicks=4_000, conversions=800),
)


def test_the_best_split_prefers_the_segment_that_converts_and_says_by_how_much() -> None:
    plan = make_plan([POOR, RICH], conditions(), demographics=False)
    assert [one.id for one in plan.segments] == [2, 1]
    assert plan.best.spend == pytest.approx({1: 2.5, 2: 47.5})
    assert plan.equal.spend == pytest.approx({1: 25, 2: 25})
    assert plan.best.lift.expected == 0
    lift = plan.equal.lift
    assert lift.high is not None
    assert 0 < lift.low < lift.expected < lift.high
    found = plan.best.conversions.expected / plan.equal.conversions.expected - 1
    assert found == pytest.approx(lift.expected)
    assert plan.evidence == "40,000 impressions in the newest 28 days"
    parts = sum(one.expected_conversions.expected for one in plan.segments)
    assert parts == pytest.approx(plan.best.conversions.expected)


def test_figures_of_a_segment_hang_together() -> None:
    plan = make_plan([POOR, RICH], conditions(), demographics=False)
    (rich,) = [one for one in plan.segments if one.id == 2]
    assert rich.clicks_per_1000.expected == pytest.approx(200, rel=0.02)
    assert rich.conversions_per_1000.expected == pytest.approx(40, rel=0.05)
    cost = rich.cost_per_conversion
    assert cost.expected == pytest.approx(5 / rich.conversions_per_1000.expected)
    assert cost.high is not None
    assert cost.low < cost.expected < cost.high
    assert rich.buys == pytest.approx(rich.spend / 0.005, abs=1)
    assert rich.frequency == 20


def test_three_clicks_do_not_get_the_whole_budget() -> None:
    lucky = audience(3, reach=1_000, impressions=40, clicks=3, conversions=3)
    others = [audience(n, clicks=400 + n, conversions=20 + n) for n in (1, 2, 4, 5)]
    plan = make_plan([*others, lucky], conditions(min_share=0.05), demographics=False)
    rates = {one.id: one.conversions_per_1000 for one in plan.segments}
    assert rates[3].expected < 1.5 * rates[1].expected  # counted alone it would be 75 times as much
    high = rates[3].high
    assert high is not None
    assert high - rates[3].low > rates[1].expected / 4


def test_a_segment_that_is_too_small_is_left_out_and_named() -> None:
    plan = make_plan([POOR, audience(2, reach=19)], conditions(), demographics=False)
    assert [one.id for one in plan.segments] == [1]
    assert [(one.id, one.reach) for one in plan.left_out] == [(2, 19)]


def test_there_must_be_somebody_and_something_to_go_by() -> None:
    with pytest.raises(NothingToPlan, match="no segment has 20 users"):
        make_plan([audience(1, reach=3)], conditions(), demographics=False)
    never = audience(1, impressions=0, clicks=0, conversions=0)
    with pytest.raises(NothingToPlan, match="nobody was shown an ad"):
        make_plan([never], conditions(), demographics=False)


def test_what_profiles_know_stands_in_for_what_was_not_observed() -> None:
    def known(number: int, ctr: float) -> Target:
        nothing = {"impressions": 0, "clicks": 0, "conversions": 0}
        stands_for = Known(impressions=20_000, clicks=20_000 * ctr, chances=10_000, conversions=500)
        return audience(number, known=stands_for, **nothing)

    plan = make_plan([known(1, 0.05), known(2, 0.2)], conditions(), demographics=False)
    assert [one.id for one in plan.segments] == [2, 1]
    assert plan.segments[0].clicks_per_1000.expected == pytest.approx(200, rel=0.03)
    assert plan.evidence.startswith("0 impressions in the newest 28 days")
    assert "counts as 40,000 more" in plan.evidence
    assert "too narrow" in plan.evidence


def test_people_who_differ_count_for_less() -> None:
    sure = trials_of([POOR, RICH])
    by_chance = 20_000 * 0.05 * 0.95 + 20_000 * 0.2 * 0.8
    unsure = trials_of(
        [
            audience(1, clicks=1_000, conversions=20, click_scatter=by_chance),
            audience(2, clicks=4_000, conversions=800, click_scatter=3 * by_chance),
        ]
    )
    assert (sure.impressions / unsure.impressions).tolist() == pytest.approx([4, 4])
    assert (sure.clicks / unsure.clicks).tolist() == pytest.approx([4, 4])
    assert sure.conversions.tolist() == unsure.conversions.tolist()
    assert design_effect(sure.impressions, sure.clicks, sure.clicks * 0) == 1


def test_equal_states_give_equal_plans() -> None:
    one, other = (make_plan([POOR, RICH], conditions(), demographics=False) for _ in range(2))
    assert one == other


def test_a_price_per_segment_moves_the_money() -> None:
    want = conditions(budget=1.0, cpm={1: 0.1, 2: 50.0})
    plan = make_plan([POOR, RICH], want, demographics=False)
    assert plan.best.spend == pytest.approx({1: 0.95, 2: 0.05})
    assert [one.cpm for one in plan.segments] == [0.1, 50.0]

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from consumer.tally import Rates
from features.catalogue import FEATURE_NAMES, MODEL_FEATURES
from segments.bootstrap import bootstrap
from segments.model import NO_SEGMENT, SegmentModel
from shoal.campaigns.results import campaign_results
from shoal.report.history import Day, History


@pytest.fixture(scope="module")
def model() -> SegmentModel:
    rng = np.random.default_rng(1)
    values = np.exp(rng.normal(0, 1, (60, len(FEATURE_NAMES))))
    return bootstrap(values, np.full_like(values, 100.0), 2, rng, MODEL_FEATURES)


def rates(impressions: int, clicks: int, conversions: int = 0) -> Rates:
    return Rates(impressions=impressions, clicks=clicks, conversions=conversions, amount=2.5)


@pytest.fixture
def history() -> History:
    return {
        100: Day(campaigns={"spring": {1: rates(1_000, 500)}}),
        128: Day(campaigns={"spring": {1: rates(100, 10, 1), 2: rates(300, 15)}}),
        129: Day(
            users=Counter({1: 40, 2: 30, 3: 19}),
            campaigns={
                "autumn": {3: rates(50, 5), NO_SEGMENT: rates(20, 0)},
                "spring": {1: rates(150, 20, 4)},
            },
        ),
    }


def test_results_add_up_over_the_newest_days(history: History, model: SegmentModel) -> None:
    found = campaign_results(history, model, 28)
    assert [(one.campaign, one.segment, one.impressions, one.clicks) for one in found] == [
        ("autumn", None, 20, 0),
        ("spring", 2, 300, 15),
        ("spring", 1, 250, 30),
    ]
    first = found[2]
    assert (first.conversions, first.amount, first.name) == (5, 5.0, model.name_of(1))
    assert first.ctr is not None
    assert first.ctr.low < first.ctr.share == 0.12 < first.ctr.high
    assert found[0].conversion_rate is None


def test_a_segment_of_few_people_is_not_told(history: History, model: SegmentModel) -> None:
    assert 3 not in {one.segment for one in campaign_results(history, model, 28)}


def test_more_days_take_older_ones_in(history: History, model: SegmentModel) -> None:
    spring = {one.segment: one for one in campaign_results(history, model, 30)}[1]
    assert spring.impressions == 1_250


def test_without_a_trend_there_is_nothing(model: SegmentModel) -> None:
    assert campaign_results({}, model, 28) == []

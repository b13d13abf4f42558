import numpy as np
import pytest
from hypothesis import given, settings

from features.events import DEVICE_CODES, METRIC_NAMES
from features.tiles import DAY_COUNTS, DAY_MS, HOUR_MS
from features.totals import Totals, totals
from features.vector import vectors
from tests.features.builders import NOON_MS, a_day, activity, folder_of, profile
from tests.features.streams import Record, folded, streams


def totals_of(*events: object) -> Totals:
    folder = folder_of(events)  # type: ignore[arg-type]
    return totals(folder.slab, np.array([0]), NOON_MS)


@settings(max_examples=30, deadline=None)
@given(streams())
def test_totals_are_what_the_ratios_are_made_of(records: list[Record]) -> None:
    folder = folded(records)
    found = totals(folder.slab, folder.slots, folder.stream_ms)
    seen = vectors(folder.slab, folder.slots, folder.stream_ms).values
    known = np.isfinite(found.known[:, METRIC_NAMES.index("ctr")])
    shown, clicked = found.count("impressions"), found.count("clicks")
    rows = ~known & (shown > 0)
    np.testing.assert_allclose(
        np.minimum(1.0, clicked[rows] / shown[rows]), seen[rows, 5], rtol=1e-12
    )
    spent = found.sum("amount")
    np.testing.assert_allclose(np.nan_to_num(seen[:, 10]), spent, rtol=1e-12)
    assert (np.nan_to_num(seen[:, 12]) == found.hours.sum(axis=1)).all()
    assert (found.weekend_activity <= found.count("activity")).all()


def test_activity_is_split_at_the_weekend() -> None:
    # NOON_MS is a Tuesday: three days before it was a Saturday.
    found = totals_of(activity(), activity(ago=3 * a_day), activity(ago=4 * a_day))
    assert found.count("activity").tolist() == [3]
    assert found.weekend_activity.tolist() == [1]
    assert (found.observed_weekdays[0], found.observed_weekend_days[0]) == (3, 2)


def test_the_last_day_is_told_by_hour_of_the_day() -> None:
    found = totals_of(activity(), activity(ago=13 * HOUR_MS), activity(ago=24 * HOUR_MS))
    assert np.flatnonzero(found.hours[0]).tolist() == [12, 23]


def test_what_left_the_window_is_not_counted() -> None:
    found = totals_of(activity("ad_click"), activity("ad_click", ago=28 * DAY_MS))
    assert found.count("clicks").tolist() == [1]


def test_a_known_zero_is_told_from_nothing() -> None:
    found = totals_of(profile(ctr=0.0))
    known = dict(zip(METRIC_NAMES, found.known[0].tolist(), strict=True))
    assert known["ctr"] == 0.0
    assert np.isnan(known["conversion_rate"])


def test_devices_are_counts_as_of_now() -> None:
    assert list(DEVICE_CODES)[1] == "mobile"
    found = totals_of(activity(device="mobile"), activity(device="tablet", ago=14 * a_day))
    assert found.mobile.tolist() == [pytest.approx(1)]
    assert found.devices.tolist() == [pytest.approx(1.5)]


def test_parts_joined_again_are_the_whole() -> None:
    found = totals_of(activity("page_view"))
    both = Totals.joined([found, found]).part(np.array([1]))
    assert both.counts.tolist() == found.counts.tolist()
    assert len(DAY_COUNTS) == both.counts.shape[1]

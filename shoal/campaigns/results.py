"""What each campaign has brought in each segment, from the campaign ids of events."""

from __future__ import annotations

import msgspec

from consumer.tally import Rates
from segments.model import NO_SEGMENT, SegmentModel
from shoal.campaigns.targets import GROUP_MIN
from shoal.report.history import History
from shoal.report.proportions import Proportion, proportion


class CampaignResult(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign in one segment.

    Attributes:
        campaign: Its id in the events; "other" for all beyond the 200 that are kept a day.
        segment: Segment id, in which the people were when it happened; null for none.
        name: Of the segment.
        impressions, clicks, conversions: How many.
        amount: Sum of the conversions' amounts.
        ctr, conversion_rate: With their 95 % intervals (Wilson); null without trials.
    """

    campaign: str
    segment: int | None
    name: str
    impressions: int
    clicks: int
    conversions: int
    amount: float
    ctr: Proportion | None
    conversion_rate: Proportion | None


def campaign_results(history: History, model: SegmentModel, days: int) -> list[CampaignResult]:
    """Add campaigns up over the newest days.

    Args:
        history: The trend, by day.
        model: Names the segments.
        days: How many days back from the newest one.

    Returns:
        By campaign, and within it the segment with most impressions first. Segments that had
        fewer than 20 people on the newest day are left out.
    """
    if not history:
        return []
    newest = max(history)
    sizes = history[newest].users
    found: dict[tuple[str, int], Rates] = {}
    for number, day in history.items():
        if number <= newest - days:
            continue
        for campaign, by_segment in day.campaigns.items():
            for segment, rates in by_segment.items():
                if segment == NO_SEGMENT or sizes.get(segment, 0) >= GROUP_MIN:
                    found.setdefault((campaign, segment), Rates()).add(rates)
    order = sorted(found, key=lambda key: (key[0], -found[key].impressions, key[1]))
    return [_result(*key, found[key], model) for key in order]


def _result(campaign: str, segment: int, rates: Rates, model: SegmentModel) -> CampaignResult:
    """Put one line together."""
    nowhere = segment == NO_SEGMENT
    return CampaignResult(
        campaign=campaign,
        segment=None if nowhere else segment,
        name="without a segment" if nowhere else model.name_of(segment),
        impressions=rates.impressions,
        clicks=rates.clicks,
        conversions=rates.conversions,
        amount=rates.amount,
        ctr=proportion(rates.clicks, rates.impressions),
        conversion_rate=proportion(rates.conversions, rates.clicks),
    )

"""What the trend says of one segment: its size by day, where people came from, its campaigns."""

from collections import Counter

from consumer.tally import Rates
from features.tiles import DAY_MS
from segments.changes import rfc3339
from segments.model import NO_SEGMENT, SegmentModel
from shoal.report.document import CampaignRow, DaySize, Flow
from shoal.report.history import Day, History
from shoal.report.mixes import GROUP_MIN
from shoal.report.proportions import proportion

FLOWS = 5
CAMPAIGNS = 8
TRIALS_MIN = 50
"""A day's rate is drawn from so many trials on."""


class Past:
    """The trend, asked segment by segment."""

    def __init__(self, history: History, model: SegmentModel, ids: set[int]) -> None:
        """Look at a trend.

        Args:
            history: by day.
            model: names the segments.
            ids: the segments there are now.
        """
        self._history = history
        self._model = model
        self._ids = ids
        self._routes: Counter[tuple[int, int]] = Counter()
        for day in history.values():
            for (previous, current, _), count in day.moves.items():
                self._routes[previous, current] += count

    def sizes(self, segment: int) -> list[DaySize]:
        """Give a segment's days."""
        return [self._size(number, day, segment) for number, day in self._history.items()]

    def came_from(self, segment: int) -> list[Flow]:
        """Give where people came from, the most first."""
        return self._flows({p: n for (p, c), n in self._routes.items() if c == segment}, "new")

    def went_to(self, segment: int) -> list[Flow]:
        """Give where people went, the most first."""
        return self._flows({c: n for (p, c), n in self._routes.items() if p == segment}, "gone")

    def campaigns(self, segment: int) -> list[CampaignRow]:
        """Give the campaigns that the people of a segment saw most of."""
        found: dict[str, Rates] = {}
        for day in self._history.values():
            for campaign, rates in day.campaigns.items():
                if segment in rates:
                    found.setdefault(campaign, Rates()).add(rates[segment])
        largest = sorted(found.items(), key=lambda one: (-one[1].impressions, one[0]))
        return [
            CampaignRow(
                campaign=campaign,
                clicks=proportion(rates.clicks, rates.impressions),
                conversions=proportion(rates.conversions, rates.clicks),
                amount=rates.amount,
            )
            for campaign, rates in largest[:CAMPAIGNS]
            if rates.impressions >= TRIALS_MIN
        ]

    def _size(self, number: int, day: Day, segment: int) -> DaySize:
        users, rates = day.users.get(segment, 0), day.rates.get(segment, Rates())
        enough = users >= GROUP_MIN
        return DaySize(
            day=rfc3339(number * DAY_MS)[:10],
            users=users if enough else None,
            ctr=_share(rates.clicks, rates.impressions) if enough else None,
            conversion_rate=_share(rates.conversions, rates.clicks) if enough else None,
        )

    def _flows(self, counts: dict[int, int], outside: str) -> list[Flow]:
        kept = {segment: n for segment, n in counts.items() if n >= GROUP_MIN}
        return [
            Flow(
                segment=None if segment == NO_SEGMENT else segment,
                name=outside if segment == NO_SEGMENT else self._model.name_of(segment),
                moves=count,
            )
            for segment, count in sorted(kept.items(), key=lambda one: (-one[1], one[0]))[:FLOWS]
        ]


def _share(successes: int, trials: int) -> float | None:
    return min(1.0, successes / trials) if trials >= TRIALS_MIN else None

"""Day after day of a synthetic stream, as columns in the order of arrival."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from features.tiles import DAY_MS
from producer.activity import Activity
from producer.batch import EventBatch, Floats, Ints, concatenate
from producer.disorder import delayed, long_ago, resent
from producer.oddities import Oddities, plan_oddities
from producer.population import Population
from producer.scenario import SyntheticSettings
from producer.truth import Ledger


@dataclass(frozen=True)
class DayPlan:
    """How many records a day has, but for those planned ahead (`Oddities`)."""

    ordinary: int
    duplicates: int
    late: int


class Simulation:
    """A population and what it does; everything follows from the settings.

    Each day has a random generator of its own, so that a day does not depend on how many
    numbers earlier days have drawn.

    Attributes:
        people: The users.
        ledger: What is true about them, for the days generated so far.
    """

    def __init__(self, settings: SyntheticSettings, switch_days: tuple[int, int]) -> None:
        """Draw the users and settle how many events each day gets.

        Args:
            settings: Sizes and shares.
            switch_days: Switchers switch on one of these days, the second excluded.
        """
        self.settings = settings
        rng = np.random.default_rng([settings.seed, 0])
        self.people = Population(settings, switch_days, rng)
        self.ledger = Ledger(self.people)
        self._oddities: Oddities = plan_oddities(self.people, rng)
        self._activity = Activity(self.people)
        self._serial = 0
        self._plans = self._plan_days()

    def days(self, endless: bool = False) -> Iterator[EventBatch]:
        """Yield each day's records in order of arrival; together exactly `settings.events`.

        What arrives after its day has ended is yielded with the day it arrives in, and with the
        last day whatever is left.

        Args:
            endless: Go on after the last day, at the same rates, for ever.
        """
        under_way: list[EventBatch] = []
        for day in count() if endless else range(self.settings.days):
            under_way.append(self._day(day))
            records = concatenate(under_way)
            records = records.take(np.argsort(records.arrival_ms, kind="stable"))
            end_ms = self.settings.start_ms + (day + 1) * DAY_MS
            last = not endless and day == self.settings.days - 1
            arrived = len(records) if last else int(np.searchsorted(records.arrival_ms, end_ms))
            under_way = [records.take(np.arange(arrived, len(records)))]
            yield records.take(np.arange(arrived))

    def _day(self, day: int) -> EventBatch:
        """Generate what happens on one day."""
        rng = np.random.default_rng([self.settings.seed, 1, day])
        rates = self.people.rates(day)
        plan = self._plans[day] if day < len(self._plans) else self._steady_plan(day)
        ordinary = self._activity.draw(day, rates, plan.ordinary, rng)
        odd = self._oddities.draw(self.people, day, rng)
        once = delayed(
            self._numbered(concatenate([ordinary, odd])), self.settings.out_of_order, rng
        )
        again = resent(once, plan.duplicates, rng)
        midnight_ms = self.settings.start_ms + day * DAY_MS
        late = self._numbered(long_ago(plan.late, midnight_ms, rates, rng))

        self.ledger.add_day(rates)
        self.ledger.add_activity(ordinary, rates)
        self.ledger.add_records(once.user, distinct=True)
        self.ledger.add_records(np.concatenate([again.user, late.user]), distinct=False)
        return concatenate([once, again, late])

    def _numbered(self, batch: EventBatch) -> EventBatch:
        """Give each event the next serial number."""
        first = self._serial
        self._serial += len(batch)
        return replace(batch, serial=np.arange(first, self._serial))

    def _plan_days(self) -> list[DayPlan]:
        """Divide the events among the days as the users' rates do, to the last event."""
        settings = self.settings
        duplicates = round(settings.events * settings.duplicates)
        # None on the first day: a stream that begins with a late event does not know it is late.
        late = round(settings.events * settings.late) if settings.days > 1 else 0
        ordinary = max(settings.events - self._oddities.events() - duplicates - late, 0)

        weights = np.array(
            [self.people.rates(day).expected_events().sum() for day in range(settings.days)]
        )
        self.people.scale = ordinary / weights.sum()
        late_weights = np.where(np.arange(settings.days) > 0, weights, 0)
        ordinary_by_day = _divided(ordinary, weights)
        # A resent record needs one to resend.
        duplicates_by_day = np.minimum(_divided(duplicates, weights), ordinary_by_day)
        late_by_day = _divided(late, late_weights) if late else np.zeros(settings.days, dtype=int)
        missing = duplicates - int(duplicates_by_day.sum())
        ordinary_by_day[-1] += missing
        return [
            DayPlan(*map(int, numbers))
            for numbers in zip(ordinary_by_day, duplicates_by_day, late_by_day, strict=True)
        ]

    def _steady_plan(self, day: int) -> DayPlan:
        """Plan a day beyond the stream's length at the same rates."""
        expected = float(self.people.rates(day).expected_events().sum())
        return DayPlan(
            ordinary=round(expected),
            duplicates=round(expected * self.settings.duplicates),
            late=round(expected * self.settings.late),
        )


def _divided(total: int, weights: Floats) -> Ints:
    """Divide a number in proportion to weights into whole numbers that sum to it exactly."""
    bounds = np.round(np.cumsum(weights) / weights.sum() * total)
    parts: Ints = np.diff(bounds, prepend=0.0).astype(np.int64)
    return parts

"""What the users do on one day: visits, and in them sessions, page views, ads and what follows.

Times come in visits, not evenly: up to three a day, at the hours of the persona, each with its
device. Clicks, engagements and conversions grow from impressions by chance with the user's own
probabilities, so the true rates are known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from features.events import TYPE_CODES
from features.tiles import DAY_MS
from producer.batch import (
    CAMPAIGNS,
    DEVICES,
    INTEREST_BASE,
    INTERESTS_MAX,
    EventBatch,
    Floats,
    Ints,
    concatenate,
    new_batch,
)
from producer.personas import INTERESTS
from producer.population import ENGAGED_SHARE, UNFOLLOWS_PER_FOLLOW, Population, Rates
from producer.rhythm import DayClock

_VISITS = 3
_VISIT_SHARES = np.cumsum([0.6, 0.3])  # The rest falls into the third.
_WITHIN_VISIT_MS = 6 * 60_000  # Mean distance of an event from the beginning of its visit.
_TABLET_OF_OTHERS = 0.15  # Share of tablets among what is not mobile.
_INTEREST_COUNTS = np.cumsum(
    [0.25, 0.40, 0.20]
)  # None, one, two; the rest of the events has three.
_SESSION_SPREAD = 0.3
_SESSION_S_MAX = 16 * 3600.0
_AD_SPREAD = 0.35
_AMOUNT_SPREAD = 0.5


@dataclass(frozen=True)
class Visits:
    """When and with what each user comes on a day; int64[users, visits]."""

    time_ms: Ints
    device: Ints


class Activity:
    """Draws a day's events of a population."""

    def __init__(self, people: Population) -> None:
        """Prepare what does not change from day to day."""
        self._people = people
        self._clock = DayClock(people.personas)
        self._order = _interest_order(people)

    def draw(self, day: int, rates: Rates, total: int, rng: np.random.Generator) -> EventBatch:
        """Draw exactly `total` events, without arrival times and serials.

        Page views make up the difference between what chance gave and what was asked for.

        Args:
            day: Day of the stream.
            rates: The population's on that day.
            total: Number of events.
            rng: This day's own.
        """
        visits = self._visits(day, rates, rng)
        plain = [
            self._plain(name, _users(numbers), visits, rng)
            for name, numbers in (
                ("page_view", _habit(rng, rates.page_views)),
                ("reaction", _habit(rng, rates.reactions)),
                ("follow", rng.poisson(rates.follows)),
                ("unfollow", rng.poisson(rates.follows * UNFOLLOWS_PER_FOLLOW)),
            )
        ]
        everything = [*plain, self._sessions(rates, visits, rng), *self._ads(rates, visits, rng)]
        batch = concatenate(everything)
        if len(batch) < total:
            users = _weighted(rng, rates.page_views, total - len(batch))
            batch = concatenate([batch, self._plain("page_view", users, visits, rng)])
        elif len(batch) > total:
            batch = batch.take(_kept(batch, total, rng))
        return self._with_interests(batch, rates, rng)

    def _visits(self, day: int, rates: Rates, rng: np.random.Generator) -> Visits:
        """Draw each user's visits of the day."""
        shape = (len(self._people), _VISITS)
        midnight_ms = self._people.settings.start_ms + day * DAY_MS
        times_ms = midnight_ms + self._clock.draw_ms(rates.persona, rng.random(shape))
        mobile = rng.random(shape) < rates.mobile_share[:, None]
        tablet = rng.random(shape) < _TABLET_OF_OTHERS
        other = np.where(tablet, DEVICES.index("tablet"), DEVICES.index("desktop"))
        return Visits(times_ms, np.where(mobile, DEVICES.index("mobile"), other))

    def _plain(
        self, event_type: str, users: Ints, visits: Visits, rng: np.random.Generator
    ) -> EventBatch:
        """Place events of the given users into their visits."""
        visit = np.searchsorted(_VISIT_SHARES, rng.random(len(users)))
        within_ms = rng.exponential(_WITHIN_VISIT_MS, len(users)).astype(np.int64)
        return new_batch(
            event_type,
            users,
            visits.time_ms[users, visit] + within_ms,
            device=visits.device[users, visit],
        )

    def _sessions(self, rates: Rates, visits: Visits, rng: np.random.Generator) -> EventBatch:
        """Draw sessions with their durations."""
        users = _users(_habit(rng, rates.sessions))
        batch = self._plain("session", users, visits, rng)
        seconds = rates.session_s[users] * _around_one(rng, len(users), _SESSION_SPREAD)
        return replace(batch, duration_s=np.clip(seconds, 1.0, _SESSION_S_MAX).round(1))

    def _ads(
        self, rates: Rates, visits: Visits, rng: np.random.Generator
    ) -> tuple[EventBatch, EventBatch, EventBatch, EventBatch]:
        """Draw impressions, and from them clicks, conversions and engagements."""
        users = _users(rng.poisson(rates.impressions))
        impressions = self._plain("ad_impression", users, visits, rng)
        campaign = rng.integers(0, len(CAMPAIGNS), len(users))
        impressions = replace(impressions, campaign=campaign)

        clicked = rng.random(len(users)) < rates.ctr[users]
        clicks = _following(impressions.take(clicked), "ad_click", 1_000, 5_000, rng)

        bought = rng.random(len(clicks)) < rates.conversion_rate[clicks.user]
        conversions = _following(clicks.take(bought), "conversion", 30_000, 480_000, rng)
        amount = rates.amount[conversions.user] * np.exp(
            rng.standard_normal(len(conversions)) * _AMOUNT_SPREAD
        )

        engaged = rng.random(len(users)) < ENGAGED_SHARE
        engagements = _following(impressions.take(engaged), "ad_engagement", 500, 2_000, rng)
        seconds = rates.ad_seconds[engagements.user] * _around_one(
            rng, len(engagements), _AD_SPREAD
        )
        return (
            impressions,
            clicks,
            replace(conversions, amount=np.round(amount, 2)),
            replace(engagements, duration_s=np.maximum(seconds, 0.1).round(1)),
        )

    def _with_interests(
        self, batch: EventBatch, rates: Rates, rng: np.random.Generator
    ) -> EventBatch:
        """Give each event none to three of its user's interests, as one number each."""
        shape = (len(batch), INTERESTS_MAX)
        count = np.searchsorted(_INTEREST_COUNTS, rng.random(len(batch)))
        decay = rates.interest_decay[batch.user][:, None]
        # Inverse distribution function of geometric weights cut off after the last interest.
        whole = 1 - decay ** len(INTERESTS)
        rank = np.floor(np.log1p(-rng.random(shape) * whole) / np.log(decay)).astype(np.int64)
        label = self._order[rates.persona[batch.user][:, None], rank % len(INTERESTS)]
        digits = np.where(np.arange(INTERESTS_MAX) < count[:, None], label + 1, 0)
        return replace(batch, interests=digits @ INTEREST_BASE ** np.arange(INTERESTS_MAX))


def _users(numbers: Ints) -> Ints:
    """Repeat each user as often as its number says."""
    return np.repeat(np.arange(len(numbers)), numbers)


def _habit(rng: np.random.Generator, rates: Floats) -> Ints:
    """Draw numbers of the given means that vary as little as whole numbers can.

    What people do themselves is a habit; what happens to them, such as ads, is chance.
    """
    return np.floor(rates + rng.random(len(rates))).astype(np.int64)


def _interest_order(people: Population) -> Ints:
    """Return each persona's interests from the strongest down, int64[personas, interests]."""
    orders = []
    for number, persona in enumerate(people.personas):
        first = [INTERESTS.index(label) for label in persona.favourites]
        # Start the rest elsewhere for each persona, or all would share the same fourth interest.
        turned = np.roll(np.arange(len(INTERESTS)), -3 * number).tolist()
        orders.append(first + [label for label in turned if label not in first])
    return np.array(orders)


def _following(
    causes: EventBatch, event_type: str, least_ms: int, mean_ms: int, rng: np.random.Generator
) -> EventBatch:
    """Make events that follow others after `least_ms` and some more."""
    more_ms = rng.exponential(mean_ms, len(causes)).astype(np.int64)
    return new_batch(
        event_type,
        causes.user,
        causes.time_ms + least_ms + more_ms,
        device=causes.device,
        campaign=causes.campaign,
    )


def _kept(batch: EventBatch, total: int, rng: np.random.Generator) -> Ints:
    """Choose `total` rows to keep: page views go first, then whatever comes last in time.

    Nothing depends on a page view, and what comes last has not caused anything yet.
    """
    surplus = len(batch) - total
    views = np.flatnonzero(batch.type_code == TYPE_CODES["page_view"])
    dropped = rng.permutation(views)[:surplus]
    rest = np.setdiff1d(np.arange(len(batch)), dropped)
    if len(rest) > total:
        by_time = rest[np.argsort(batch.time_ms[rest], kind="stable")]
        rest = np.sort(by_time[:total])
    return rest


def _weighted(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """Draw users in proportion to weights; evenly when nobody has any."""
    cumulative = np.cumsum(weights)
    if cumulative[-1] <= 0:
        return rng.integers(0, len(weights), size)
    whole: float = cumulative[-1]
    chosen = np.searchsorted(cumulative, rng.random(size) * whole, side="right")
    return np.minimum(chosen, len(weights) - 1).astype(np.int64)


def _around_one(rng: np.random.Generator, size: int, sigma: float) -> Floats:
    """Draw lognormal factors of mean 1."""
    return np.exp(rng.standard_normal(size) * sigma - sigma**2 / 2)

"""Who the synthetic users are, and how active each of them is on a day.

A user is its persona's means plus a deviation of its own, which stays with it for life, also when
it switches persona. Both live in a space where they are roughly normal: logarithms of counts,
hours and seconds, logits of shares. That is also where k-means works, so the personas are about as
hard to tell apart as their spread says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.tiles import DAY_MS
from producer.personas import INTERESTS, PERSONAS, Persona
from producer.rhythm import day_factors, is_weekend
from producer.scenario import SyntheticSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPREADS: dict[str, float] = {
    "weekday_hours": 0.25,
    "weekend_hours": 0.25,
    "sessions": 0.20,
    "page_views": 0.25,
    "reactions": 0.30,
    "follows": 0.40,
    "impressions": 0.20,
    "ctr": 0.20,
    "conversion_rate": 0.25,
    "ad_seconds": 0.25,
    "mobile_share": 0.35,
    "breadth": 0.15,
    "amount": 0.40,
}
"""Standard deviation of a persona's users in each quantity, in its logarithm or logit."""

SHARES = ("ctr", "conversion_rate", "mobile_share")
ACTIVITY_MIN = 0.5
"""A user's activity is this plus a lognormal, of mean 1 together: at the default spread 1 % of the
users have 5 × the median, and those who hardly show up at all are the thin ones, apart."""

_ACTIVITY_OF_OWN_DOING = 0.4
"""Who comes much more often is shown as many more ads, but does not write and read that much more;
so activity enters the counts that make a persona only to this power."""

ENGAGED_SHARE = 0.3
"""Ad engagements per impression, for everybody."""
UNFOLLOWS_PER_FOLLOW = 0.2

_DRIFT_DAYS = 28
_SESSION_S_MAX = 8 * 3600.0
_BREADTH_MAX = 15.0


@dataclass(frozen=True)
class Rates:
    """What each of n users does on one day; float64[n] each unless said otherwise.

    Counts are per day and follow the weekly rhythm; they are 0 before a user's first day.

    Attributes:
        alive: bool[n], the user has joined and is not a thin one.
        persona: int64[n], the persona the user has on that day.
        session_s: Mean seconds of a session.
        weekday_hours: What sessions × session_s come to on a weekday.
        weekend_hours: The same for a weekend day.
        interest_decay: Each next interest of the persona's order is this much rarer.
    """

    alive: NDArray[np.bool_]
    persona: Ints
    sessions: Floats
    page_views: Floats
    reactions: Floats
    follows: Floats
    impressions: Floats
    session_s: Floats
    weekday_hours: Floats
    weekend_hours: Floats
    ctr: Floats
    conversion_rate: Floats
    ad_seconds: Floats
    mobile_share: Floats
    breadth: Floats
    interest_decay: Floats
    amount: Floats

    def expected_events(self) -> Floats:
        """Return the mean number of events of each user on that day, float64[n]."""
        per_impression = 1 + ENGAGED_SHARE + self.ctr * (1 + self.conversion_rate)
        follows = self.follows * (1 + UNFOLLOWS_PER_FOLLOW)
        return (
            self.sessions
            + self.page_views
            + self.reactions
            + follows
            + self.impressions * per_impression
        )


class Population:
    """n users drawn once from a seed; afterwards a pure function of the day.

    Attributes:
        persona: int64[n], persona on the first day.
        switch_to: int64[n], persona from `switch_day` on, -1 for most.
        switch_day: int64[n], day of the stream, -1 for most.
        join_day: int64[n], first day of the stream with activity.
        thin, bot, profiled: bool[n].
    """

    def __init__(
        self,
        settings: SyntheticSettings,
        switch_days: tuple[int, int],
        rng: np.random.Generator,
    ) -> None:
        """Draw the users.

        Args:
            settings: Sizes and shares.
            switch_days: Switchers switch on one of these days, the second excluded.
            rng: Used here only.
        """
        users = settings.users
        self.settings = settings
        self.personas: tuple[Persona, ...] = PERSONAS[: settings.personas]
        self._means = _means(self.personas)
        self._weekend_factors = np.array([p.weekend_factor for p in self.personas])
        self._spreads = np.array(list(SPREADS.values())) * settings.spread
        self._drift = rng.choice([-1.0, 1.0], size=self._means.shape) * settings.drift
        self._deviation = rng.standard_normal((users, len(SPREADS)))
        tail = _unit_lognormal(rng, users, settings.activity_spread)
        self._activity = ACTIVITY_MIN + (1 - ACTIVITY_MIN) * tail
        self.scale = 1.0
        self.persona = _uneven(rng, users, settings.personas)
        everybody = np.ones(users, dtype=np.bool_)
        self.bot = _some(rng, everybody, settings.bots)
        self.thin = _some(rng, ~self.bot, settings.thin)
        self.profiled = _some(rng, ~self.thin, settings.profiled)
        joins = _some(rng, ~self.bot, settings.joiners)
        self.join_day = np.where(joins, rng.integers(0, settings.days, users), 0)
        switches = _some(rng, ~self.thin & ~self.bot, settings.switchers)
        other = (self.persona + rng.integers(1, settings.personas, users)) % settings.personas
        self.switch_to = np.where(switches, other, -1)
        self.switch_day = np.where(switches, rng.integers(*switch_days, users), -1)

    def __len__(self) -> int:
        """Return the number of users."""
        return len(self.persona)

    def persona_on(self, day: int) -> Ints:
        """Return each user's persona on a day of the stream, int64[n]."""
        switched = (self.switch_day >= 0) & (self.switch_day <= day)
        return np.where(switched, self.switch_to, self.persona)

    def day_factors(self, day: int) -> Floats:
        """Return each user's activity on a day ÷ its mean over a week, float64[n]."""
        return day_factors(self._weekend_factors[self.persona_on(day)], self._is_weekend(day))

    def _is_weekend(self, day: int) -> bool:
        return is_weekend(self.settings.start_ms // DAY_MS + day)

    def rates(self, day: int) -> Rates:
        """Return what each user does on a day of the stream (0 is the first)."""
        persona = self.persona_on(day)
        drifted = self._drift[persona] * (day / _DRIFT_DAYS)
        normal = self._means[persona] + self._spreads * (self._deviation + drifted)
        q = {name: _natural(name, normal[:, i]) for i, name in enumerate(SPREADS)}

        alive = (self.join_day <= day) & ~self.thin
        weekend = self._is_weekend(day)
        rhythm = self._weekend_factors[persona]
        own = self._activity**_ACTIVITY_OF_OWN_DOING * self.scale
        own_today = own * day_factors(rhythm, weekend) * alive
        shown_today = self._activity * self.scale * day_factors(rhythm, weekend) * alive

        weekday_sessions = q["sessions"] * own * day_factors(rhythm, weekend=False)
        weekend_sessions = q["sessions"] * own * day_factors(rhythm, weekend=True)
        # Hours are the person's, whatever the number of events asked for; with very few events
        # they cannot be reached, since no session is longer than hours.
        weekday_s = np.minimum(q["weekday_hours"] * 3600 / weekday_sessions, _SESSION_S_MAX)
        weekend_s = np.minimum(q["weekend_hours"] * 3600 / weekend_sessions, _SESSION_S_MAX)
        return Rates(
            alive=alive,
            persona=persona,
            sessions=q["sessions"] * own_today,
            page_views=q["page_views"] * own_today,
            reactions=q["reactions"] * own_today,
            follows=q["follows"] * own_today,
            impressions=q["impressions"] * shown_today,
            session_s=weekend_s if weekend else weekday_s,
            weekday_hours=weekday_sessions * weekday_s / 3600,
            weekend_hours=weekend_sessions * weekend_s / 3600,
            ctr=q["ctr"],
            conversion_rate=q["conversion_rate"],
            ad_seconds=q["ad_seconds"],
            mobile_share=q["mobile_share"],
            breadth=q["breadth"],
            interest_decay=decay_of_breadth(q["breadth"]),
            amount=q["amount"],
        )


def decay_of_breadth(breadth: Floats) -> Floats:
    """Return the ratio q of geometric weights q^0 … q^15 whose exp(entropy) is `breadth`.

    Args:
        breadth: float64[n], effective number of interests; held to 1.05 … 15.

    Returns:
        float64[n] in (0, 1).
    """
    return np.interp(breadth, _BREADTHS, _DECAYS)


def _breadths(decays: Floats) -> Floats:
    """Return exp(entropy) of the weights that each ratio gives."""
    weights = decays[:, None] ** np.arange(len(INTERESTS))
    weights /= weights.sum(axis=1, keepdims=True)
    breadths: Floats = np.exp(-(weights * np.log(weights)).sum(axis=1))
    return breadths


_DECAYS = np.linspace(0.005, 0.995, 200)
_BREADTHS = _breadths(_DECAYS)


def _means(personas: tuple[Persona, ...]) -> Floats:
    """Return the personas' means as float64[personas, quantities], in logarithms and logits."""
    natural = np.array([[getattr(p, name) for name in SPREADS] for p in personas])
    shares = np.array([name in SHARES for name in SPREADS])
    return np.log(natural / np.where(shares, 1 - np.where(shares, natural, 0), 1))


def _natural(name: str, normal: Floats) -> Floats:
    """Return the quantity itself from its logarithm or logit."""
    if name in SHARES:
        return 1 / (1 + np.exp(-normal))
    natural = np.exp(normal)
    return np.clip(natural, 1.05, _BREADTH_MAX) if name == "breadth" else natural


def _unit_lognormal(rng: np.random.Generator, size: int, sigma: float) -> Floats:
    """Draw from a lognormal distribution of mean 1."""
    return np.exp(rng.standard_normal(size) * sigma - sigma**2 / 2)


def _some(rng: np.random.Generator, eligible: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    """Choose a share of all users among the eligible; of 50 users and more at least one."""
    number = round(len(eligible) * share)
    if share > 0 and len(eligible) >= 50:
        number = max(number, 1)
    chosen = np.zeros(len(eligible), dtype=np.bool_)
    chosen[rng.permutation(np.flatnonzero(eligible))[:number]] = True
    return chosen


def _uneven(rng: np.random.Generator, size: int, personas: int) -> Ints:
    """Deal users to personas, to the first 1.6 × as many as to the last: real segments differ."""
    weights = np.linspace(1.25, 0.8, personas)
    bounds = np.round(np.cumsum(weights) / weights.sum() * size).astype(np.int64)
    return rng.permutation(np.searchsorted(bounds, np.arange(size), side="right"))

"""Users and records out of the ordinary that are planned ahead: thin users, bots, profiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.events import TYPE_CODES
from features.tiles import DAY_MS
from producer.batch import CAMPAIGNS, DEVICES, NONE, EventBatch, Ints, concatenate, new_batch
from producer.population import Population

_THIN_EVENTS_MAX = 4
_BURST_EVENTS = (200, 500)
_BURST_EVENTS_MIN = 20
_BURST_MS = 600_000
# Bots, thin users and profiles may take this share of a small stream each, no more.
_BUDGET_SHARE = 0.05

_BURST_TYPES = ("page_view", "ad_impression", "ad_click", "reaction")
_BURST_SHARES = (0.70, 0.20, 0.08, 0.02)


@dataclass(frozen=True)
class Oddities:
    """What is planned, event by event; all arrays of one group have the same length.

    Attributes:
        thin_user, thin_day: int64, one entry per event of a thin user.
        bot_user, bot_day, bot_events: int64, one entry per burst.
        profile_user, profile_day: int64, one entry per profile event.
    """

    thin_user: Ints
    thin_day: Ints
    bot_user: Ints
    bot_day: Ints
    bot_events: Ints
    profile_user: Ints
    profile_day: Ints

    def events(self) -> int:
        """Return how many events are planned in all."""
        return len(self.thin_user) + int(self.bot_events.sum()) + len(self.profile_user)

    def draw(self, people: Population, day: int, rng: np.random.Generator) -> EventBatch:
        """Return the planned events of one day, without arrival times and serials."""
        midnight_ms = people.settings.start_ms + day * DAY_MS
        batches = [_burst(user, size, midnight_ms, rng) for user, size in self._bursts(day)]
        for event_type, users in (
            ("page_view", self.thin_user[self.thin_day == day]),
            ("profile", self.profile_user[self.profile_day == day]),
        ):
            # A profile comes first on its day, as when somebody signs up.
            span_ms = DAY_MS if event_type == "page_view" else 1000
            times_ms = midnight_ms + rng.integers(0, span_ms, len(users))
            device = NONE if event_type == "profile" else DEVICES.index("mobile")
            known = np.full(len(users), device)
            batches.append(new_batch(event_type, users, times_ms, device=known))
        return concatenate(batches)

    def _bursts(self, day: int) -> list[tuple[int, int]]:
        """Return (user, events) of the bots that run on this day."""
        today = self.bot_day == day
        return list(
            zip(self.bot_user[today].tolist(), self.bot_events[today].tolist(), strict=True)
        )


def plan_oddities(people: Population, rng: np.random.Generator) -> Oddities:
    """Plan them for the whole stream, within a small share of its events."""
    settings = people.settings
    budget = int(settings.events * _BUDGET_SHARE)

    thin = np.flatnonzero(people.thin)
    thin_user = np.repeat(thin, rng.integers(1, _THIN_EVENTS_MAX + 1, len(thin)))[:budget]
    joined = people.join_day[thin_user]
    thin_day = joined + (rng.random(len(thin_user)) * (settings.days - joined)).astype(np.int64)

    bots = np.flatnonzero(people.bot)
    sizes = rng.integers(*_BURST_EVENTS, len(bots), endpoint=True)
    if len(bots):
        sizes = np.minimum(sizes, budget // len(bots))
    bots, sizes = bots[sizes >= _BURST_EVENTS_MIN], sizes[sizes >= _BURST_EVENTS_MIN]

    profiled = np.flatnonzero(people.profiled)[:budget]
    return Oddities(
        thin_user=thin_user,
        thin_day=thin_day,
        bot_user=bots,
        bot_day=rng.integers(0, settings.days, len(bots)),
        bot_events=sizes,
        profile_user=profiled,
        profile_day=people.join_day[profiled],
    )


def _burst(user: int, size: int, midnight_ms: int, rng: np.random.Generator) -> EventBatch:
    """Return one bot's burst: hundreds of events in ten minutes, too many of them clicks."""
    names = rng.choice(len(_BURST_TYPES), size, p=_BURST_SHARES)
    codes = np.array([TYPE_CODES[name] for name in _BURST_TYPES])[names]
    begin_ms = midnight_ms + int(rng.integers(0, DAY_MS - _BURST_MS))
    is_ad = np.isin(codes, [TYPE_CODES["ad_impression"], TYPE_CODES["ad_click"]])
    campaign = np.where(is_ad, rng.integers(0, len(CAMPAIGNS), size), NONE)
    return new_batch(
        codes,
        np.full(size, user),
        begin_ms + rng.integers(0, _BURST_MS, size),
        device=np.full(size, DEVICES.index("desktop")),
        campaign=campaign,
    )

"""What is really so about each synthetic user, to score what others make of the stream."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import numpy as np

from features.events import TYPE_CODES
from features.tiles import DAY_MS
from producer.batch import EventBatch, Floats, Ints
from producer.population import Population, Rates

_DAILY = ("weekday_hours", "weekend_hours", "ad_seconds", "mobile_share", "breadth", "amount")
_COUNTED = ("sessions", "page_views", "reactions", "follows", "impressions")


class UserTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the truth file.

    Attributes:
        user_id: As in the events.
        persona: Name on the first day.
        segment: Index of that persona, 0 … personas - 1.
        switched_to: Name of the persona after the switch, null for users who never switch.
        switched_to_segment: Its index.
        switched_at: The midnight of the switch (RFC 3339), null likewise.
        segment_at_end: Index of the persona at the end of the stream.
        bot, thin, profiled: Out-of-the-ordinary users; a bot also acts as its persona.
        events: Records of this user in the stream, duplicates and late ones included.
        distinct_events: Those that count: neither repeated nor older than the window.
        rates: True means over the user's life in the stream. `ctr` is weighted by the impressions
            and `conversion_rate` by the clicks it really had, so that the observed counts are
            binomial around them. Counts are per day; hours per weekday and per weekend day.
    """

    user_id: str
    persona: str
    segment: int
    switched_to: str | None
    switched_to_segment: int | None
    switched_at: str | None
    segment_at_end: int
    bot: bool
    thin: bool
    profiled: bool
    events: int
    distinct_events: int
    rates: dict[str, float]


class Ledger:
    """Adds up, day by day, what the truth of each user will be."""

    def __init__(self, people: Population) -> None:
        """Start with nothing seen."""
        self._people = people
        n = len(people)
        self._days = 0
        self._alive_days = np.zeros(n)
        self._daily = {name: np.zeros(n) for name in (*_DAILY, *_COUNTED)}
        self._events = np.zeros(n, dtype=np.int64)
        self._distinct = np.zeros(n, dtype=np.int64)
        self._trials = {name: np.zeros(n) for name in ("ctr", "conversion_rate")}
        self._expected = {name: np.zeros(n) for name in ("ctr", "conversion_rate")}
        self._latest: Rates | None = None

    def add_day(self, rates: Rates) -> None:
        """Take a day's rates into the means; users who have not joined are left out."""
        self._days += 1
        self._alive_days += rates.alive
        for name in self._daily:
            self._daily[name] += getattr(rates, name) * rates.alive
        self._latest = rates

    def add_activity(self, batch: EventBatch, rates: Rates) -> None:
        """Note the impressions and clicks that chance was applied to."""
        for name, trial in (("ctr", "ad_impression"), ("conversion_rate", "ad_click")):
            users = batch.user[batch.type_code == TYPE_CODES[trial]]
            trials = self._per_user(users)
            self._trials[name] += trials
            self._expected[name] += trials * getattr(rates, name)

    def add_records(self, users: Ints, distinct: bool) -> None:
        """Count records of users; `distinct` ones are those that a worker applies."""
        counts = self._per_user(users)
        self._events += counts
        if distinct:
            self._distinct += counts

    def truth(self) -> list[UserTruth]:
        """Return one entry per user, in the order of their numbers."""
        rates = self._rates()
        at_end = self._people.persona_on(self._days - 1)
        return [
            self._user(user, int(at_end[user]), {name: float(v[user]) for name, v in rates.items()})
            for user in range(len(self._people))
        ]

    def _user(self, user: int, at_end: int, rates: dict[str, float]) -> UserTruth:
        """Put together one entry."""
        people = self._people
        names = [persona.name for persona in people.personas]
        segment = int(people.persona[user])
        switched = 0 <= people.switch_day[user] < self._days
        other = int(people.switch_to[user])
        at_ms = people.settings.start_ms + int(people.switch_day[user]) * DAY_MS
        return UserTruth(
            user_id=user_id(user),
            persona=names[segment],
            segment=segment,
            switched_to=names[other] if switched else None,
            switched_to_segment=other if switched else None,
            switched_at=_rfc3339(at_ms) if switched else None,
            segment_at_end=at_end,
            bot=bool(people.bot[user]),
            thin=bool(people.thin[user]),
            profiled=bool(people.profiled[user]),
            events=int(self._events[user]),
            distinct_events=int(self._distinct[user]),
            rates={name: round(value, 6) for name, value in rates.items()},
        )

    def _rates(self) -> dict[str, Floats]:
        """Return the means by name, float64[users]."""
        days = np.maximum(self._alive_days, 1)
        rates: dict[str, Floats] = {}
        for name, total in self._daily.items():
            known = f"{name}_per_day" if name in _COUNTED else name
            rates[known] = total / days
        for name, trials in self._trials.items():
            if self._latest is None:
                continue
            untried = getattr(self._latest, name)
            rates[name] = np.where(
                trials > 0, self._expected[name] / np.maximum(trials, 1), untried
            )
        return rates

    def _per_user(self, users: Ints) -> Ints:
        """Count how often each user appears."""
        return np.bincount(users, minlength=len(self._people))


def user_id(user: int) -> str:
    """Return the id that a user's events carry.

    Example:
        >>> user_id(0)
        'u1'
    """
    return f"u{user + 1}"


def encode_truth(truth: UserTruth) -> bytes:
    """Return one line of the truth file, without its end."""
    return msgspec.json.encode(truth)


def _rfc3339(epoch_ms: int) -> str:
    """Return whole seconds in UTC."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""What the features of a user must be, written down plainly: slow and obviously correct.

One list of raw applied events per user; every number is counted afresh from it when asked for.
Nothing is shared with the code under test but the event type and its decoder. No numpy.

    reference = Reference()
    reference.fold_records([(record_timestamp_ms, payload), ...])     # one partition, in order
    reference.features("u42", as_of_ms=reference.stream_ms)           # {name: (value, evidence)}
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from features.errors import MalformedEvent
from features.events import Event, decode_event

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS
HALF_LIFE_MS = 14 * DAY_MS
FUTURE_MS = 5 * 60 * 1000
WEEKDAYS_IN_28_DAYS = 20
WEEKEND_DAYS_IN_28_DAYS = 8

Value = tuple[float | None, float]


def day_of(time_ms: int) -> int:
    """Days since 1970-01-01 UTC."""
    return time_ms // DAY_MS


def is_weekday(day: int) -> bool:
    """Monday to Friday, by the calendar."""
    return (date(1970, 1, 1) + timedelta(days=day)).weekday() < 5


def time_ms_of(event: Event) -> int:
    """Event time in whole milliseconds, rounded down."""
    return (event.timestamp - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def weight_at(time_ms: int, half_lives: int = 0) -> float:
    """2^(t / half-life), divided by 2^half_lives."""
    return math.ldexp(
        2.0 ** ((time_ms % HALF_LIFE_MS) / HALF_LIFE_MS), time_ms // HALF_LIFE_MS - half_lives
    )


@dataclass
class ReferenceUser:
    """What is known of one user since the first event or the last forget request."""

    applied: list[Event] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    traits: dict[str, object] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    level: int = 0
    interests: dict[str, float] = field(default_factory=dict)
    # Interest weights are kept relative to the first applied event's half-life.
    origin: int = 0
    forgotten: bool = False
    last_ms: int = 0

    @property
    def first_ms(self) -> int:
        """Smallest event time applied."""
        return min(time_ms_of(event) for event in self.applied)

    @property
    def recent_ids(self) -> list[str]:
        """The ids of the last 16 applied events, oldest first."""
        return self.ids[-16:]

    def feed(self, event: Event, stream_ms: int) -> str:
        """Apply one event other than a forget request, or say why not."""
        if event.event_id in self.recent_ids:
            return "duplicate"
        if event.type == "profile" and self._knows(event):
            return "duplicate"
        if day_of(time_ms_of(event)) < day_of(stream_ms) - 27:
            return "late"
        self._apply(event)
        return "applied"

    def _knows(self, event: Event) -> bool:
        traits, metrics = profile_of(event)
        return {**self.traits, **traits} == self.traits and {
            **self.metrics,
            **metrics,
        } == self.metrics

    def _apply(self, event: Event) -> None:
        time_ms = time_ms_of(event)
        if not self.applied:
            self.last_ms = time_ms
            self.origin = time_ms // HALF_LIFE_MS
        self.forgotten = False
        self.last_ms = max(self.last_ms, time_ms)
        self.applied.append(event)
        self.ids.append(event.event_id)
        if event.type == "follow":
            self.level += 1
        elif event.type == "unfollow":
            self.level -= 1
        elif event.type == "profile":
            traits, metrics = profile_of(event)
            self.traits.update(traits)
            self.metrics.update(metrics)
            if "followed_accounts" in metrics:
                self.level = int(metrics["followed_accounts"])
        if event.type != "profile":
            self._add_interests(event.interests, weight_at(time_ms, self.origin))

    def _add_interests(self, names: tuple[str, ...], weight: float) -> None:
        for name in names:
            self.interests[name] = self.interests.get(name, 0.0) + weight
        heaviest = sorted(self.interests.items(), key=lambda item: (-item[1], item[0]))
        self.interests = dict(heaviest[:32])

    def activity(self) -> list[Event]:
        """Applied events other than profiles."""
        return [event for event in self.applied if event.type != "profile"]

    def features(self, as_of_ms: int) -> dict[str, Value]:
        """Every feature as (value, evidence); the value is None when nothing stands behind it."""
        if not self.applied:
            return dict.fromkeys(
                (*self._windowed(as_of_ms), "mobile_share", "interest_breadth"), (None, 0.0)
            )
        return {
            **self._windowed(as_of_ms),
            "mobile_share": self._mobile_share(as_of_ms),
            "interest_breadth": self._interest_breadth(as_of_ms),
        }

    def _windowed(self, as_of_ms: int) -> dict[str, Value]:
        today = day_of(as_of_ms)
        first = day_of(self.first_ms) if self.applied else today + 1
        days = list(range(max(first, today - 27), today + 1))
        inside = [
            event for event in self.activity() if today - 27 <= day_of(time_ms_of(event)) <= today
        ]
        hour = as_of_ms // HOUR_MS
        in_24_hours = [
            event for event in self.activity() if hour - 23 <= time_ms_of(event) // HOUR_MS <= hour
        ]
        active = {day_of(time_ms_of(event)) for event in inside}
        spend = sum(event.amount or 0.0 for event in inside if event.type == "conversion")
        observed = len(days)
        return {
            "weekday_hours": self._hours(inside, days, "weekday_hours"),
            "weekend_hours": self._hours(inside, days, "weekend_hours"),
            "page_views_per_day": share(count(inside, "page_view"), observed),
            "reactions_per_day": self._reactions(inside, observed),
            "followed_accounts": (float(max(0, self.level)), 1.0),
            **self._trials(inside),
            "spend": (spend, observed) if observed else (None, 0.0),
            "active_days": (len(active), observed) if observed else (None, 0.0),
            "activity_24h": (len(in_24_hours), observed) if observed else (None, 0.0),
        }

    def _hours(self, inside: list[Event], days: list[int], name: str) -> Value:
        weekday = name == "weekday_hours"
        hours = sum(
            (event.duration_s or 0.0) / 3600
            for event in inside
            if event.type == "session" and is_weekday(day_of(time_ms_of(event))) == weekday
        )
        observed = sum(is_weekday(day) == weekday for day in days)
        known = self.metrics.get(name)
        if known is not None:
            of_28 = WEEKDAYS_IN_28_DAYS if weekday else WEEKEND_DAYS_IN_28_DAYS
            return (hours + known * (of_28 - observed)) / of_28, 28.0
        return (hours / max(observed, 1), len(days)) if days else (None, 0.0)

    def _reactions(self, inside: list[Event], observed: int) -> Value:
        reactions = count(inside, "reaction")
        known = self.metrics.get("likes_and_reactions")
        if known is not None:
            return (reactions + known / 28 * (28 - observed)) / 28, 28.0
        return share(reactions, observed)

    def _trials(self, inside: list[Event]) -> dict[str, Value]:
        impressions, clicks = count(inside, "ad_impression"), count(inside, "ad_click")
        conversions, engagements = count(inside, "conversion"), count(inside, "ad_engagement")
        seconds = sum(event.duration_s or 0.0 for event in inside if event.type == "ad_engagement")
        ctr = share(clicks, impressions, self.metrics.get("ctr"), 20)
        conversion_rate = share(conversions, clicks, self.metrics.get("conversion_rate"), 10)
        return {
            "ctr": (ctr[0] if ctr[0] is None else min(1.0, ctr[0]), ctr[1]),
            "conversion_rate": (
                conversion_rate[0] if conversion_rate[0] is None else min(1.0, conversion_rate[0]),
                conversion_rate[1],
            ),
            "ad_seconds": share(seconds, engagements, self.metrics.get("ad_seconds"), 5),
        }

    def _mobile_share(self, as_of_ms: int) -> Value:
        with_device = [event for event in self.activity() if event.device is not None]
        weights = [weight_at(time_ms_of(event), self.origin) for event in with_device]
        mobile = sum(
            weight
            for event, weight in zip(with_device, weights, strict=True)
            if event.device == "mobile"
        )
        evidence = sum(weights) / weight_at(as_of_ms, self.origin)
        return (mobile / sum(weights), evidence) if evidence > 0 else (None, 0.0)

    def _interest_breadth(self, as_of_ms: int) -> Value:
        total = sum(self.interests.values())
        evidence = total / weight_at(as_of_ms, self.origin)
        if evidence <= 0:
            return None, 0.0
        shares = [weight / total for weight in self.interests.values()]
        return math.exp(-sum(p * math.log(p) for p in shares if p > 0)), evidence


class Reference:
    """The users of one partition, fed record by record in the order of the offsets."""

    def __init__(self) -> None:
        """Start with an empty partition."""
        self.users: dict[str, ReferenceUser] = {}
        self.outcomes: list[str] = []
        self.stream_ms = 0

    @property
    def counts(self) -> Counter[str]:
        """Records by outcome."""
        return Counter(self.outcomes)

    def feed(self, record_timestamp_ms: int, event: Event) -> str:
        """Take one valid event.

        Returns:
            "applied", "duplicate", "late" or "future".
        """
        self.stream_ms = max(self.stream_ms, record_timestamp_ms)
        if time_ms_of(event) > record_timestamp_ms + FUTURE_MS:
            outcome = "future"
        else:
            outcome = self._feed_user(event)
        self.outcomes.append(outcome)
        return outcome

    def _feed_user(self, event: Event) -> str:
        if event.type == "forget":
            forgotten = ReferenceUser(forgotten=True, last_ms=time_ms_of(event))
            self.users[event.user_id] = forgotten
            return "applied"
        user = self.users.setdefault(event.user_id, ReferenceUser())
        return user.feed(event, self.stream_ms)

    def skip(self, record_timestamp_ms: int, outcome: str) -> None:
        """Take a record that is dead for a reason of its own: it only moves the stream time."""
        self.stream_ms = max(self.stream_ms, record_timestamp_ms)
        self.outcomes.append(outcome)

    def fold_records(self, records: Iterable[tuple[int, bytes]]) -> None:
        """Take (record timestamp in ms, payload) of one partition in the order of the offsets."""
        for record_timestamp_ms, payload in records:
            try:
                event = decode_event(payload)
            except MalformedEvent:
                self.skip(record_timestamp_ms, "malformed")
            else:
                self.feed(record_timestamp_ms, event)

    def features(self, user_id: str, as_of_ms: int) -> dict[str, Value]:
        """Every feature of a user as (value, evidence), nulls for one never seen."""
        return self.users.get(user_id, ReferenceUser()).features(as_of_ms)


def profile_of(event: Event) -> tuple[dict[str, Any], dict[str, float]]:
    """What a profile says: traits and metrics that are given."""
    traits: dict[str, Any] = {}
    if event.device is not None:
        traits["device"] = event.device
    if event.interests:
        traits["interests"] = event.interests
    if event.traits is not None:
        traits |= given_fields(event.traits)
    return traits, given_fields(event.metrics) if event.metrics is not None else {}


def given_fields(struct: object) -> dict[str, Any]:
    """The fields that are not None."""
    names = struct.__struct_fields__  # type: ignore[attr-defined]
    return {name: getattr(struct, name) for name in names if getattr(struct, name) is not None}


def count(events: list[Event], event_type: str) -> int:
    """How many events have this type."""
    return sum(event.type == event_type for event in events)


def share(total: float, trials: int, known: float | None = None, prior: int = 0) -> Value:
    """Total per trial, with what is known standing for so many trials."""
    if known is not None:
        return (total + prior * known) / (trials + prior), float(trials + prior)
    return (total / trials, float(trials)) if trials else (None, 0.0)

"""Random records of one partition: everything that may happen to users in some weeks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random

from features.events import EVENT_TYPES, Event, encode_event
from features.tiles import DAY_MS, HOUR_MS
from tests.consumer.builders import NOON_MS, event, profile
from tests.reference import Reference

MINUTE_MS = 60_000
LONE = "lone"
"""A user who lives on when all others are silent."""


@dataclass(frozen=True)
class LogRecord:
    """One record of the events topic. `dead`: it is, for a reason other than its event time."""

    offset: int
    timestamp_ms: int
    value: Event | bytes | None
    key: bytes | None
    dead: bool

    @cached_property
    def payload(self) -> bytes | None:
        return encode_event(self.value) if isinstance(self.value, Event) else self.value

    def feed(self, reference: Reference) -> None:
        if self.dead:
            reference.skip(self.timestamp_ms, "dead")
        else:
            assert isinstance(self.value, Event)
            reference.feed(self.timestamp_ms, self.value)

    def __str__(self) -> str:
        if not isinstance(self.value, Event):
            what = f"no event: {self.value!r}"
        else:
            one = self.value
            what = f"{one.type} of {one.user_id} at {one.timestamp:%d %H:%M}, id {one.event_id}"
            what += f", {one.metrics}" if one.metrics else ""
        return f"offset {self.offset} {what}{' (dead)' if self.dead else ''}"


def life(random: Random) -> list[LogRecord]:
    """A log: bursts within minutes, nights, silent days; offsets with holes."""
    users = [f"user {n}" for n in range(random.choice([1, 2, 2, 3, 4, 6]))]
    now_ms, offset = NOON_MS, random.choice([-1, -1, 6])
    log: list[LogRecord] = []
    for number in range(random.choice([2, 4, 6, 8, 10, 20])):
        steps = [0, 0, 0, MINUTE_MS, MINUTE_MS, MINUTE_MS, HOUR_MS, 8 * HOUR_MS, -HOUR_MS, DAY_MS]
        now_ms += random.choice(steps if random.random() < 0.97 else [9 * DAY_MS])
        offset += random.choice([1, 1, 1, 1, 2, 7])
        log.append(_record(random, number, offset, now_ms, random.choice(users)))
    return [*log, *_ending(random, offset, max(one.timestamp_ms for one in log))]


def _record(random: Random, number: int, offset: int, now_ms: int, user: str) -> LogRecord:
    key, lot = user.encode(), random.random()
    if lot < 0.05:
        return LogRecord(offset, now_ms, random.choice([b"{", b"[]", None]), key, dead=True)
    late_ms = random.choice([0] * 8 + [HOUR_MS, 3 * DAY_MS, 40 * DAY_MS, -10 * MINUTE_MS])
    one = _event(random, number, user, now_ms - late_ms)
    if lot < 0.07:
        return LogRecord(offset, now_ms, one, b"somebody else", dead=True)
    return LogRecord(offset, now_ms, one, key, dead=False)


def _event(random: Random, number: int, user: str, at_ms: int) -> Event:
    kind = random.choice([*EVENT_TYPES, *["follow", "unfollow", "page_view"] * 2, *["profile"] * 2])
    if kind == "profile":
        return profile(random.choice([0, 0, 6, 100]), user, at_ms, event_id=f"{number}")
    if kind == "follow" and random.random() < 0.2:
        return event(kind, user, at_ms, event_id=f"again {random.randint(0, 3)}")
    return event(
        kind,
        user,
        at_ms,
        event_id=f"{number}",
        device=random.choice([None, "mobile", "desktop"]),
        interests=tuple(random.sample("abc", random.randint(0, 2))),
    )


def _ending(random: Random, offset: int, now_ms: int) -> Iterator[LogRecord]:
    """Midnight passes, so that everybody is looked at; in some lives, so much time that most go."""
    days = [1, 1] if random.random() < 0.8 else [20, 40, 40, 1]
    for number, pause_days in enumerate(days):
        offset, now_ms = offset + 1, now_ms + pause_days * DAY_MS
        one = event("follow", LONE, now_ms, event_id=f"last {number}")
        yield LogRecord(offset, now_ms, one, LONE.encode(), dead=False)

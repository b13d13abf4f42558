"""Random records of one partition: everything that may happen to users in some weeks."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np

from consumer.records import Records
from features.events import EVENT_TYPES, Event
from features.tiles import DAY_MS, HOUR_MS
from tests.consumer.builders import NOON_MS, event, profile, records_of
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

    def feed(self, reference: Reference) -> None:
        if self.dead:
            reference.skip(self.timestamp_ms, "dead")
        else:
            assert isinstance(self.value, Event)
            reference.feed(self.timestamp_ms, self.value)


def life(random: Random) -> list[LogRecord]:
    """A log: bursts within minutes, nights, silent days; offsets with holes."""
    users = [f"user {n}" for n in range(random.randint(1, 9))]
    now_ms, offset = NOON_MS, 0
    log: list[LogRecord] = []
    for _ in range(random.randint(10, 60)):
        steps = [0, 0, MINUTE_MS, MINUTE_MS, HOUR_MS, 8 * HOUR_MS, -HOUR_MS, DAY_MS]
        now_ms += random.choice(steps if random.random() < 0.97 else [9 * DAY_MS])
        offset += random.choice([1, 1, 1, 1, 2, 7])
        log.append(_record(random, offset, now_ms, random.choice(users)))
    return [*log, *_ending(random, offset, max(one.timestamp_ms for one in log))]


def _record(random: Random, offset: int, now_ms: int, user: str) -> LogRecord:
    key, lot = user.encode(), random.random()
    if lot < 0.03:
        return LogRecord(offset, now_ms, random.choice([b"{", b"[]", None]), key, dead=True)
    late_ms = random.choice([0] * 8 + [HOUR_MS, 3 * DAY_MS, 40 * DAY_MS, -10 * MINUTE_MS])
    one = _event(random, user, now_ms - late_ms)
    if lot < 0.05:
        return LogRecord(offset, now_ms, one, b"somebody else", dead=True)
    return LogRecord(offset, now_ms, one, key, dead=False)


def _event(random: Random, user: str, at_ms: int) -> Event:
    kind = random.choice([*EVENT_TYPES, *["follow", "unfollow", "page_view"] * 4])
    if kind == "profile":
        return profile(random.choice([0, 0, 6, 100]), user, at_ms)
    if kind == "follow" and random.random() < 0.2:
        return event(kind, user, at_ms, event_id=f"again {random.randint(0, 3)}")
    return event(
        kind,
        user,
        at_ms,
        device=random.choice([None, "mobile", "desktop"]),
        interests=tuple(random.sample("abc", random.randint(0, 2))),
    )


def _ending(random: Random, offset: int, now_ms: int) -> Iterator[LogRecord]:
    """Midnight passes, so that everybody is looked at; in some lives, so much time that most go."""
    days = [1, 1] if random.random() < 0.7 else [1, 20, 20, 20, 20, 20, 1]
    for pause_days in days:
        offset, now_ms = offset + 1, now_ms + pause_days * DAY_MS
        yield LogRecord(offset, now_ms, event("follow", LONE, now_ms), LONE.encode(), dead=False)


def as_records(log: list[LogRecord]) -> Records:
    return records_of(
        [one.value for one in log],
        offsets=np.array([one.offset for one in log], np.int64).tolist(),
        timestamps_ms=[one.timestamp_ms for one in log],
        keys=[one.key for one in log],
    )

"""From columns to events: the last step of the synthetic stream, the only one per event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast

import numpy as np

from features.events import EVENT_TYPES, TYPE_CODES, Device, Event, EventType, encode_event
from features.tiles import DAY_MS
from producer.batch import CAMPAIGNS, DEVICES, INTEREST_BASE, INTERESTS_MAX, EventBatch
from producer.personas import INTERESTS
from producer.population import Population
from producer.profiles import Profiles
from producer.truth import user_id

# Python objects of this many events exist at a time, however many a day has.
_ROWS_AT_ONCE = 8192
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROFILE = TYPE_CODES["profile"]


class TimedEvent(NamedTuple):
    """An event and when its record is written.

    Attributes:
        record_ms: Time of arrival, epoch milliseconds; never goes back along the stream.
        event: The event.
        payload: The same, encoded.
    """

    record_ms: int
    event: Event
    payload: bytes


class Renderer:
    """Turns columns into events."""

    def __init__(self, people: Population) -> None:
        """Prepare the texts, which repeat."""
        settings = people.settings
        self._people = people
        self._users = [user_id(user) for user in range(len(people))]
        self._interests = _interest_tuples()
        self._profiles = Profiles(people, np.random.default_rng([settings.seed, 2]))
        # Streams of different seeds may meet in one topic.
        self._prefix = f"s{settings.seed:x}-"

    def render(self, batch: EventBatch) -> Iterator[TimedEvent]:
        """Yield the events of a batch in its order."""
        for first in range(0, len(batch), _ROWS_AT_ONCE):
            rows = batch.take(np.arange(first, min(first + _ROWS_AT_ONCE, len(batch))))
            for record_ms, event in zip(rows.arrival_ms.tolist(), self._events(rows), strict=True):
                yield TimedEvent(record_ms, event, encode_event(event))

    def _events(self, rows: EventBatch) -> Iterator[Event]:
        """Make the events of some rows; plain numbers first, since numpy's are slow one by one."""
        start_ms = self._people.settings.start_ms
        columns = (
            rows.serial.tolist(),
            rows.user.tolist(),
            rows.type_code.tolist(),
            rows.time_ms.tolist(),
            rows.device.tolist(),
            rows.interests.tolist(),
            rows.campaign.tolist(),
            rows.duration_s.tolist(),
            rows.amount.tolist(),
        )
        for serial, user, code, time_ms, device, interests, campaign, seconds, amount in zip(
            *columns, strict=True
        ):
            profile = code == _PROFILE
            yield Event(
                event_id=f"{self._prefix}{serial:x}",
                user_id=self._users[user],
                type=cast("EventType", EVENT_TYPES[code]),
                timestamp=_EPOCH + timedelta(milliseconds=time_ms),
                device=cast("Device", DEVICES[device]) if device >= 0 else None,
                interests=self._interests[interests],
                campaign_id=CAMPAIGNS[campaign] if campaign >= 0 else None,
                duration_s=seconds or None,
                amount=amount or None,
                traits=self._profiles.traits(user) if profile else None,
                metrics=self._profiles.metrics(user, (time_ms - start_ms) // DAY_MS)
                if profile
                else None,
            )


def _interest_tuples() -> list[tuple[str, ...]]:
    """Return the interests for each number that stands for some, each label once."""
    tuples = []
    for number in range(INTEREST_BASE**INTERESTS_MAX):
        digits = [number // INTEREST_BASE**place % INTEREST_BASE for place in range(INTERESTS_MAX)]
        labels = [INTERESTS[digit - 1] for digit in digits if digit]
        tuples.append(tuple(dict.fromkeys(labels)))
    return tuples

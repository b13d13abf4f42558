"""Events of one user with every default filled in, so that what a test sets is what matters."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from features.events import Event, Metrics, Traits, validate_event
from tests.features.streams import DAY_MS, Folder

NOON_MS = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()) * 1000
"""A Tuesday."""
a_day = DAY_MS

_numbers = count()


def activity(event_type: str = "page_view", ago: int = 0, **fields: Any) -> Event:
    """An event of user "ann", ``ago`` milliseconds before noon, with an id of its own."""
    values: dict[str, Any] = {
        "event_id": f"event-{next(_numbers)}",
        "user_id": "ann",
        "type": event_type,
        "timestamp": datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=NOON_MS - ago),
        **fields,
    }
    return validate_event(Event(**values))


def profile(age: str | None = None, ago: int = 0, **metrics: float) -> Event:
    """A profile event that knows these metrics."""
    return activity(
        "profile",
        ago,
        traits=Traits(age=age) if age else None,
        metrics=Metrics(**metrics) if metrics else None,
    )


def forget(ago: int = 0) -> Event:
    """A forget request."""
    return activity("forget", ago)


def folder_of(events: Iterable[Event], stream_ms: int = NOON_MS) -> Folder:
    """Fold events as one batch at one stream time."""
    folder = Folder()
    folder.fold([(stream_ms, event) for event in events])
    return folder

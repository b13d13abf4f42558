"""From rows of the table to the events that say the same."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import xxhash

from features.events import METRIC_NAMES, Event, Metrics, Traits, encode_event
from shoal.profiles.row import ProfileRow

_TRAITS = Traits.__struct_fields__


def profile_event(row: ProfileRow, at: datetime) -> Event:
    """Make the event of a row.

    Its id follows from user, content and time. The time belongs to it: of A, B and A again,
    imported one after the other, the third must count, and ids are remembered. Importing a table
    again changes nothing all the same, since a profile that the user has already is a duplicate.

    Args:
        row: A row of a table; it says more than its user's id.
        at: When it was so; with an offset.
    """
    given = {name: getattr(row, name) for name in row.model_fields_set}
    traits = {name: given[name] for name in _TRAITS if name in given}
    metrics = {name: given[name] for name in METRIC_NAMES if name in given}
    event = Event(
        event_id="pending",
        user_id=row.user_id,
        type="profile",
        timestamp=at.astimezone(UTC),
        traits=Traits(**traits) if traits else None,
        metrics=Metrics(**metrics) if metrics else None,
    )
    digest = xxhash.xxh3_128_hexdigest(encode_event(event))
    return msgspec.structs.replace(event, event_id=f"profile-{digest}")

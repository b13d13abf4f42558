"""Synthetic events as numpy columns; they become objects only when they leave the stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from features.events import TYPE_CODES
from producer.personas import INTERESTS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DEVICES = ("mobile", "desktop", "tablet")
CAMPAIGNS = tuple(f"c{number}" for number in range(1, 9))
NONE = -1

INTERESTS_MAX = 3
INTEREST_BASE = len(INTERESTS) + 1
"""An event's interests are one number of three digits in this base: 0 none, i + 1 the i-th."""


@dataclass(frozen=True)
class EventBatch:
    """n events.

    Attributes:
        user: int64[n], index of the user.
        type_code: int64[n], index in `EVENT_TYPES`.
        time_ms: int64[n], when it happened.
        arrival_ms: int64[n], when the record is written; set by `producer.disorder`.
        device: int64[n], index in `DEVICES`, `NONE` for none.
        interests: int64[n], see `INTEREST_BASE`.
        campaign: int64[n], index in `CAMPAIGNS`, `NONE` for none.
        duration_s: float64[n], 0 for none.
        amount: float64[n], 0 for none.
        serial: int64[n], number that becomes the event_id.
    """

    user: Ints
    type_code: Ints
    time_ms: Ints
    arrival_ms: Ints
    device: Ints
    interests: Ints
    campaign: Ints
    duration_s: Floats
    amount: Floats
    serial: Ints

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.user)

    def take(self, rows: Ints | NDArray[np.bool_]) -> EventBatch:
        """Return the chosen rows, by index or by mask."""
        return EventBatch(**{name: getattr(self, name)[rows] for name in _COLUMNS})


_COLUMNS = tuple(column.name for column in fields(EventBatch))


def new_batch(
    event_type: str | Ints,
    user: Ints,
    time_ms: Ints,
    *,
    arrival_ms: Ints | None = None,
    device: Ints | None = None,
    campaign: Ints | None = None,
) -> EventBatch:
    """Make a batch; columns not given are none, serials are still missing (`NONE`).

    Args:
        event_type: One type for all, or type codes int64[n].
        user: int64[n].
        time_ms: int64[n].
        arrival_ms: int64[n]; without it the time of the event.
        device: int64[n].
        campaign: int64[n].
    """
    n = len(user)
    none = np.full(n, NONE)
    codes = np.full(n, TYPE_CODES[event_type]) if isinstance(event_type, str) else event_type
    return EventBatch(
        user=user,
        type_code=codes,
        time_ms=time_ms,
        arrival_ms=time_ms if arrival_ms is None else arrival_ms,
        device=none if device is None else device,
        interests=np.zeros(n, dtype=np.int64),
        campaign=none if campaign is None else campaign,
        duration_s=np.zeros(n),
        amount=np.zeros(n),
        serial=none,
    )


def concatenate(batches: Sequence[EventBatch]) -> EventBatch:
    """Join batches in the given order."""
    return EventBatch(
        **{name: np.concatenate([getattr(b, name) for b in batches]) for name in _COLUMNS}
    )

"""One batch of one partition as columns: all Python work per event happens here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.events import DEVICE_CODES, TYPE_CODES, Event, epoch_ms, event_id_hash
from features.profile import Profile, profile_of
from features.slab import Interner

_PROFILE: Final = TYPE_CODES["profile"]
_FORGET: Final = TYPE_CODES["forget"]
_FIRST_AD: Final = TYPE_CODES["ad_impression"]
_LAST_AD: Final = TYPE_CODES["conversion"]

# Up to here (year 2242) a float64 of seconds is exact to less than half a microsecond.
_FLOAT_SECONDS_MAX: Final = 2.0**33


_NO_ROWS: Final = np.empty(0, np.int64)
_NO_IDS: Final = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True)
class Columns:
    """Valid events of one batch in the order of their offsets.

    Attributes:
        slot: i8[n], the user's row in the slab.
        time_ms: i8[n], event time.
        stream_ms: i8[n], running maximum of the partition's record timestamps up to and including
            each record, those of dead records included.
        type_code: u1[n], index into `features.events.EVENT_TYPES`.
        id_hash: u8[n], see `features.events.event_id_hash`.
        device: u1[n], 0 none, 1 mobile, 2 desktop, 3 tablet; 0 for profiles.
        duration_s: f8[n], 0 when not given.
        amount: f8[n], 0 when not given.
        interest_row: i8[m], index of the event that names an interest; none for profiles.
        interest_id: i4[m], the interest named.
        profiles: what the profile events say, by index of the event.
        campaign_row: i8[m], index of the ad event that names a campaign.
        campaign: i4[m], index into ``campaigns``.
        campaigns: the campaign ids of the batch.
    """

    slot: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    stream_ms: NDArray[np.int64]
    type_code: NDArray[np.uint8]
    id_hash: NDArray[np.uint64]
    device: NDArray[np.uint8]
    duration_s: NDArray[np.float64]
    amount: NDArray[np.float64]
    interest_row: NDArray[np.int64]
    interest_id: NDArray[np.int32]
    profiles: dict[int, Profile]
    campaign_row: NDArray[np.int64] = field(default_factory=lambda: _NO_ROWS)
    campaign: NDArray[np.int32] = field(default_factory=lambda: _NO_IDS)
    campaigns: Sequence[str] = ()

    def __len__(self) -> int:
        """Count the events."""
        return len(self.slot)


def event_times_ms(events: Sequence[Event]) -> NDArray[np.int64]:
    """Give the event times in whole milliseconds since 1970, rounded down, exactly.

    Returns:
        i8[n].
    """
    seconds = np.array([event.timestamp.timestamp() for event in events], np.float64)
    if len(seconds) and np.abs(seconds).max() >= _FLOAT_SECONDS_MAX:
        return np.array([epoch_ms(event.timestamp) for event in events], np.int64)
    whole = np.floor(seconds)
    microseconds = np.rint((seconds - whole) * 1e6).astype(np.int64)
    return whole.astype(np.int64) * 1000 + microseconds // 1000


def build_columns(
    events: Sequence[Event],
    slots: ArrayLike,
    stream_ms: ArrayLike,
    interner: Interner,
    *,
    time_ms: NDArray[np.int64] | None = None,
    id_hashes: NDArray[np.uint64] | None = None,
) -> Columns:
    """Turn events into columns.

    Args:
        events: valid events of one partition in the order of their offsets.
        slots: i8[n], the row of each event's user.
        stream_ms: i8[n], the stream time at each record.
        interner: the one of the slab that the columns will be folded into.
        time_ms: i8[n], what `event_times_ms` gave for these events, if it is at hand.
        id_hashes: u8[n], what `features.events.event_id_hash` gives, if it is at hand.
    """
    types, devices = TYPE_CODES, DEVICE_CODES
    type_code = np.array([types[event.type] for event in events], np.uint8)
    device = np.array([devices[event.device] for event in events], np.uint8)
    profile_rows = np.flatnonzero(type_code == _PROFILE).tolist()
    device[profile_rows] = 0
    if id_hashes is None:
        id_hashes = np.array([event_id_hash(event.event_id) for event in events], np.uint64)
    interest_row, interest_id = _interests(events, type_code, interner)
    campaign_row, campaign, campaigns = _campaigns(events, type_code)
    return Columns(
        slot=np.asarray(slots, np.int64),
        time_ms=event_times_ms(events) if time_ms is None else time_ms,
        stream_ms=np.asarray(stream_ms, np.int64),
        type_code=type_code,
        id_hash=id_hashes,
        device=device,
        duration_s=np.array([event.duration_s or 0.0 for event in events], np.float64),
        amount=np.array([event.amount or 0.0 for event in events], np.float64),
        interest_row=interest_row,
        interest_id=interest_id,
        profiles={row: profile_of(events[row]) for row in profile_rows},
        campaign_row=campaign_row,
        campaign=campaign,
        campaigns=campaigns,
    )


def _campaigns(
    events: Sequence[Event], type_code: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int32], Sequence[str]]:
    """List the ad events that name a campaign, and number the campaigns."""
    numbers: dict[str | None, int] = _Numbers({None: -1, "": -1})
    named = map(numbers.__getitem__, [event.campaign_id for event in events])
    campaign = np.fromiter(named, np.int32, len(events))
    rows = np.flatnonzero((campaign >= 0) & (type_code >= _FIRST_AD) & (type_code <= _LAST_AD))
    return rows, campaign[rows], [name for name in numbers if name]


class _Numbers(dict[str | None, int]):
    """Numbers by name; asking for a new name gives the next number."""

    def __missing__(self, name: str | None) -> int:
        """Number a new name; two names that say nothing are there from the start."""
        self[name] = number = len(self) - 2
        return number


def _interests(
    events: Sequence[Event], type_code: NDArray[np.uint8], interner: Interner
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """List (event, interest) pairs of the activity events in order."""
    named = [row for row, event in enumerate(events) if event.interests]
    if not named:
        return np.empty(0, np.int64), np.empty(0, np.int32)
    rows = np.array(named, np.int64)
    activity = type_code[rows] < _PROFILE
    chosen = [events[row].interests for row in rows[activity].tolist()]
    ids = interner.ids_of([name for names in chosen for name in names])
    repeats = np.array([len(names) for names in chosen], np.int64)
    return np.repeat(rows[activity], repeats), np.array(ids, np.int32)

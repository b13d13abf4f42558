"""Which records of a batch are applied: the checks duplicate, late, applied, in that order.

Nearly all users of a batch send plain events with new ids; their records are judged all at once.
Users for whom the order of records matters (an id that may be a repeat, a profile, a forget
request) are "contested": their records are judged one by one.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.columns import Columns
from features.events import METRIC_NAMES, TYPE_CODES, Metrics
from features.profile import Profile, decode_traits
from features.slab import KNOWN, RING_IDS, Slab
from features.tiles import DAY_MS, WINDOW_DAYS

APPLIED: Final = 0
DUPLICATE: Final = 1
LATE: Final = 2

_FOLLOW: Final = TYPE_CODES["follow"]
_UNFOLLOW: Final = TYPE_CODES["unfollow"]
_PROFILE: Final = TYPE_CODES["profile"]
_FORGET: Final = TYPE_CODES["forget"]

# Spreads the slot over all 64 bits, so that equal (slot, hash) pairs, and hardly any others, mix
# to equal values (2^64 / golden ratio).
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)


class Standing:
    """One contested user while the batch is judged record by record.

    Attributes:
        recent: hashes of the last 16 applied ids.
        level: followed accounts.
        profile: what is known; None = not read from the slab, as most users send none.
        profile_changed: a profile was applied since the last forget request.
        level_set: a profile has set the level since then.
    """

    __slots__ = ("level", "level_set", "profile", "profile_changed", "recent")

    def __init__(self, recent: list[int], level: int) -> None:
        """Take over what the slab holds."""
        self.recent = deque(recent, maxlen=RING_IDS)
        self.level = level
        self.profile: Profile | None = None
        self.profile_changed = False
        self.level_set = False

    def forget(self) -> None:
        """Start from nothing."""
        self.recent.clear()
        self.level = 0
        self.profile = Profile()
        self.profile_changed = False
        self.level_set = False

    def learn(self, merged: Profile, newer: Profile) -> None:
        """Take over a profile that changes something; it sets the level of followed accounts."""
        self.profile = merged
        self.profile_changed = True
        if newer.metrics.followed_accounts is not None:
            self.level = int(newer.metrics.followed_accounts)
            self.level_set = True


@dataclass(slots=True)
class Admission:
    """What is to be done with the records of a batch.

    Attributes:
        outcome: u1[n], `APPLIED`, `DUPLICATE` or `LATE`.
        effective: bool[n], applied and neither a forget request nor wiped by a later one.
        forgotten: row of the last forget request, by slot.
        standings: the contested users after the batch, by slot.
    """

    outcome: NDArray[np.uint8]
    effective: NDArray[np.bool_]
    forgotten: dict[int, int] = field(default_factory=dict)
    standings: dict[int, Standing] = field(default_factory=dict)


def admit(slab: Slab, columns: Columns) -> Admission:
    """Judge the records of a batch; changes nothing."""
    stream_day = columns.stream_ms // DAY_MS
    late = columns.time_ms // DAY_MS < stream_day - (WINDOW_DAYS - 1)
    outcome = np.where(late, np.uint8(LATE), np.uint8(APPLIED))
    admission = Admission(outcome, ~late)
    contested = _contested_rows(slab, columns)
    if len(contested):
        _judge_one_by_one(slab, columns, contested, late, admission)
        admission.effective = _effective(columns, admission)
    return admission


def _contested_rows(slab: Slab, columns: Columns) -> NDArray[np.int64]:
    """List all records of the users whose records must be judged one by one."""
    suspect = (slab.ring[columns.slot] == columns.id_hash[:, None]).any(axis=1)
    suspect |= columns.type_code >= _PROFILE
    mixed = columns.id_hash ^ (columns.slot.astype(np.uint64) * _SPREAD)
    ascending = np.sort(mixed)
    repeats = ascending[1:][ascending[1:] == ascending[:-1]]
    if len(repeats):
        suspect |= np.isin(mixed, repeats)
    if not suspect.any():
        return np.empty(0, np.int64)
    return np.flatnonzero(np.isin(columns.slot, columns.slot[suspect]))


def _judge_one_by_one(
    slab: Slab,
    columns: Columns,
    contested: NDArray[np.int64],
    late: NDArray[np.bool_],
    admission: Admission,
) -> None:
    """Judge the records of contested users in order, writing into the admission."""
    slots = columns.slot[contested]
    standings = admission.standings = _standings(slab, np.unique(slots))
    outcome: list[int] = []
    for row, slot, code, id_hash, is_late in zip(
        contested.tolist(),
        slots.tolist(),
        columns.type_code[contested].tolist(),
        columns.id_hash[contested].tolist(),
        late[contested].tolist(),
        strict=True,
    ):
        standing = standings[slot]
        if code == _FORGET:
            standing.forget()
            admission.forgotten[slot] = row
            outcome.append(APPLIED)
        elif id_hash in standing.recent:
            outcome.append(DUPLICATE)
        elif code == _PROFILE:
            outcome.append(_judge_profile(slab, slot, standing, columns.profiles[row], is_late))
        else:
            outcome.append(LATE if is_late else APPLIED)
            standing.level += (not is_late) * ((code == _FOLLOW) - (code == _UNFOLLOW))
        if outcome[-1] == APPLIED and code != _FORGET:
            standing.recent.append(id_hash)
    admission.outcome[contested] = outcome


def _judge_profile(slab: Slab, slot: int, standing: Standing, newer: Profile, is_late: bool) -> int:
    """Judge a profile with a new id: one that the user has already is a duplicate."""
    if standing.profile is None:
        standing.profile = _profile(slab, slot)
    merged = standing.profile.merged(newer)
    if merged == standing.profile:
        return DUPLICATE
    if is_late:
        return LATE
    standing.learn(merged, newer)
    return APPLIED


def _standings(slab: Slab, slots: NDArray[np.int64]) -> dict[int, Standing]:
    """Read what judging needs from users' rows."""
    head = slab.heads(slots)
    oldest_first = (head["ring_next"][:, None] + np.arange(RING_IDS)) % RING_IDS
    rings = np.take_along_axis(slab.ring[slots], oldest_first, axis=1)
    # The empty places of a ring that is not full come first in this order.
    empty = np.count_nonzero(rings == 0, axis=1)
    return {
        slot: Standing(ring[first:], level)
        for slot, ring, first, level in zip(
            slots.tolist(), rings.tolist(), empty.tolist(), head["level"].tolist(), strict=True
        )
    }


def _profile(slab: Slab, slot: int) -> Profile:
    """Read what is known of a user."""
    known: list[float] = slab.words[slot, KNOWN].tolist()
    mask = int(slab.head["known_mask"][slot])
    metrics = {name: known[i] for i, name in enumerate(METRIC_NAMES) if mask >> i & 1}
    return Profile(decode_traits(slab.traits[slot]), Metrics(**metrics))


def _effective(columns: Columns, admission: Admission) -> NDArray[np.bool_]:
    """Tell which records leave a trace after the batch's forget requests."""
    effective = (admission.outcome == APPLIED) & (columns.type_code != _FORGET)
    if admission.forgotten:
        slots = np.array(sorted(admission.forgotten), np.int64)
        last = np.array([admission.forgotten[slot] for slot in slots.tolist()], np.int64)
        at = np.minimum(np.searchsorted(slots, columns.slot), len(slots) - 1)
        wiped = (slots[at] == columns.slot) & (np.arange(len(columns)) < last[at])
        effective &= ~wiped
    return np.asarray(effective)

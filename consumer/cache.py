"""The worker's bounded cache of user states: one slab, so that a batch is folded as columns.

Every state in it is also in Redis (a commit writes through), so evicting one costs nothing, and
dropping a whole partition is always safe.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from consumer.keys import PartitionKeys
from features import codec
from features.slab import Slab

Slots = npt.NDArray[np.int64]

# Interest names are interned for the life of the cache. Far above any real list of labels, and
# small enough (about 100 MB) that a producer sending free text cannot exhaust the memory.
INTERESTS_MAX = 1_000_000

_EVICTED_SHARE = 0.1  # evict in bulk: one pass over `last_used` pays for many new users


class UserCache:
    """Users' states by slot (a row of the slab), the least recently used evicted first."""

    def __init__(self, capacity: int) -> None:
        """Allocate `capacity` slots, about 2.3 KB each."""
        self.capacity = capacity
        self._allocate()

    def _allocate(self) -> None:
        self.slab = Slab(self.capacity)
        self.slot_of: dict[str, int] = {}
        self.user_ids: list[str] = [""] * self.capacity
        self.redis_keys: list[bytes] = [b""] * self.capacity
        self.partition = np.full(self.capacity, -1, np.int32)
        # When the user's entry in `due` says to look again; NaN: not known, write it once.
        self.due_ms = np.full(self.capacity, np.nan)
        self._last_used = np.zeros(self.capacity, np.int64)
        self._now = 0
        self._free = list(range(self.capacity - 1, -1, -1))

    def __len__(self) -> int:
        """Count the users held."""
        return len(self.slot_of)

    def held_in(self, partition: int) -> "HeldIn":
        """Give the users held of one partition, to ask whether a user is among them."""
        return HeldIn(self, partition)

    def missing(self, user_ids: Sequence[str]) -> list[str]:
        """Give the users not held, each once, in order of appearance."""
        slot_of = self.slot_of
        return list(dict.fromkeys(user_id for user_id in user_ids if user_id not in slot_of))

    def slots(self, user_ids: Sequence[str]) -> Slots:
        """Give the slots of users that are all held (int64[n]), and mark them as used."""
        slots = np.fromiter(map(self.slot_of.__getitem__, user_ids), np.int64, len(user_ids))
        self._now += 1
        self._last_used[slots] = self._now
        return slots

    def admit(
        self,
        keys: PartitionKeys,
        user_ids: Sequence[str],
        states: Sequence[bytes | None],
        *,
        keep: Sequence[str] = (),
    ) -> Slots:
        """Take in users of a partition with their stored states (None: never seen).

        Args:
            keys: the partition's keys.
            user_ids: users not held yet.
            states: their packed states, in the same order.
            keep: users that must not be evicted to make room (the batch at hand).

        Raises:
            UnknownLayout: a state was written by a release with another layout.
        """
        self._make_room(len(user_ids), keep)
        slots = np.array([self._free.pop() for _ in user_ids], np.int64)
        prefix = keys.user_prefix
        for slot, user_id in zip(slots.tolist(), user_ids, strict=True):
            self.slot_of[user_id] = slot
            self.user_ids[slot] = user_id
            self.redis_keys[slot] = prefix + user_id.encode()
        self.partition[slots] = keys.partition
        self.due_ms[slots] = np.nan
        self._last_used[slots] = self._now + 1
        self.slab.clear(slots)
        stored = [i for i, state in enumerate(states) if state is not None]
        if stored:
            codec.decode(self.slab, slots[stored], [states[i] for i in stored])  # type: ignore[misc]
        return slots

    def drop(self, slots: Slots) -> None:
        """Forget what is held in these slots."""
        for slot in slots.tolist():
            del self.slot_of[self.user_ids[slot]]
            self.user_ids[slot] = ""
            self._free.append(slot)
        self.partition[slots] = -1
        self.slab.clear(slots)

    def drop_users(self, user_ids: Sequence[str]) -> None:
        """Forget users that are held."""
        self.drop(np.array([self.slot_of[user_id] for user_id in user_ids], np.int64))

    def drop_partition(self, partition: int) -> None:
        """Forget a partition's users: it was lost, or what is held may not be what Redis holds."""
        self.drop(np.flatnonzero(self.partition == partition))

    def reset_if_crowded(self) -> bool:
        """Start anew when interest names have grown past `INTERESTS_MAX`; only between batches."""
        if len(self.slab.interests) <= INTERESTS_MAX:
            return False
        self._allocate()
        return True

    def _make_room(self, needed: int, keep: Sequence[str]) -> None:
        if needed <= len(self._free):
            return
        held = np.flatnonzero(self.partition >= 0)
        age = self._last_used[held]
        kept = list({self.slot_of[user_id] for user_id in keep if user_id in self.slot_of})
        age[np.isin(held, kept)] = np.iinfo(np.int64).max
        count = max(needed - len(self._free), int(self.capacity * _EVICTED_SHARE))
        count = min(count, len(held) - len(kept))
        assert count + len(self._free) >= needed, "cache_users must hold one batch and one sweep"
        self.drop(held[np.argpartition(age, count - 1)[:count]])


class HeldIn:
    """The users that a cache holds of one partition."""

    def __init__(self, cache: UserCache, partition: int) -> None:
        """Look at `cache` without copying anything."""
        self._slot_of = cache.slot_of
        self._partition_of = cache.partition
        self._partition = partition

    def __contains__(self, user_id: object) -> bool:
        """Tell whether the user is held and belongs to the partition."""
        slot = self._slot_of.get(user_id)  # type: ignore[call-overload]
        return slot is not None and bool(self._partition_of[slot] == self._partition)

"""The states of many users as columns of numpy arrays; one row, called slot, per user.

A state is three rows of numbers (head, cells, words) and two things with text (interests, traits).
Every array is written in place by `features.fold`; a row of zeros (segment and candidate -1,
interests -1) is a user never seen.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features import tiles

RING_IDS: Final = 16
"""How many ids of applied events are remembered."""
KNOWN_METRICS: Final = 7
INTERESTS_MAX: Final = 32

FORGOTTEN: Final = 1
"""Bit of ``flags``: the user asked to be forgotten and did nothing since."""

# The eight single bytes come first so that a stored value starts with its layout; the rest is
# aligned without padding, since unaligned columns are slow in numpy.
HEAD: Final = np.dtype(
    [
        ("layout", "u1"),  # 0 in memory; the codec writes its number
        ("flags", "u1"),
        ("known_mask", "u1"),  # bit i: metric i was given, so that a known 0 is told from nothing
        ("candidate_count", "u1"),
        ("ring_next", "u1"),  # place of the id ring that is written next
        ("interest_count", "u1"),  # interests occupy the first so many places
        ("spare", "<u2"),
        ("segment", "<i4"),  # -1: none
        ("candidate", "<i4"),  # -1: none
        ("user_version", "<u4"),
        ("applied", "<u4"),  # applied events, profiles included
        ("level", "<i4"),  # followed accounts; may be below 0
        ("newest_hour", "<i4"),  # anchor of the rings, hours since 1970
        ("first_ms", "<i8"),  # smallest event time applied
        ("last_ms", "<i8"),  # greatest event time applied, or time of the forget request
        ("sampled_ms", "<i8"),  # stream time of the last training sample
        ("since_ms", "<i8"),  # when the user entered the segment
    ]
)

SUMS: Final = slice(0, len(tiles.DAY_SUMS) * tiles.DAY_TILES)
"""Word columns of the day sums (float64)."""
RING: Final = slice(SUMS.stop, SUMS.stop + RING_IDS)
"""Word columns of the last applied ids (64-bit hashes; 0 = empty place)."""
KNOWN: Final = slice(RING.stop, RING.stop + KNOWN_METRICS)
"""Word columns of the known metrics (float64), in the order of `features.events.Metrics`."""
DEVICES: Final = slice(KNOWN.stop, KNOWN.stop + 2)
"""Word columns of the decayed device weights (float64): mobile, all."""
INTERESTS: Final = slice(DEVICES.stop, DEVICES.stop + INTERESTS_MAX)
"""Word columns of the decayed interest weights (float64)."""
WORD_COLUMNS: Final = INTERESTS.stop


class _Ids(dict[str, int]):
    """Ids by name; asking for a new name makes one."""

    def __init__(self, names: list[str]) -> None:
        """Number the names of this list, which grows with every new one."""
        super().__init__()
        self.names = names

    def __missing__(self, name: str) -> int:
        """Number a new name."""
        self[name] = number = len(self.names)
        self.names.append(name)
        return number


class Interner:
    """Small integers for interest names, so that a state holds numbers.

    Attributes:
        names: by id.
    """

    def __init__(self) -> None:
        """Start without names."""
        self.names: list[str] = []
        self._ids = _Ids(self.names)

    def __len__(self) -> int:
        """Count the names."""
        return len(self.names)

    def ids_of(self, names: Iterable[str]) -> list[int]:
        """Give the ids of names, new ones for those seen for the first time."""
        ids = self._ids
        return [ids[name] for name in names]


class Slab:
    """States of up to ``capacity`` users; 2.3 KB a user, allocated by the system when touched.

    Attributes:
        head: `HEAD`[capacity].
        cells: u4[capacity, 228], counters of the tiles (columns: `features.tiles`).
        words: f8[capacity, 144], columns `SUMS`, `RING` (its bits are hashes), `KNOWN`,
            `DEVICES`, `INTERESTS`.
        ring: u8[capacity, 16], the view of the words that holds the hashes.
        interest_ids: i4[capacity, 32], index into ``interests``; -1 = empty place.
        interests: the names behind the ids.
        traits: canonical JSON of each user's `features.events.Traits`; None = none.
        tails: the stored form of each user's interest names and traits, kept by `features.codec`;
            None = to be made again. Whoever changes either of the two sets it to None.
    """

    def __init__(self, capacity: int) -> None:
        """Make room for so many users, none of them seen."""
        self.capacity = capacity
        self.head = np.zeros(capacity, HEAD)
        # The same memory as plain numbers: copying rows field by field costs five times as much.
        self._head_rows = self.head.view(np.uint64).reshape(capacity, HEAD.itemsize // 8)
        self.cells: NDArray[np.uint32] = np.zeros((capacity, tiles.CELL_COLUMNS), np.uint32)
        self.words: NDArray[np.float64] = np.zeros((capacity, WORD_COLUMNS), np.float64)
        self.ring: NDArray[np.uint64] = self.words.view(np.uint64)[:, RING]
        self.interest_ids: NDArray[np.int32] = np.full((capacity, INTERESTS_MAX), -1, np.int32)
        self.interests = Interner()
        self.traits: list[bytes | None] = [None] * capacity
        self.tails: list[bytes | None] = [None] * capacity
        self.head["segment"] = -1
        self.head["candidate"] = -1
        self._borrowed_cells = np.empty((0, tiles.CELL_COLUMNS), np.uint32)
        self._borrowed_words = np.empty((0, WORD_COLUMNS), np.float64)

    def heads(self, slots: NDArray[np.int64]) -> Any:
        """Copy the heads of rows.

        Args:
            slots: i8[n].

        Returns:
            `HEAD`[n].
        """
        return self._head_rows[slots].view(HEAD)[:, 0]

    def set_heads(self, slots: NDArray[np.int64], heads: Any) -> None:
        """Write the heads of rows.

        Args:
            slots: i8[n], distinct.
            heads: `HEAD`[n].
        """
        self._head_rows[slots] = heads.view(np.uint64).reshape(-1, HEAD.itemsize // 8)

    def borrow(self, slots: NDArray[np.int64]) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
        """Copy cells and words of rows into buffers that the next borrowing overwrites.

        Args:
            slots: i8[n].

        Returns:
            u4[n, 228] and f8[n, 144], the caller's to change.
        """
        cells, words = self._buffers(len(slots))
        # With "clip" numpy writes straight into the buffer; slots are always in range.
        np.take(self.cells, slots, axis=0, out=cells, mode="clip")
        np.take(self.words, slots, axis=0, out=words, mode="clip")
        return cells, words

    def borrow_blank(self, n: int) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
        """Give cells and words of n rows, all 0, in the same buffers."""
        cells, words = self._buffers(n)
        cells.fill(0)
        words.fill(0.0)
        return cells, words

    def _buffers(self, n: int) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
        """Give n rows to write into.

        Fresh arrays of this size come from the system page by page, which costs more than all that
        is then computed from them.
        """
        if n > len(self._borrowed_cells):
            self._borrowed_cells = np.empty((n, tiles.CELL_COLUMNS), np.uint32)
            self._borrowed_words = np.empty((n, WORD_COLUMNS), np.float64)
        return self._borrowed_cells[:n], self._borrowed_words[:n]

    def clear(self, slots: NDArray[np.int64]) -> None:
        """Reset rows to "never seen".

        Args:
            slots: i8[n].
        """
        self.head[slots] = _NEVER_SEEN
        self.cells[slots] = 0
        self.words[slots] = 0.0
        self.interest_ids[slots] = -1
        for slot in slots.tolist():
            self.traits[slot] = None
            self.tails[slot] = None


_NEVER_SEEN: Final = np.zeros((), HEAD)
_NEVER_SEEN["segment"] = -1
_NEVER_SEEN["candidate"] = -1

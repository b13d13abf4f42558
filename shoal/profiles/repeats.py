"""Users who stand in a table more than once: noticed in one pass, with 24 bytes a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

from shoal.profiles.row import ProfileRow


class Earlier(NamedTuple):
    """The row in which a user stands already.

    Attributes:
        line: Its line.
        same: Whether it says the same.
    """

    line: int
    same: bool


class Repeats:
    """Remembers who was seen in which line, and with what.

    Ids and contents are 64-bit hashes in sorted arrays: a dictionary of a million ids would take
    ten times the room. Two of a million ids collide with a probability of 3 x 10^-8.
    """

    def __init__(self) -> None:
        """Start with nobody."""
        self._ids: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._contents: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._lines: NDArray[np.int64] = np.empty(0, np.int64)

    def earlier(self, rows: Sequence[ProfileRow], lines: Sequence[int]) -> list[Earlier | None]:
        """Tell for each row where its user stands already, then remember the new ones.

        Args:
            rows: The next rows of the table.
            lines: Their lines, rising.

        Returns:
            One per row; None for a user who is new.
        """
        if not rows:
            return []
        ids = _hashes([row.user_id for row in rows])
        contents = _hashes([repr(tuple(row.__dict__.values())) for row in rows])
        at = np.array(lines, np.int64)
        found: list[Earlier | None] = [None] * len(rows)
        if len(self._ids):
            place = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
            for i in np.flatnonzero(self._ids[place] == ids).tolist():
                same = bool(self._contents[place[i]] == contents[i])
                found[i] = Earlier(int(self._lines[place[i]]), same)
        _, first, which = np.unique(ids, return_index=True, return_inverse=True)
        for i in np.flatnonzero(first[which] < np.arange(len(ids))).tolist():
            if found[i] is None:
                j = int(first[which[i]])
                found[i] = Earlier(lines[j], bool(contents[i] == contents[j]))
        new = first[[found[i] is None for i in first.tolist()]]
        self._remember(ids[new], contents[new], at[new])
        return found

    def _remember(
        self, ids: NDArray[np.uint64], contents: NDArray[np.uint64], lines: NDArray[np.int64]
    ) -> None:
        """Merge new users into the sorted arrays."""
        all_ids = np.concatenate((self._ids, ids))
        order = np.argsort(all_ids, kind="stable")  # two sorted runs: close to a merge
        self._ids = all_ids[order]
        self._contents = np.concatenate((self._contents, contents))[order]
        self._lines = np.concatenate((self._lines, lines))[order]


def _hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Hash texts: XXH3 of their UTF-8, 64 bits."""
    return np.array([xxhash.xxh3_64_intdigest(text.encode()) for text in texts], np.uint64)

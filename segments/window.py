"""The users seen lately, each with the newest vector: what releases are tested on.

A function of the samples read: it holds exactly the users who have a sample at or after one
offset of the samples topic, so it can be read again from there. That is why users leave it at
the old end only, and why the record of a release says where it begins.
"""

from collections import OrderedDict
from itertools import islice
from typing import NamedTuple

import numpy as np

from features.catalogue import FEATURE_NAMES
from segments.samples import Sample
from segments.transforms import Floats

USERS_MAX = 20_000  # 4 MB of vectors; more of them would not move a centroid noticeably
RECORDS_MAX = 200_000  # what a resumed learner reads again at most: 66 MB, a few seconds


class Seen(NamedTuple):
    """A user's newest sample in the window.

    Attributes:
        row: Where its vector is.
        offset: Of the samples topic.
        stream_ms: Its time.
    """

    row: int
    offset: int
    stream_ms: int


class Window:
    """The newest distinct users, the one sampled longest ago first."""

    def __init__(self, age_max_ms: int, users_max: int = USERS_MAX) -> None:
        """Start empty.

        Args:
            age_max_ms: Stream time after which a vector says nothing any more.
            users_max: Users kept at most.
        """
        self._age_max_ms = age_max_ms
        self._users_max = users_max
        self._seen: OrderedDict[int, Seen] = OrderedDict()
        self._values: Floats = np.empty((users_max, len(FEATURE_NAMES)))
        self._evidence: Floats = np.empty_like(self._values)
        self._free = list(range(users_max - 1, -1, -1))

    def __len__(self) -> int:
        """Distinct users in it."""
        return len(self._seen)

    @property
    def offset(self) -> int | None:
        """Offset of the oldest sample in it; None while it is empty."""
        return next(iter(self._seen.values())).offset if self._seen else None

    def last_ms(self, user_hash: int) -> int | None:
        """Time of a user's sample in the window; None for a stranger."""
        seen = self._seen.get(user_hash)
        return None if seen is None else seen.stream_ms

    def last_vector(self, user_hash: int) -> tuple[list[float], list[float]] | None:
        """Values and evidence of a user's sample in the window; None for a stranger."""
        seen = self._seen.get(user_hash)
        if seen is None:
            return None
        return self._values[seen.row].tolist(), self._evidence[seen.row].tolist()

    def trim(self, offset: int, newest_ms: int) -> None:
        """Let go of users who were sampled too long ago.

        Args:
            offset: Of the record at hand.
            newest_ms: Stream time.
        """
        while self._seen:
            oldest = next(iter(self._seen.values()))
            if (
                oldest.offset >= offset - RECORDS_MAX
                and oldest.stream_ms >= newest_ms - self._age_max_ms
            ):
                return
            self._drop_oldest()

    def add(self, sample: Sample, offset: int) -> None:
        """Take a sample in place of the user's earlier one.

        The last record of a user counts even if it is a repeat after a crash and older than the
        one before: whether it is, cannot be told from the records that are read again.

        Args:
            sample: The next sample.
            offset: Its offset in the samples topic, rising.
        """
        user = sample.user_hash
        known = self._seen.get(user)
        if known is not None:
            row = known.row
        else:
            if not self._free:
                self._drop_oldest()
            row = self._free.pop()
        self._values[row] = sample.values
        self._evidence[row] = sample.evidence
        self._seen[user] = Seen(row, offset, sample.stream_ms)
        self._seen.move_to_end(user)

    def users(self, users_max: int) -> list[int]:
        """Name the newest users.

        Args:
            users_max: How many at most.

        Returns:
            Their hashes, the newest user first.
        """
        return list(islice(reversed(self._seen), users_max))

    def newest(self, users_max: int) -> tuple[Floats, Floats]:
        """Hand out the vectors of the newest users.

        Args:
            users_max: How many at most.

        Returns:
            Values and evidence, float64[n, 13] each, the newest user first.
        """
        newest = islice(reversed(self._seen.values()), users_max)
        rows = np.array([seen.row for seen in newest], dtype=np.intp)
        return self._values[rows], self._evidence[rows]

    def _drop_oldest(self) -> None:
        _, oldest = self._seen.popitem(last=False)
        self._free.append(oldest.row)

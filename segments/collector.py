"""The vectors that wait for a bootstrap: the latest one per distinct user."""

from heapq import heappush, heappushpop

import numpy as np
from numpy.typing import NDArray

from features.catalogue import feature_index
from segments.samples import Sample
from segments.transforms import Floats

USERS_MAX = 20_000  # 4 MB of vectors; more of them would not move a centroid noticeably
# The evidence of these is observed days, or 28 where a profile knows the value.
DAY_FEATURES = ("weekday_hours", "weekend_hours", "page_views_per_day", "reactions_per_day")


class Collector:
    """Latest vector of each user, of a fair sample of users when there are very many.

    Over capacity the users with the lowest hashes stay: that is a uniform sample of distinct
    users, and who is in it does not depend on the order or number of their samples.
    """

    def __init__(self, users_max: int = USERS_MAX) -> None:
        """Start empty.

        Args:
            users_max: Users kept at most.
        """
        self._users_max = users_max
        self._latest: dict[int, Sample] = {}
        self._highest: list[int] = []  # heap of negated hashes, to find whom to leave out
        self._mature: set[int] = set()

    def __len__(self) -> int:
        """Distinct users collected."""
        return len(self._latest)

    def mature(self) -> int:
        """Users with a week behind their latest vector."""
        return len(self._mature)

    def add(self, sample: Sample, mature_days: float) -> None:
        """Take a sample in place of the user's earlier one.

        Args:
            sample: The next sample.
            mature_days: Observed days from which a vector counts as mature.
        """
        user = sample.user_hash
        if user not in self._latest:
            if len(self._latest) < self._users_max:
                heappush(self._highest, -user)
            else:
                dropped = -heappushpop(self._highest, -user)
                if dropped == user:
                    return
                del self._latest[dropped]
                self._mature.discard(dropped)
        self._latest[user] = sample
        days = days_behind(np.array([sample.evidence]))[0]
        (self._mature.add if days >= mature_days else self._mature.discard)(user)

    def vectors(self, *, mature_only: bool) -> tuple[Floats, Floats]:
        """Hand out what was collected.

        Args:
            mature_only: Leave out the vectors that have not a week behind them.

        Returns:
            Values and evidence, float64[n, 13] each, in the order of the users' hashes.
        """
        users = sorted(self._mature if mature_only else self._latest)
        rows: NDArray[np.float64] = np.array(
            [[self._latest[user].values, self._latest[user].evidence] for user in users]
        )
        return rows[:, 0], rows[:, 1]


def days_behind(evidence: Floats) -> Floats:
    """How many days of observation stand behind users' vectors.

    Args:
        evidence: float64[n, 13].

    Returns:
        float64[n]: observed days, 28 where a profile stands in for them; 0 without any.
    """
    columns = [feature_index(name) for name in DAY_FEATURES]
    days: Floats = np.nan_to_num(evidence[:, columns], nan=0.0).max(axis=1)
    return days

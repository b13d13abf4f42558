"""A histogram of durations in plain numbers: cheap to write in a loop, safe to read elsewhere."""

from bisect import bisect_left

BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Durations:
    """Counts durations by size.

    Attributes:
        counts: how many fell at or below each of `BOUNDS_S` and above the bound before it; the
            last one counts those above all of them.
        total_s: their sum.
    """

    def __init__(self) -> None:
        """Start at zero."""
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.total_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds

    def cumulative(self) -> list[tuple[float, int]]:
        """Give how many were at most so long, by bound, the last bound being infinite."""
        counts, so_far = list(self.counts), 0
        result = []
        for bound_s, count in zip((*BOUNDS_S, float("inf")), counts, strict=True):
            so_far += count
            result.append((bound_s, so_far))
        return result

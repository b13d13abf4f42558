"""How much may be done now of something that is to happen at a bounded rate."""

from collections.abc import Callable
from math import inf

SAVED_UP_S = (
    0.25  # so much of a second's worth may be done at once, and holds up the rest no longer
)


class Allowance:
    """Fills at a steady rate; what is done is taken out of it."""

    def __init__(self, per_s: float | None, clock: Callable[[], float]) -> None:
        """Begin with what may be done at once.

        Args:
            per_s: how much a second, on average; None: any amount.
            clock: a monotonic clock, in seconds.
        """
        self._per_s = per_s
        self._full = inf if per_s is None else max(1.0, per_s * SAVED_UP_S)
        self._clock = clock
        self._left = self._full
        self._at_s = clock()

    @property
    def left(self) -> int | None:
        """How much may be done now, a whole number; None: any amount."""
        if self._per_s is None:
            return None
        now_s = self._clock()
        self._left = min(self._full, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        return int(self._left)

    def take(self, amount: int) -> None:
        """Note that so much, at most what was left, has been done."""
        self._left -= amount

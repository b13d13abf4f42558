"""Sending at a steady rate."""

from __future__ import annotations

from collections.abc import Callable

# Waits shorter than this cost more in waking up than they gain in steadiness.
_WAIT_MIN_S = 0.005


class Pace:
    """Says when to wait so that events leave at a given rate on average.

    Time lost by a slow receiver is not made up for by a burst longer than a second's worth.
    """

    def __init__(
        self,
        rate_per_s: float | None,
        clock: Callable[[], float],
        wait: Callable[[float], None],
    ) -> None:
        """Begin now.

        Args:
            rate_per_s: Events per second; None for as fast as possible.
            clock: A monotonic clock in seconds.
            wait: Passes the given seconds, or fewer when it has something to do.
        """
        self._gap_s = 1 / rate_per_s if rate_per_s else 0.0
        self._clock = clock
        self._wait = wait
        self._due_s = clock()

    def step(self) -> None:
        """Wait until the next event may leave."""
        if not self._gap_s:
            return
        self._due_s = max(self._due_s + self._gap_s, self._clock() - 1.0)
        while (left_s := self._due_s - self._clock()) >= _WAIT_MIN_S:
            self._wait(left_s)

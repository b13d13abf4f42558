"""Waiting for a fact, with a deadline."""

from collections.abc import Callable
from time import monotonic, sleep

_POLL_S = 0.05


def eventually(fact: Callable[[], object], within_s: float, what: str) -> None:
    """Ask until the answer is truthy.

    Raises:
        AssertionError: it was not in time; the text says what was waited for.
    """
    deadline_s = monotonic() + within_s
    while not fact():
        assert monotonic() < deadline_s, f"not within {within_s:.0f} s: {what}"
        sleep(_POLL_S)

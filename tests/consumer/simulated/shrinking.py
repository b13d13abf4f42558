"""Cutting a failing schedule down: whatever can be left out while it still fails is left out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from tests.consumer.simulated.schedule import Schedule
from tests.consumer.simulated.verdict import simulate

T = TypeVar("T")

TRIES_MAX = 500


def failure_of(schedule: Schedule) -> Exception | None:
    """Run a schedule; give what is wrong, None if nothing is."""
    try:
        simulate(schedule)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is what we look for
        return error
    return None


def shrunk(schedule: Schedule) -> Schedule:
    """Give a schedule that fails too, though maybe of another cause, and has nothing to spare."""
    left = TRIES_MAX

    def fails(candidate: Schedule) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and failure_of(candidate) is not None

    before = None
    while before != schedule:
        before = schedule
        schedule = replace(schedule, acts=_needed(schedule.acts, _with_acts(schedule, fails)))
        schedule = replace(schedule, log=_needed(schedule.log, _with_log(schedule, fails)))
        for simpler in (
            replace(schedule, trailing=0),
            replace(schedule, batch_records=16),
            replace(schedule, acts=tuple(replace(act, lot=0) for act in schedule.acts)),
        ):
            if simpler != schedule and fails(simpler):
                schedule = simpler
    return schedule


def _with_acts(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Callable[..., bool]:
    return lambda acts: fails(replace(schedule, acts=tuple(acts)))


def _with_log(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Callable[..., bool]:
    return lambda log: bool(log) and fails(replace(schedule, log=tuple(log)))


def _needed(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> tuple[T, ...]:
    """Leave out runs of items, long ones first, as long as it still fails without them."""
    length = max(1, len(items) // 2)
    while True:
        at = len(items)
        while at > 0:
            shorter = [*items[: max(0, at - length)], *items[at:]]
            if fails(shorter):
                items = shorter
            at -= length
        if length == 1:
            return tuple(items)
        length //= 2

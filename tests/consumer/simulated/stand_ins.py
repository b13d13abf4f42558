"""Puts the services in memory in the place of the real clients, and runs a schedule on them."""

import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import structlog

from consumer import group, publisher, readback, seeding, trend, worker
from segments.model import SegmentModel
from tests.consumer.simulated.schedule import Schedule
from tests.consumer.simulated.threads import MemoryPool
from tests.consumer.simulated.world import World, releases

_worlds: list[World] = []
"""The one that is being run, as its last."""


def world() -> World:
    """Give the world that is being run."""
    return _worlds[-1]


class MemoryFeed:
    """`ModelFeed`: a worker hears of a release sooner or later."""

    def __init__(self, _kafka: Any, _topic: str) -> None:
        self.newest: SegmentModel | None = None
        self._world = world()

    @property
    def caught_up(self) -> bool:
        return self.newest is self._released()

    def catch_up(self) -> None:
        self.newest = self._released()

    def poll(self) -> SegmentModel | None:
        if self.caught_up or self._world.running.lots.random() < 0.3:
            return None
        self.catch_up()
        return self.newest

    def close(self) -> None:
        """Nothing is open."""

    def _released(self) -> SegmentModel | None:
        released = self._world.released
        return releases()[released - 1] if released else None


def _pool(*_: Any, **__: Any) -> MemoryPool:
    process = world().running
    return MemoryPool(process.lots, process.commits, world().faults.some_pause)


@contextmanager
def services_in_memory(*, quiet: bool = True) -> Iterator[None]:
    """Until it ends, workers made here run on the world at hand."""
    with ExitStack() as stack:
        for where, name, stand_in in (
            (worker, "open_redis", lambda *_, **__: world().redis_client()),
            (worker, "prepare", lambda *_: 1),
            (worker, "ThreadPoolExecutor", _pool),
            (worker, "ModelFeed", MemoryFeed),
            (group, "Consumer", lambda _: world().member()),
            (readback, "Consumer", lambda config: world().reader(config)),
            (publisher, "Producer", lambda config: world().producer(config)),
            (secrets, "token_hex", lambda _: world().nonce()),
            (trend, "CAMPAIGNS_PER_DAY_MAX", 2),  # every owner asks for so many fields
            (seeding, "_USERS_PER_COMMIT", 1),  # so that a seeding takes several
            (time, "monotonic", lambda: world().monotonic_s),
        ):
            stack.enter_context(patch.object(where, name, stand_in))
        if quiet:
            stack.enter_context(_silence())
        yield


@contextmanager
def _silence() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def run(schedule: Schedule) -> World:
    """Run a schedule to its end, inside `services_in_memory`.

    Raises:
        Exception: the workers broke a promise of their own, or never came to rest.
    """
    _worlds.append(World(schedule))
    try:
        world().run()
        return world()
    finally:
        _worlds.pop()

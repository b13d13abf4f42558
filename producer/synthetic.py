"""A synthetic stream of a given size with a known truth.

stream = SyntheticStream(SyntheticSettings(users=2000, events=200_000, seed=7))
for record_ms, event, payload in stream.events():
    ...
truth = stream.truth()
"""

from __future__ import annotations

from collections.abc import Iterator

from producer.rendering import Renderer, TimedEvent
from producer.scenario import SyntheticSettings
from producer.simulation import Simulation
from producer.truth import UserTruth

__all__ = ["SyntheticSettings", "SyntheticStream", "TimedEvent", "UserTruth"]

# Switchers switch around the middle, so that there is a before and an after to look at.
_SWITCH_FROM, _SWITCH_TO = 0.4, 0.6


class SyntheticStream:
    """Exactly `settings.events` events, in order of arrival, the same each time."""

    def __init__(self, settings: SyntheticSettings) -> None:
        """Prepare; nothing is generated yet."""
        self._settings = settings
        self._truth: list[UserTruth] | None = None

    def events(self) -> Iterator[TimedEvent]:
        """Yield the stream from its beginning, one day in memory at a time."""
        simulation = self._simulation()
        renderer = Renderer(simulation.people)
        for batch in simulation.days():
            yield from renderer.render(batch)
        self._truth = simulation.ledger.truth()

    def truth(self) -> list[UserTruth]:
        """Return what is true about each user over the whole stream.

        Costs nothing once `events` was read to its end; else the stream is generated for it.
        """
        if self._truth is None:
            simulation = self._simulation()
            for _ in simulation.days():
                pass
            self._truth = simulation.ledger.truth()
        return self._truth

    def _simulation(self) -> Simulation:
        """Return a fresh one."""
        days = self._settings.days
        first = int(days * _SWITCH_FROM)
        return Simulation(self._settings, (first, max(int(days * _SWITCH_TO), first + 1)))

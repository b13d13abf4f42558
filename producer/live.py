"""A synthetic stream without end: some weeks of history, then live events of the same users.

    stream = LiveStream(LiveSettings(users=1000, seed=7), live_from_ms=now_ms)
    for record_ms, event, payload in stream.history():   # as fast as it can be sent
        ...
    for record_ms, event, payload in stream.live():      # never ends; the caller keeps the pace
        ...

Pacing is left to the caller, who may let stream time run faster than the clock, such as one hour
a second: send an event when ``(record_ms - live_from_ms) / speed`` has passed since the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from features.tiles import DAY_MS
from producer.rendering import Renderer, TimedEvent
from producer.scenario import SyntheticSettings
from producer.simulation import Simulation
from producer.truth import UserTruth

# Nobody switches twice, so switching ends when most users have; a stream that runs longer than
# that, or than this many live days, calms down.
_SWITCHING_DAYS = 90
# A user needs some life before the switch for anybody to notice that there was one.
_SETTLED_SHARE = 0.6
_SWITCHERS_MAX = 0.9


@dataclass(frozen=True)
class LiveSettings:
    """What decides a live stream, besides the moment it turns live.

    Attributes:
        users: Distinct users.
        seed: Start of all randomness.
        history_days: Whole days before the day on which the stream turns live.
        events_per_user_day: Mean number of events.
        personas: How many kinds of people.
        switches_per_day: Share of the users who switch persona on a day, from the last third of
            the history on.
        bots: Share of the users with one burst of hundreds of events, in the history.
    """

    users: int
    seed: int
    history_days: int = 28
    events_per_user_day: float = 3.6
    personas: int = 6
    switches_per_day: float = 0.01
    bots: float = 0.002


class LiveStream:
    """History first, then live; one pass, time never goes back, all from one seed."""

    def __init__(self, settings: LiveSettings, live_from_ms: int) -> None:
        """Prepare the users; nothing is generated yet.

        Args:
            settings: Size and kind.
            live_from_ms: Where history ends, epoch milliseconds; what arrives later is live.
        """
        first_day = live_from_ms // DAY_MS - settings.history_days
        first_switch = int(settings.history_days * _SETTLED_SHARE)
        rate = settings.switches_per_day
        switching_days = settings.history_days + _SWITCHING_DAYS - first_switch
        if rate * switching_days > _SWITCHERS_MAX:
            switching_days = max(int(_SWITCHERS_MAX / rate), 1)
        events = settings.users * settings.history_days * settings.events_per_user_day
        scenario = SyntheticSettings(
            users=settings.users,
            events=max(round(events), 1),
            seed=settings.seed,
            days=settings.history_days,
            start_ms=first_day * DAY_MS,
            personas=settings.personas,
            switchers=min(rate * switching_days, _SWITCHERS_MAX),
            bots=settings.bots,
            # Drift that goes on for ever would carry the personas away from what they are.
            drift=0.0,
        )
        self._simulation = Simulation(scenario, (first_switch, first_switch + switching_days))
        self._live_from_ms = live_from_ms
        self._events = self._endless()
        self._first_live: TimedEvent | None = None

    def history(self) -> Iterator[TimedEvent]:
        """Yield what arrives before the stream turns live."""
        for timed in self._events:
            if timed.record_ms >= self._live_from_ms:
                self._first_live = timed
                return
            yield timed

    def live(self) -> Iterator[TimedEvent]:
        """Yield what arrives from then on, without end; history not read yet is left out."""
        if self._first_live is None:
            for _ in self.history():
                pass
        first, self._first_live = self._first_live, None
        if first is not None:
            yield first
        yield from self._events

    def truth(self) -> list[UserTruth]:
        """Return what is true about each user up to the day generated last."""
        return self._simulation.ledger.truth()

    def _endless(self) -> Iterator[TimedEvent]:
        """Yield all events, day after day."""
        renderer = Renderer(self._simulation.people)
        for batch in self._simulation.days(endless=True):
            yield from renderer.render(batch)

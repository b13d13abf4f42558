"""The demo's people: some weeks of history as fast as the worker follows, then live at a rate."""

import threading
import time
from collections.abc import Callable, Iterable

from consumer.clock import wall_clock_ms
from producer.client import Producer
from producer.errors import ProducerError
from producer.live import LiveSettings, LiveStream
from producer.pace import Pace
from producer.rendering import TimedEvent
from shoal.settings import Settings
from shoal.wiring import producer_settings

# The embedded broker keeps 5 MB a partition (some 20,000 events) and then drops the oldest, read
# or not; with 4 partitions or more this many stay clear of it.
AHEAD_MAX = 20_000
_CHECK_EVERY = 2_000
_WAIT_S = 0.05


class DemoStream:
    """Sends in a thread of its own until it is stopped."""

    def __init__(
        self, settings: Settings, users: int, rate_per_s: float, processed: Callable[[], int]
    ) -> None:
        """Prepare the people.

        Args:
            settings: where to send.
            users: how many people.
            rate_per_s: events per second once the history is told.
            processed: counts the events that the worker has dealt with.
        """
        self._producer_settings = producer_settings(settings)
        self._stream = LiveStream(LiveSettings(users=users, seed=7), live_from_ms=wall_clock_ms())
        self._rate_per_s = rate_per_s
        self._processed = processed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-stream", daemon=True)
        self.sent = 0
        self.failure: ProducerError | None = None

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more, and wait until Kafka has what was sent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            with Producer(self._producer_settings) as producer:
                self._send(producer, self._stream.history(), None)
                self._send(producer, self._stream.live(), self._rate_per_s)
        except ProducerError as failure:
            self.failure = failure

    def _send(
        self, producer: Producer, events: Iterable[TimedEvent], rate_per_s: float | None
    ) -> None:
        pace = Pace(rate_per_s, time.monotonic, producer.wait)
        for timed in events:
            if self._stop.is_set():
                return
            pace.step()
            producer.send_encoded(timed.event, timed.payload, timed.record_ms)
            self.sent += 1
            if self.sent % _CHECK_EVERY == 0:
                self._let_the_worker_follow(producer)

    def _let_the_worker_follow(self, producer: Producer) -> None:
        while self.sent - self._processed() > AHEAD_MAX and not self._stop.is_set():
            producer.wait(_WAIT_S)

"""Small streams of events with everything unpleasant in them, and ways of sending them."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from time import monotonic, time

from producer.client import Producer, ProducerSettings
from producer.kafka import KafkaConnection
from producer.pace import Pace
from producer.scenario import START_MS, SyntheticSettings
from producer.synthetic import SyntheticStream, TimedEvent
from tests.reference import DAY_MS
from tests.services.deployment import Deployment

USERS = 240
EVENTS = 4_000
DAYS = 10
BROKEN_EVERY = 53


@cache
def history(
    seed: int,
    users: int = USERS,
    events: int = EVENTS,
    days: int = DAYS,
    broken_every: int = BROKEN_EVERY,
) -> tuple[TimedEvent, ...]:
    """Give a stream of the past, for SHOAL_CLOCK=event; now and then a payload is cut short."""
    whole = _stream(seed, users, events, days, START_MS)
    return tuple(
        timed._replace(payload=timed.payload[:-9])
        if broken_every and number % broken_every == broken_every - 1
        else timed
        for number, timed in enumerate(whole)
    )


@cache
def recent(
    seed: int, users: int = USERS, events: int = EVENTS, days: int = DAYS
) -> tuple[TimedEvent, ...]:
    """Give a stream that ended last midnight, for SHOAL_CLOCK=wall."""
    today = int(time() * 1000) // DAY_MS
    return _stream(seed, users, events, days, (today - days) * DAY_MS)


def _stream(seed: int, users: int, events: int, days: int, start_ms: int) -> tuple[TimedEvent, ...]:
    settings = restless(seed, users, events, days, start_ms)
    return tuple(SyntheticStream(settings).events())


def restless(seed: int, users: int, events: int, days: int, start_ms: int) -> SyntheticSettings:
    """Describe people who give changes, and producers who repeat themselves and come late."""
    return SyntheticSettings(
        users=users,
        events=events,
        seed=seed,
        days=days,
        start_ms=start_ms,
        personas=4,
        drift=2.0,  # people who move give changes
        switchers=0.3,
        profiled=0.2,
        duplicates=0.03,
        out_of_order=0.1,
        late=0.01,
    )


def send(deployment: Deployment, events: Sequence[TimedEvent]) -> None:
    """Send events with their own record times, and wait until Kafka has them."""
    with _producer(deployment) as producer:
        for timed in events:
            producer.send_encoded(timed.event, timed.payload, timed.record_ms)


@contextmanager
def sending(
    deployment: Deployment,
    events: Sequence[TimedEvent],
    per_s: float,
    *,
    rest_at_once: bool = False,
) -> Iterator[None]:
    """Send events at a steady rate while the body runs; at its end wait for the rest.

    Args:
        deployment: where to.
        events: what to send.
        per_s: how many a second.
        rest_at_once: once the body is done, the rest goes out as fast as possible.

    Raises:
        Whatever the producer raised.
    """
    failed: list[Exception] = []
    in_a_hurry = threading.Event()

    def work() -> None:
        try:
            with _producer(deployment) as producer:
                pace = Pace(per_s, monotonic, producer.wait)
                for timed in events:
                    if not in_a_hurry.is_set():
                        pace.step()
                    producer.send_encoded(timed.event, timed.payload, timed.record_ms)
        except Exception as error:  # noqa: BLE001 -- raised again in the test's own thread
            failed.append(error)

    thread = threading.Thread(target=work, name="sending")
    thread.start()
    try:
        yield
    finally:
        if rest_at_once:
            in_a_hurry.set()
        thread.join()
    if failed:
        raise failed[0]


def _producer(deployment: Deployment) -> Producer:
    return Producer(
        ProducerSettings(KafkaConnection(deployment.kafka), topic=deployment.topics.events)
    )

"""What comes in meanwhile: one stream of events, its users shared out to two producers.

One sends in transactions, some of which it aborts; the other plainly, with poison in between.
Whatever goes wrong on the way does not matter: the checker takes what stands in the topic for
the truth. Only the rate is bounded, and both keep to the same clock.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as KafkaProducer

from features.events import Event, encode_event
from producer.client import Producer, ProducerSettings
from producer.errors import DeliveryFailed, FlushTimedOut
from producer.kafka import KafkaConnection
from producer.scenario import START_MS
from producer.synthetic import SyntheticStream, TimedEvent
from tests.integration.malformed import Malformed, malformed_records
from tests.integration.streams import restless
from tests.services.deployment import Deployment

USERS = 400
FORGETS = 0.004  # share of the events
POISON = 0.01
ABORTED = 0.2  # share of the transactions
IN_A_TRANSACTION = 30
_CALL_S = 5.0  # how long a transaction's steps may take before it is given up
_FLUSH_S = 30.0
_PAUSE_S = 0.5
_HELD_S = 0.1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stream(seed: int, events: int, days: int) -> list[TimedEvent]:
    """Give the events in order of arrival, forget requests among them."""
    settings = restless(seed, USERS, events, days, START_MS)
    random = Random(seed)
    return list(_with_forgets(SyntheticStream(settings).events(), random))


def _with_forgets(events: Iterator[TimedEvent], random: Random) -> Iterator[TimedEvent]:
    for number, timed in enumerate(events):
        yield timed
        if random.random() < FORGETS:
            forget = Event(
                event_id=f"forget-{number}",
                user_id=timed.event.user_id,
                type="forget",
                timestamp=EPOCH + timedelta(milliseconds=timed.record_ms),
            )
            yield TimedEvent(timed.record_ms, forget, encode_event(forget))


class Load:
    """Sends a stream at a steady rate from two threads.

    Attributes:
        sent: events handed over so far, aborted ones included.
        held: send nothing for now.
        stop: send nothing any more.
        failed: what went wrong that no fault explains.
    """

    def __init__(
        self,
        deployment: Deployment,
        events: Sequence[TimedEvent],
        per_s: float,
        *,
        seed: int,
        partitions: int,
        oversized_bytes: int,
    ) -> None:
        """Prepare.

        Args:
            deployment: where to.
            events: what, in order.
            per_s: how many a second, both producers together.
            seed: of aborts and poison.
            partitions: of the events topic.
            oversized_bytes: size of the poison that is too large.
        """
        self._deployment, self._per_s, self._seed = deployment, per_s, seed
        numbered = list(enumerate(events))
        in_transactions = [one for one in numbered if hash_of(one[1].event.user_id) % 2]
        plain = [one for one in numbered if not hash_of(one[1].event.user_id) % 2]
        poison = malformed_records(int(len(events) * POISON), partitions, oversized_bytes)
        self._threads = [
            threading.Thread(
                target=self._guarded,
                args=(self._send_in_transactions, in_transactions),
                daemon=True,
            ),
            threading.Thread(
                target=self._guarded, args=(self._send_plain, plain, list(poison)), daemon=True
            ),
        ]
        self._started_s = 0.0
        self.sent = 0
        self.held = False
        self.stop = threading.Event()
        self.failed: list[BaseException] = []

    def start(self) -> None:
        """Begin to send."""
        self._started_s = monotonic()
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Send no more, and wait until Kafka has what was sent.

        Raises:
            Whatever went wrong that no fault explains.
        """
        self.stop.set()
        for thread in self._threads:
            thread.join()
        if self.failed:
            raise self.failed[0]

    def _guarded(self, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except BaseException as error:  # noqa: BLE001 -- raised again by `end`
            self.failed.append(error)

    def _is_due(self, number: int) -> bool:
        """Wait until it is an event's turn; who is behind hurries, but not without bounds.

        Returns:
            False when there is to be no more.
        """
        while self.held and not self.stop.wait(_HELD_S):
            self._started_s += _HELD_S / 2  # each of the two threads adds its share
        left_s = self._started_s + number / self._per_s - monotonic()
        self.sent += 1
        return not self.stop.wait(max(left_s, 0.2 / self._per_s))

    # --- plainly ----------------------------------------------------------------------------------

    def _send_plain(self, events: list[tuple[int, TimedEvent]], poison: list[Malformed]) -> None:
        random = Random(self._seed)
        at = sorted(random.sample(range(len(events)), len(poison)))
        bad = dict(zip(at, poison, strict=True))
        topic = self._deployment.topics.events
        settings = ProducerSettings(KafkaConnection(self._deployment.kafka), topic)
        raw = KafkaProducer(settings.kafka.producer_config())
        producer = Producer(settings)
        for position, (number, timed) in enumerate(events):
            if not self._is_due(number):
                break
            try:
                producer.send_encoded(timed.event, timed.payload, timed.record_ms)
            except DeliveryFailed:
                producer = Producer(settings)
            if position in bad:
                one = bad[position]
                raw.produce(
                    topic,
                    value=one.value,
                    key=one.key,
                    partition=one.partition,
                    headers=dict(one.headers),
                    timestamp=timed.record_ms,  # as old as the stream: time must not leap
                )
                raw.poll(0)
        with suppress(DeliveryFailed, FlushTimedOut):
            producer.flush(_FLUSH_S)
        raw.flush(_FLUSH_S)

    # --- in transactions --------------------------------------------------------------------------

    def _send_in_transactions(self, events: list[tuple[int, TimedEvent]]) -> None:
        random = Random(self._seed)
        producer: KafkaProducer | None = None
        position = 0
        while position < len(events) and not self.stop.is_set():
            part = events[position : position + random.randint(1, 2 * IN_A_TRANSACTION)]
            aborts = random.random() < ABORTED
            try:
                producer = producer or self._transactional()
                producer.begin_transaction()
                for number, timed in part:
                    if not self._is_due(number):
                        break
                    producer.produce(
                        self._deployment.topics.events,
                        timed.payload,
                        timed.event.user_id,
                        timestamp=timed.record_ms,
                    )
                    producer.poll(0)
                if aborts:
                    producer.flush(_CALL_S)
                    producer.abort_transaction(_CALL_S)
                else:
                    producer.commit_transaction(_CALL_S)
            except (KafkaException, BufferError, SystemError):  # see `producer.undisguised`
                producer = None  # its successor's fence aborts what is open
                self.stop.wait(_PAUSE_S)
            position += len(part)

    def _transactional(self) -> KafkaProducer:
        producer = KafkaProducer(
            KafkaConnection(self._deployment.kafka).producer_config(
                transactional_id=f"{self._deployment.group}-load",
                transaction_timeout_ms=10_000,
                partitioner="murmur2",
                linger_ms=5,
            )
        )
        while True:
            try:
                producer.init_transactions(_CALL_S)
            except KafkaException as failure:
                error: KafkaError = failure.args[0]
                if not error.retriable():
                    raise
            else:
                break
        return producer


def hash_of(user_id: str) -> int:
    """Give a number that is the same in every process."""
    return sum(user_id.encode())

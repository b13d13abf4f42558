"""Giving the trainer an order, and hearing what became of it.

    command ──order──→ samples topic ──→ trainer ──release or answer──→ models topic ──→ command

The order stands in the samples topic between the samples, so whichever trainer reads on obeys it,
today or after a restart, exactly once.
"""

import secrets
import time
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from consumer.answers import Answer
from consumer.config import WorkerConfig
from consumer.errors import ServiceUnavailable
from consumer.models import ModelFeed
from consumer.setup import check_topics
from consumer.topics import ONLY_PARTITION
from segments.model import SegmentModel
from segments.orders import ORDER_KEY, Order, encode_order

POLL_S = 0.1
SENT_WITHIN_S = 15.0

Outcome = SegmentModel | Answer


def new_order_id() -> str:
    """Name an order as no other is named."""
    return secrets.token_hex(4)


class OrderDesk:
    """Sends orders and waits for what becomes of them. For one thread."""

    def __init__(self, config: WorkerConfig) -> None:
        """Begin to follow the models topic, so that no answer is missed.

        Raises:
            ServiceUnavailable, NotSetUp, ProtectsData: Kafka is away, a topic is missing, or a
                release cannot be read.
        """
        check_topics(config)
        self._config = config
        self._outcomes: dict[str, list[Outcome]] = {}
        self._feed = ModelFeed(config.kafka, config.topics.models, on_record=self._note)
        self._feed.catch_up()

    @property
    def newest(self) -> SegmentModel | None:
        """The newest release; None before the first."""
        return self._feed.newest

    def close(self) -> None:
        """Disconnect."""
        self._feed.close()

    def send(self, order: Order) -> None:
        """Put an order into the samples topic.

        Raises:
            ServiceUnavailable: Kafka did not take it; whether it will, is not known.
        """
        topic = self._config.topics.samples
        refused: list[KafkaError] = []

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                refused.append(error)

        producer = Producer(
            self._config.kafka.producer_config(
                enable_idempotence=True, message_timeout_ms=round(SENT_WITHIN_S * 1000)
            )
        )
        try:
            producer.produce(
                topic,
                key=ORDER_KEY,
                value=encode_order(order),
                partition=ONLY_PARTITION,
                on_delivery=delivered,
            )
        except KafkaException as error:
            refused.append(error.args[0])
        left = producer.flush(SENT_WITHIN_S + 1.0)
        if refused or left:
            why = refused[0].str() if refused else "no confirmation"
            msg = f"the order could not be put into {topic} ({why}): try again when Kafka is back"
            raise ServiceUnavailable(msg)

    def wait(
        self, order: Order, within_s: float, on_wait: Callable[[float], None] = lambda _: None
    ) -> list[SegmentModel] | Answer | None:
        """Wait for what becomes of an order.

        Args:
            order: it has been sent.
            within_s: how long to wait.
            on_wait: called again and again with the seconds waited so far.

        Returns:
            The releases that obey it, in order; why it was refused; or None: nobody has answered
            yet, and the order stays where it is.

        Raises:
            ServiceUnavailable, ProtectsData: the models topic cannot be read any more.
        """
        started_s = time.monotonic()
        while (waited_s := time.monotonic() - started_s) < within_s:
            self._feed.poll()
            found = self._outcomes.get(order.id, [])
            refused = next((one for one in found if isinstance(one, Answer)), None)
            if refused is not None:
                return refused
            # All releases of one order come in one transaction, and thus before the end is seen.
            if found and self._feed.caught_up:
                return [one for one in found if isinstance(one, SegmentModel)]
            on_wait(waited_s)
            time.sleep(POLL_S)
        return None

    def _note(self, record: Outcome) -> None:
        order = record.order if isinstance(record, Answer) else record.order_id
        if order is not None:
            self._outcomes.setdefault(order, []).append(record)

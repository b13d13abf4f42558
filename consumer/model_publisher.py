"""The models topic as the trainer writes it: releases, and answers to orders."""

import contextlib
import time
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaError, KafkaException, Producer

from consumer import crash
from consumer.answers import Answer, answer_key, encode_answer
from consumer.errors import KafkaAway
from consumer.filler import abort_a_filler
from consumer.topics import ONLY_PARTITION
from producer.kafka import KafkaConnection
from producer.undisguised import undisguised
from segments.model import SegmentModel, encode_model


class ModelPublisher:
    """Writes releases and answers. Making one fences every older publisher."""

    def __init__(
        self, kafka: KafkaConnection, topic: str, transactional_id: str, *, timeout_ms: int
    ) -> None:
        """Fence whoever published before, and abort what they left open.

        That includes what Kafka itself has left hanging: nobody could read the topic to its end.

        Raises:
            KafkaAway: Kafka did not answer in time.
        """
        self._topic = topic
        self._timeout_s = timeout_ms / 1000
        self._producer = Producer(
            kafka.producer_config(
                transactional_id=transactional_id,
                transaction_timeout_ms=timeout_ms,
                linger_ms=0,
                socket_nagle_disable=True,
            )
        )
        self._call(lambda: self._producer.init_transactions(self._timeout_s))
        try:
            with undisguised():
                abort_a_filler(self._producer, topic, ONLY_PARTITION, self._timeout_s)
        except KafkaException as error:
            raise KafkaAway(f"{topic}: {error.args[0].str()}") from error

    def publish(self, *models: SegmentModel) -> None:
        """Publish releases, all of them or none.

        Releases that come of one record must not be torn apart: each names the record after it as
        the place to go on, so whoever resumes from the first would skip the second.

        Raises:
            KafkaAway: it is not sure to be published. This publisher must not be used again:
                make a new one and read the newest model to see.
        """
        self._publish({model.version.encode(): encode_model(model) for model in models})

    def answer(self, answer: Answer) -> None:
        """Say why an order was refused.

        Raises:
            KafkaAway: as for `publish`.
        """
        self._publish({answer_key(answer.order): encode_answer(answer)})

    def _publish(self, records: Mapping[bytes, bytes]) -> None:
        try:
            with undisguised():
                self._producer.begin_transaction()
                for key, value in records.items():
                    self._producer.produce(
                        self._topic, key=key, value=value, partition=ONLY_PARTITION
                    )
        except KafkaException as error:
            what = b", ".join(records).decode()
            raise KafkaAway(f"{self._topic}, {what}: {error.args[0].str()}") from error
        crash.point("before the model commit")
        self._call(lambda: self._producer.commit_transaction(self._timeout_s))
        crash.point("after the model commit")

    def _call(self, call: Callable[[], object]) -> None:
        """Take a step of a transaction, the same one again while Kafka says that this is safe."""
        deadline_s = time.monotonic() + self._timeout_s
        while True:
            try:
                with undisguised():
                    call()
            except KafkaException as error:
                cause: KafkaError = error.args[0]
                if cause.retriable() and time.monotonic() < deadline_s:
                    continue
                if cause.txn_requires_abort():
                    # The next publisher's fence would do it as well; readers wait less this way.
                    with contextlib.suppress(KafkaException), undisguised():
                        self._producer.abort_transaction(self._timeout_s)
                raise KafkaAway(f"{self._topic}: {cause.str()}") from error
            else:
                return

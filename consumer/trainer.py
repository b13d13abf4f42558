"""The trainer: one process learns from all workers' samples and releases the models.

Several may run; the group gives the one partition of the samples topic to one of them, the
others stand by. Who gets it fences the one before in Kafka, reads the newest model, and goes on
from its sample offset, so a release is never made twice and none is skipped.
"""

import threading
import time

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumer.config import WorkerConfig
from consumer.errors import KafkaAway, RedisAway
from consumer.health import Health
from consumer.models import mirror_model
from consumer.outages import Outages
from consumer.redis_client import open_redis
from consumer.setup import check_topics
from consumer.topics import ONLY_PARTITION
from consumer.training import Training, TrainingProgress, learner_settings
from producer.undisguised import undisguised
from segments.learner import LearnerSettings
from segments.model import SegmentModel

_log = structlog.get_logger(__name__)

POLL_S = 0.1
BATCH_SAMPLES = 500
HOUSEKEEPING_S = 1.0  # how often offsets are committed, and an absent service is tried again
WATERMARKS_S = 10.0
SIGN_OF_LIFE_S = 1.0


class Trainer:
    """Learns from the samples topic until told to stop."""

    def __init__(self, config: WorkerConfig, settings: LearnerSettings | None = None) -> None:
        """Check that the topics are in place; the group is joined by `run`.

        Args:
            config: the deployment.
            settings: how to learn; by default as the deployment says.

        Raises:
            ServiceUnavailable, NotSetUp: see `setup.check_topics`.
        """
        partitions = check_topics(config)
        self.config = config
        self.progress = TrainingProgress()
        self.health = Health("the group has not said yet whether this trainer works or stands by")
        self._outages = Outages(self.health, config.outage_limit_s)
        self._settings = settings or learner_settings(config, partitions)
        self._mirror = Mirror(config, self._outages)
        self._training: Training | None = None
        self._consumer: Consumer | None = None
        self._moved = False  # a rebalance happened during the current fetch
        self._at_end = False
        self._all_down = False  # no broker answers
        self._housekept_s = 0.0
        self._idle_since_s: float | None = None

    @property
    def idle_s(self) -> float:
        """For how long every sample has been learnt and every release been published."""
        return 0.0 if self._idle_since_s is None else time.monotonic() - self._idle_since_s

    def run(self, stop: threading.Event, until_idle_s: float | None = None) -> TrainingProgress:
        """Learn until `stop` is set, or until nothing has been left to do for so long.

        Raises:
            ServiceUnavailable: Kafka or Redis stayed away beyond the outage limit.
            NotSetUp, ProtectsData: a topic is gone, or a model cannot be read.
        """
        started_s = time.monotonic()
        while not stop.is_set():
            try:
                self._join()
                while not stop.is_set():
                    self._turn()
                    self._outages.check()
                    if until_idle_s is not None and self.idle_s >= until_idle_s:
                        return self.progress
                    self.progress.seconds = time.monotonic() - started_s - self.idle_s
            except KafkaAway as error:
                self._outages.away("training", error)
                self._outages.check()
                _log.debug("training again from the newest model", reason=str(error))
                stop.wait(HOUSEKEEPING_S)
            finally:
                self._leave()
        return self.progress

    def _join(self) -> None:
        """Ask the group for the partition."""
        self._consumer = Consumer(
            self.config.kafka.consumer_config(
                group_id=f"{self.config.group}-trainer",
                auto_offset_reset="error",
                isolation_level="read_committed",
                session_timeout_ms=self.config.session_timeout_ms,
                enable_partition_eof=True,
                fetch_queue_backoff_ms=1,
                error_cb=self._on_client_error,
            )
        )
        self._consumer.subscribe(
            [self.config.topics.samples],
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._revoked,
        )

    def _leave(self) -> None:
        """Give the partition back; what was learnt since the last release is learnt again."""
        if self._consumer is not None:
            if not self._all_down:  # it would wait for a coordinator that does not answer
                self._commit_hint()
                self._consumer.close()
            self._consumer = None
        self._training = None
        self._idle_since_s = None

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Take over (in the rebalance, before the first record)."""
        self._moved = True
        self.health.blocked = None
        if not partitions:
            self._outages.heard("training", "Kafka")
            _log.info("standing by: another trainer is at work")
            return
        self._training = Training(self.config, self._settings, self.progress)
        self._mirror.offer(self._training.model)
        topic = self.config.topics.samples
        try:
            low, high = consumer.get_watermark_offsets(
                TopicPartition(topic, ONLY_PARTITION), timeout=WATERMARKS_S
            )
        except KafkaException as error:
            raise KafkaAway(f"{topic}: {error.args[0].str()}") from error
        start = self._training.start_offset(low, high)
        self._at_end = False
        consumer.assign([TopicPartition(topic, ONLY_PARTITION, start)])
        self._outages.heard("training", "Kafka")

    def _revoked(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        """Stop: the next trainer's fence makes sure that this one publishes nothing more."""
        self._moved = True
        self._training = None

    def _turn(self) -> None:
        """Fetch and learn what is there."""
        messages = self._fetch()
        if self._training is not None:
            for message in messages:
                self._learn(message)
        if time.monotonic() - self._housekept_s >= HOUSEKEEPING_S:
            self._housekept_s = time.monotonic()
            self._commit_hint()
            self._look_for_kafka()
        self._mirror.deliver()
        self.health.turned_s = time.monotonic()
        self._note_idle(busy=bool(messages))

    def _on_client_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 -- the library's name
            self._all_down = True
            self._outages.away("client", KafkaAway(error.str()))

    def _look_for_kafka(self) -> None:
        """Ask an absent Kafka for a sign of life: whoever stands by hears nothing by himself."""
        if self._consumer is None or not self._outages.is_away("Kafka"):
            return
        try:
            self._consumer.list_topics(self.config.topics.samples, timeout=SIGN_OF_LIFE_S)
        except KafkaException:
            return
        self._all_down = False
        self._outages.heard("client", "Kafka")

    def _fetch(self) -> list[Message]:
        """Give the records at hand.

        What a fetch returns during which a rebalance ran may belong to the assignment before:
        it is thrown away, and the partition read on from where learning is.
        """
        assert self._consumer is not None
        self._moved = False
        try:
            with undisguised():  # `_assigned` may raise
                first = self._consumer.poll(POLL_S)
                more = [] if first is None else self._consumer.consume(BATCH_SAMPLES, 0)
        except KafkaException as error:
            raise KafkaAway(f"the samples topic: {error.args[0].str()}") from error
        messages = [] if first is None else [first, *more]
        if self._moved and self._training is not None and messages:
            here = TopicPartition(
                self.config.topics.samples, ONLY_PARTITION, self._training.next_offset
            )
            self._consumer.assign([here])
            return []
        return [message for message in messages if self._is_record(message)]

    def _is_record(self, message: Message) -> bool:
        """Tell records from news about the connection."""
        error = message.error()
        if error is None:
            self._at_end = False
            return True
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 -- the library's name
            self._at_end = True
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
            # The samples aged out while nobody was reading: begin again at what is there.
            raise KafkaAway(f"the samples topic: {error.str()}")
        elif error.fatal():
            raise KafkaAway(f"the samples topic: {error.str()}")
        return False

    def _learn(self, message: Message) -> None:
        assert self._training is not None
        released = self._training.learn(message)
        if released is not None:
            self._mirror.offer(released)

    def _commit_hint(self) -> None:
        """Tell Kafka's lag tools how far learning is; the truth is in the newest model."""
        if self._consumer is None or self._training is None:
            return
        here = TopicPartition(
            self.config.topics.samples, ONLY_PARTITION, self._training.next_offset
        )
        try:
            self._consumer.commit(offsets=[here], asynchronous=True)
        except KafkaException as error:
            _log.debug("offset not committed", reason=error.args[0].str())

    def _note_idle(self, *, busy: bool) -> None:
        done = self._training is not None and self._at_end and not busy and self._mirror.done
        if not done:
            self._idle_since_s = None
        elif self._idle_since_s is None:
            self._idle_since_s = time.monotonic()


class Mirror:
    """Keeps Redis's copy of the model up to date, however long Redis takes to answer."""

    def __init__(self, config: WorkerConfig, outages: Outages) -> None:
        """Make the client; nothing is connected yet."""
        self._client = open_redis(config.redis_url, timeout_s=config.redis_timeout_s)
        self._namespace = config.namespace
        self._outages = outages
        self._pending: SegmentModel | None = None
        self._try_at_s = 0.0

    @property
    def done(self) -> bool:
        """Whether Redis has the newest model offered."""
        return self._pending is None

    def offer(self, model: SegmentModel | None) -> None:
        """Take a model that is in the topic."""
        self._pending = model or self._pending

    def deliver(self) -> None:
        """Copy the newest model offered, unless Redis has just failed to answer."""
        now_s = time.monotonic()
        if self._pending is None or now_s < self._try_at_s:
            return
        try:
            mirror_model(self._client, self._namespace, self._pending)
        except RedisAway as error:
            self._outages.away("mirror", error)
            self._try_at_s = now_s + HOUSEKEEPING_S
        else:
            self._pending = None
            self._outages.heard("mirror", "Redis")

"""One turn at the samples topic: from being given its partition until losing it."""

import time
from dataclasses import dataclass

import msgspec
import structlog
from confluent_kafka import Message

from consumer.answers import Answer
from consumer.config import WorkerConfig
from consumer.model_publisher import ModelPublisher
from consumer.models import read_newest_model
from segments.errors import MalformedOrder, MalformedSample, OrderRefused
from segments.health import Health
from segments.learner import Learner, LearnerSettings
from segments.model import SegmentModel
from segments.orders import ORDER_KEY, decode_order
from segments.samples import decode_sample

_log = structlog.get_logger(__name__)

HEALTH_S = 5.0  # how often the model's health is measured: it takes milliseconds


@dataclass
class TrainingProgress:
    """What a trainer has done since its process started.

    Attributes:
        samples: records of the samples topic read, without those that only rebuild the memory
            of a trainer before this one.
        malformed: those among them that were neither samples nor orders.
        orders: orders among them.
        refused: orders that could not be obeyed.
        releases: models published.
        version: the newest model, published by whichever trainer; None before the first.
        released_ms: its stream time.
        held: versions that the flip budget has held back since.
        flip_share: share of the recent users that the version tried last would have moved.
        paused: whether nothing is learnt, because all samples lie beside the model.
        health: how that model fits the recent users, as of a few seconds ago.
        segments: the segments that the figures of `health` are about, in its order.
        newest_ms: stream time of the newest sample.
        seconds: from the start of `Trainer.run` to the last release or sample.
    """

    samples: int = 0
    malformed: int = 0
    orders: int = 0
    refused: int = 0
    releases: int = 0
    version: str | None = None
    released_ms: int | None = None
    held: int = 0
    flip_share: float = 0.0
    paused: bool = False
    health: Health | None = None
    segments: tuple[int, ...] = ()
    newest_ms: int = 0
    seconds: float = 0.0

    @property
    def release_age_s(self) -> float | None:
        """Seconds of stream time since the newest release; None before the first."""
        if self.released_ms is None:
            return None
        return max(0.0, (self.newest_ms - self.released_ms) / 1000)


def learner_settings(config: WorkerConfig, partitions: int) -> LearnerSettings:
    """Say how a deployment learns.

    Args:
        config: the deployment.
        partitions: partition count of its events topic.
    """
    return LearnerSettings(
        segments=config.segments,
        features=tuple(config.model_features),
        bootstrap_days=config.bootstrap_days,
        partitions=partitions,
    )


class Training:
    """Learns record by record and publishes what comes of it.

    Everything it knows is in the newest model and the samples behind it, so it can be thrown
    away at any time: the next one, here or on another machine, arrives at the same releases.

    Attributes:
        model: The newest model.
        next_offset: Offset of the samples topic to read next.
        learner: What it knows; None until `start_offset` has been asked.
    """

    def __init__(
        self, config: WorkerConfig, settings: LearnerSettings, progress: TrainingProgress
    ) -> None:
        """Fence other trainers, and read the newest model.

        Fencing comes first: a model read before it might not be the last one published.

        Raises:
            KafkaAway: Kafka did not answer in time.
            ServiceUnavailable, NotSetUp, ProtectsData: the models could not be read.
        """
        self._progress = progress
        self._settings = settings
        self._publisher = ModelPublisher(
            config.kafka,
            config.topics.models,
            f"{config.group}-trainer",
            timeout_ms=config.transaction_timeout_ms,
        )
        self.model = read_newest_model(config.kafka, config.topics.models)
        if self.model is not None:
            progress.version, progress.released_ms = self.model.version, self.model.released_ms
        self.learner: Learner | None = None
        self.next_offset = 0
        self._measured_s = -HEALTH_S
        self._news_from = 0  # what lies before has been learnt and obeyed by another

    def start_offset(self, low: int, high: int) -> int:
        """Decide where to read on, and read on from there.

        Args:
            low: log start of the samples topic.
            high: its high watermark.

        Returns:
            Where the window of recent users begins that the newest model was released with, or
            as near to it as the topic goes back.
        """
        self.learner, start = open_learner(self.model, self._settings, low, high)
        self._news_from = self.learner.model.sample_offset if self.learner.model else start
        self.next_offset = start
        _log.info(
            "training",
            model=self._progress.version,
            from_offset=start,
            samples_to_remember=max(0, self._news_from - start),
            samples_waiting=high - max(start, self._news_from),
        )
        return start

    def learn(self, message: Message) -> SegmentModel | None:
        """Learn one record, and publish what comes of it.

        Args:
            message: the next record of the samples topic.

        Returns:
            The newest release, if there was one.

        Raises:
            KafkaAway: it is not sure to be published; this object must not be used again.
        """
        offset = message.offset() or 0
        if offset < self.next_offset:
            return None
        self.next_offset = offset + 1
        is_news = offset >= self._news_from
        self._progress.samples += is_news
        if message.key() == ORDER_KEY:
            return self._obey(message.value() or b"", offset) if is_news else None
        try:
            sample = decode_sample(message.value() or b"")
        except MalformedSample as error:
            if is_news:
                self._skip(offset, error)
            return None
        assert self.learner is not None, "start_offset comes first"
        released = self._publish(self.learner.learn(sample, offset))
        self._progress.newest_ms = max(self._progress.newest_ms, sample.stream_ms)
        if is_news:
            self._measure(self.learner)
        return released

    def _measure(self, learner: Learner) -> None:
        """Note how the model does, for whoever watches; the costly part only now and then."""
        progress = self._progress
        progress.held, progress.flip_share = learner.held, learner.flip_share
        progress.paused = learner.paused
        now_s = time.monotonic()
        if now_s - self._measured_s >= HEALTH_S:
            self._measured_s, progress.health = now_s, learner.health
            progress.segments = learner.model.ids if learner.model else ()

    def _obey(self, value: bytes, offset: int) -> SegmentModel | None:
        """Carry out an order, or answer why not."""
        try:
            order = decode_order(value)
        except MalformedOrder as error:
            self._skip(offset, error)
            return None
        assert self.learner is not None, "start_offset comes first"
        self._progress.orders += 1
        try:
            releases = self.learner.obey(order, offset)
        except OrderRefused as error:
            self._progress.refused += 1
            _log.warning("order refused", kind=order.kind, order=order.id, reason=str(error))
            self._publisher.answer(Answer(order=order.id, refused=str(error)))
            return None
        _log.info("order obeyed", kind=order.kind, order=order.id)
        return self._publish(releases)

    def _skip(self, offset: int, error: MalformedSample | MalformedOrder) -> None:
        self._progress.malformed += 1
        _log.warning("skipped a record", offset=offset, reason=str(error))

    def _publish(self, releases: list[SegmentModel]) -> SegmentModel | None:
        if not releases:
            return None
        self._publisher.publish(*releases)
        self.model = releases[-1]
        self._progress.releases += len(releases)
        self._progress.version = self.model.version
        self._progress.released_ms = self.model.released_ms
        for model in releases:
            _tell(model)
        return self.model


def open_learner(
    model: SegmentModel | None, settings: LearnerSettings, low: int, high: int
) -> tuple[Learner, int]:
    """Make a learner that knows a model, and say from which sample to feed it.

    Args:
        model: the newest release; None before the first.
        settings: how to learn.
        low: log start of the samples topic.
        high: its high watermark.
    """
    if model is None:
        return Learner.fresh(settings), low
    if not low <= model.sample_offset <= high:
        _log.warning(
            "the samples behind the newest model are gone; learning goes on with what is there",
            wanted=model.sample_offset,
            log_start=low,
            log_end=high,
        )
        # In another topic, or another part of it, offsets from before mean nothing.
        model = msgspec.structs.replace(model, sample_offset=low, window_offset=low)
    return Learner.resume(model, settings), max(low, model.resume_offset)


def _tell(model: SegmentModel) -> None:
    """Log a release; the everyday ones only for those who look closely."""
    if model.release == "samples":
        _log.debug("released", version=model.version, samples=model.samples)
        return
    _log.info(
        "released",
        version=model.version,
        kind=model.release,
        order=model.order_id,
        users=model.bootstrap_users,
        segments=[model.name_of(segment_id) for segment_id in model.ids],
        structure=model.structure,
        left_out=model.left_out,
    )

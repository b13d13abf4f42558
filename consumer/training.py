"""One turn at the samples topic: from being given its partition until losing it."""

from dataclasses import dataclass

import structlog
from confluent_kafka import Message

from consumer.config import WorkerConfig
from consumer.model_publisher import ModelPublisher
from consumer.models import read_newest_model
from segments.errors import MalformedSample
from segments.learner import Learner, LearnerSettings
from segments.model import SegmentModel
from segments.samples import decode_sample

_log = structlog.get_logger(__name__)


@dataclass
class TrainingProgress:
    """What a trainer has done since its process started.

    Attributes:
        samples: records of the samples topic read.
        malformed: those among them that were no samples.
        releases: models published.
        version: the newest model, published by whichever trainer; None before the first.
        seconds: from the start of `Trainer.run` to the last release or sample.
    """

    samples: int = 0
    malformed: int = 0
    releases: int = 0
    version: str | None = None
    seconds: float = 0.0


class Training:
    """Learns sample by sample and publishes what comes of it.

    Everything it knows is in the newest model and the samples behind it, so it can be thrown
    away at any time: the next one, here or on another machine, arrives at the same releases.

    Attributes:
        model: The newest model.
        next_offset: Offset of the samples topic to read next.
    """

    def __init__(
        self, config: WorkerConfig, settings: LearnerSettings, progress: TrainingProgress
    ) -> None:
        """Fence other trainers, and go on from the newest model.

        Fencing comes first: a model read before it might not be the last one published.

        Raises:
            KafkaAway: Kafka did not answer in time.
            ServiceUnavailable, NotSetUp, ProtectsData: the models could not be read.
        """
        self._progress = progress
        self._publisher = ModelPublisher(
            config.kafka,
            config.topics.models,
            f"{config.group}-trainer",
            timeout_ms=config.transaction_timeout_ms,
        )
        self.model = read_newest_model(config.kafka, config.topics.models)
        if self.model is None:
            self._learner = Learner.fresh(settings)
        else:
            self._learner = Learner.resume(self.model, settings)
            progress.version = self.model.version
        self.next_offset = 0

    def start_offset(self, low: int, high: int) -> int:
        """Decide where to read on, and read on from there.

        Args:
            low: log start of the samples topic.
            high: its high watermark.

        Returns:
            The sample offset of the newest model, if the topic still has it; its start otherwise.
        """
        wanted = low if self.model is None else self.model.sample_offset
        self.next_offset = wanted if low <= wanted <= high else low
        if self.next_offset != wanted:
            _log.warning(
                "the samples behind the newest model are gone; learning goes on with what is there",
                wanted=wanted,
                log_start=low,
                log_end=high,
            )
        _log.info(
            "training",
            model=self._progress.version,
            from_offset=self.next_offset,
            samples_waiting=high - self.next_offset,
        )
        return self.next_offset

    def learn(self, message: Message) -> SegmentModel | None:
        """Learn one record, and publish the release that comes of it.

        Args:
            message: the next record of the samples topic.

        Returns:
            The release, if there was one.

        Raises:
            KafkaAway: it is not sure to be published; this object must not be used again.
        """
        offset = message.offset() or 0
        if offset < self.next_offset:
            return None
        self.next_offset = offset + 1
        self._progress.samples += 1
        try:
            sample = decode_sample(message.value() or b"")
        except MalformedSample as error:
            self._progress.malformed += 1
            _log.warning("skipped a record that is no sample", offset=offset, reason=str(error))
            return None
        releases = self._learner.learn(sample, offset)
        for model in releases:
            self._publish(model)
        return releases[-1] if releases else None

    def _publish(self, model: SegmentModel) -> None:
        self._publisher.publish(model)
        self.model = model
        self._progress.releases += 1
        self._progress.version = model.version
        if model.minor:
            _log.debug("released", version=model.version, samples=model.samples)
        else:
            _log.info(
                "first release of a major version",
                version=model.version,
                users=model.bootstrap_users,
                segments=list(model.names),
                structure=model.structure,
                left_out=model.left_out,
            )

"""What an order would lead to: the trainer's own learner, fed from the samples topic, unpublished.

Nothing is written and no trainer notices: the samples are read beside it, as it would read them
itself after a restart.
"""

from dataclasses import dataclass

from consumer.config import WorkerConfig
from consumer.errors import NotSetUp
from consumer.models import read_newest_model
from consumer.readback import ReadBack
from consumer.setup import check_topics
from consumer.topics import ONLY_PARTITION
from consumer.training import learner_settings, open_learner
from segments.errors import MalformedOrder, MalformedSample, OrderRefused
from segments.learner import Learner
from segments.model import SegmentModel
from segments.orders import ORDER_KEY, Order, decode_order
from segments.samples import decode_sample


@dataclass(frozen=True)
class Rehearsal:
    """The newest release, and those that would follow it if the order were given now.

    Attributes:
        before: In force now.
        releases: What the order leads to, the last one being what users would be held against.
    """

    before: SegmentModel
    releases: list[SegmentModel]

    @property
    def after(self) -> SegmentModel:
        """What users would be held against."""
        return self.releases[-1]


def rehearse(config: WorkerConfig, order: Order) -> Rehearsal:
    """Find out what an order leads to.

    Raises:
        OrderRefused: the trainer would refuse it.
        NotSetUp: there is no model yet, or a topic is missing.
        KafkaAway, ServiceUnavailable, ProtectsData: the topics cannot be read.
    """
    learner, next_offset = remember(config)
    before = learner.model
    assert before is not None, "a resumed learner has a model"
    return Rehearsal(before, learner.obey(order, next_offset))


def remember(config: WorkerConfig) -> tuple[Learner, int]:
    """Give a learner that knows what the trainer knows, and the offset of the next sample.

    Raises:
        NotSetUp: there is no model yet, or a topic is missing.
        KafkaAway, ServiceUnavailable, ProtectsData: the topics cannot be read.
    """
    settings = learner_settings(config, check_topics(config))
    model = read_newest_model(config.kafka, config.topics.models)
    if model is None:
        raise NotSetUp("there is no model yet: `shoal trainer` makes the first one from samples")
    read_back = ReadBack(config)
    try:
        low, high = read_back.watermarks(config.topics.samples, ONLY_PARTITION)
        learner, start = open_learner(model, settings, low, high)
        for message in read_back.records(config.topics.samples, ONLY_PARTITION, start, high):
            _feed(learner, message.key(), message.value() or b"", message.offset() or 0, model)
    finally:
        read_back.close()
    return learner, high


def _feed(learner: Learner, key: object, value: bytes, offset: int, resumed: SegmentModel) -> None:
    """Let a learner take one record, as a trainer does (`Training.learn`)."""
    try:
        if key != ORDER_KEY:
            learner.learn(decode_sample(value), offset)
        elif offset >= resumed.sample_offset:
            learner.obey(decode_order(value), offset)
    except (MalformedSample, MalformedOrder, OrderRefused):
        pass  # the trainer says so

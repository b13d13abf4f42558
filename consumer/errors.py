"""What can go wrong in the consumer, by who has to act."""

from typing import ClassVar

from consumer.health import Service


class ConsumerError(Exception):
    """Root of this package's errors; the text is one sentence with the remedy."""


class ServiceUnavailable(ConsumerError):
    """Kafka or Redis did not answer for longer than the outage limit (the world's fault: exit 3).

    Nothing is lost: the next worker goes on at the applied offset.
    """


class ProtectsData(ConsumerError):
    """Going on would damage or lose data, so the worker refuses; the operator decides (exit 4)."""


class Fenced(ConsumerError):
    """Another worker owns the partition now, or Redis went back in time: drop it, take it again."""

    def __init__(self, partition: int, why: str) -> None:
        """Remember the partition to drop."""
        super().__init__(f"partition {partition}: {why}")
        self.partition = partition


class Away(ConsumerError):
    """A service did not answer this time: wait and try again, until the outage limit."""

    service: ClassVar[Service] = "Kafka"


class RedisAway(Away):
    """One Redis call failed or timed out; its outcome is unknown until Redis is asked again."""

    service = "Redis"


class KafkaAway(Away):
    """Kafka did not answer in time."""


class HeldUp(KafkaAway):
    """Committed records end at a transaction that is still open."""


class PublishFailed(Away):
    """A Kafka transaction did not commit for sure; read-back tells what was published."""

    def __init__(self, partition: int, why: str) -> None:
        """Remember the partition whose producer must be replaced."""
        super().__init__(f"partition {partition}: {why}")
        self.partition = partition


class DeadLetterTooLarge(PublishFailed):
    """The dead-letter topic refuses a record that the events topic accepted: raise its limit."""


class NotSetUp(ConsumerError):
    """Something that has to be made once is missing or made differently (exit 2)."""

"""What can go wrong in the consumer, by who has to act."""


class ConsumerError(Exception):
    """Root of this package's errors; the text is one sentence with the remedy."""


class ServiceUnavailable(ConsumerError):
    """Kafka or Redis did not answer for longer than the outage limit (the world's fault: exit 3).

    Nothing is lost: the next worker goes on at the applied offset.
    """


class ProtectsData(ConsumerError):
    """Going on would damage or lose data, so the worker refuses (the operator's decision: exit 4)."""


class Fenced(ConsumerError):
    """Another worker owns the partition now, or Redis went back in time: drop it, take it again."""

    def __init__(self, partition: int, why: str) -> None:
        """Remember the partition to drop."""
        super().__init__(f"partition {partition}: {why}")
        self.partition = partition


class RedisAway(ConsumerError):
    """One Redis call failed or timed out; its outcome is unknown until Redis is asked again."""


class PublishFailed(ConsumerError):
    """A Kafka transaction did not commit for sure; read-back tells what was published."""

    def __init__(self, partition: int, why: str) -> None:
        """Remember the partition whose producer must be replaced."""
        super().__init__(f"partition {partition}: {why}")
        self.partition = partition

"""What a Kafka consumer reports and does not mend by itself, told by who has to act."""

from confluent_kafka import KafkaError

from consumer.errors import NotSetUp, ProtectsData, ServiceUnavailable


def raise_if_final(error: KafkaError, topic: str) -> None:
    """Raise what ends the process; return for everything that the client tries again by itself.

    Raises:
        ProtectsData: records were deleted before they were read.
        NotSetUp: the topic does not exist.
        ServiceUnavailable: the client is of no use any more; another one may be.
    """
    code = error.code()
    if code == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 -- its only name
        msg = (
            f"{topic} does not have the applied offset any more ({error.str()}): records were "
            "deleted by the topic's retention before they were read. To go on without them, "
            "rebuild into another SHOAL_NAMESPACE; to keep them next time, raise the topic's "
            "retention.ms"
        )
        raise ProtectsData(msg)
    if code in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION):  # noqa: SLF001
        raise NotSetUp(f"the topic {topic} does not exist: run `shoal topics create`")
    if error.fatal() or code == KafkaError._FATAL:  # noqa: SLF001
        msg = f"the Kafka client cannot go on ({error.str()}): start the worker again"
        raise ServiceUnavailable(msg)

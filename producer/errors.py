"""What can go wrong while writing events, by who has to act."""

from __future__ import annotations


class ProducerError(Exception):
    """Root of everything this package raises on purpose."""


class DeliveryFailed(ProducerError):
    """Kafka did not take an event for good; retries are used up. Look at Kafka, then send again.

    Attributes:
        event_id: The first event that was not delivered.
        failed: How many events failed since the last report, this one included.
        reason: Kafka's own words.
    """

    def __init__(self, event_id: str, reason: str, failed: int = 1) -> None:
        """Say which event, why, and how many others share its fate."""
        others = f" (and {failed - 1} more)" if failed > 1 else ""
        super().__init__(f"event {event_id}{others} was not delivered: {reason}")
        self.event_id = event_id
        self.reason = reason
        self.failed = failed


class FlushTimedOut(ProducerError):
    """Some events are still under way when the time to flush is over. Flush again, or give up.

    Attributes:
        remaining: Events neither confirmed nor failed.
        timeout_s: The time there was.
    """

    def __init__(self, remaining: int, timeout_s: float) -> None:
        """Say how many are left."""
        super().__init__(f"{remaining} events were still not delivered after {timeout_s:g} s")
        self.remaining = remaining
        self.timeout_s = timeout_s


class KafkaUnreachable(ProducerError):
    """No broker answers. Start Kafka or correct the address.

    Attributes:
        bootstrap_servers: The address tried.
    """

    def __init__(self, bootstrap_servers: str, reason: str) -> None:
        """Name the address and Kafka's words."""
        super().__init__(
            f"Kafka at {bootstrap_servers} cannot be reached ({reason}): "
            "start it, or correct SHOAL_KAFKA_BOOTSTRAP_SERVERS"
        )
        self.bootstrap_servers = bootstrap_servers


class TopicMissing(ProducerError):
    """The topic does not exist. Create it; a broker that creates it by itself would do it wrong.

    Attributes:
        topic: Its name.
    """

    def __init__(self, topic: str) -> None:
        """Name the topic and the command that creates it."""
        super().__init__(f"the topic {topic} does not exist: run `shoal topics create`")
        self.topic = topic


class UnreadableFile(ProducerError):
    """A source file cannot be opened or is not what its name says. Give another path.

    Attributes:
        path: As the caller gave it.
        reason: The system's own words.
    """

    def __init__(self, path: str, reason: str) -> None:
        """Name the file and the reason."""
        super().__init__(f"cannot read {path}: {reason}")
        self.path = path
        self.reason = reason


class UnusableSettings(ProducerError):
    """A setting of the synthetic stream makes no stream possible. Change the setting named.

    Attributes:
        setting: Name of the setting.
    """

    def __init__(self, setting: str, sentence: str) -> None:
        """Name the setting, then say what it must be."""
        super().__init__(f"{setting}: {sentence}")
        self.setting = setting

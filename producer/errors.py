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

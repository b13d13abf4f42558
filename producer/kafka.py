"""How to reach Kafka, and the one place where librdkafka's option names are written.

Everything that talks to Kafka is handed a `KafkaConnection` and asks it for the options of a
producer, a consumer or an admin client.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

Option = str | int | float | bool
KafkaConfig = dict[str, object]
"""Options as confluent-kafka takes them: librdkafka's names, and callbacks."""

# librdkafka writes to stderr by itself unless it is given a logger. This one is silent until the
# application configures logging; a person in front of a terminal gets our sentence, not its noise.
_LOG = logging.getLogger("shoal.kafka")
_LOG.addHandler(logging.NullHandler())

_HIDDEN = "********"


@dataclass(frozen=True)
class KafkaConnection:
    """Where Kafka is and how to be let in; passed around instead of loose options.

    Options are merged so: defaults here, then `config` (the operator's), then what the caller
    passes, because a caller's correctness depends on its own (`enable_auto_commit=False`).

    Attributes:
        bootstrap_servers: ``host:port``, several separated by commas.
        config: Extra options by librdkafka's own names (SASL, TLS, …). Values never show in
            `repr`, since passwords are among them.
        client_id: Shows in the broker's logs, quotas and metrics.

    Example:
        >>> KafkaConnection("localhost:9092", {"sasl.password": "secret"})
        KafkaConnection('localhost:9092', {'sasl.password': '********'}, client_id='shoal')
    """

    bootstrap_servers: str
    config: Mapping[str, Option] = field(default_factory=dict)
    client_id: str = "shoal"

    def producer_config(self, **over: object) -> KafkaConfig:
        """Return options for a producer.

        Args:
            **over: Options that win over all others: ``linger_ms=5`` means ``linger.ms``.
        """
        return self._merged({}, over)

    def consumer_config(self, **over: object) -> KafkaConfig:
        """Return options for a consumer; offsets are never committed behind the caller's back.

        Args:
            **over: Options that win over all others: ``group_id="shoal"`` means ``group.id``.
        """
        defaults = {
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
        }
        return self._merged(defaults, over)

    def admin_config(self, **over: object) -> KafkaConfig:
        """Return options for an admin client."""
        return self._merged({}, over)

    def _merged(self, defaults: Mapping[str, object], over: Mapping[str, object]) -> KafkaConfig:
        """Merge defaults, the operator's options and the caller's, the later winning."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "client.id": self.client_id,
            "logger": _LOG,
            **defaults,
            **self.config,
            **{option_name(name): value for name, value in over.items()},
        }

    def __repr__(self) -> str:
        """Show names of the extra options, not their values."""
        hidden = dict.fromkeys(self.config, _HIDDEN)
        return (
            f"KafkaConnection({self.bootstrap_servers!r}, {hidden}, client_id={self.client_id!r})"
        )


def option_name(keyword: str) -> str:
    """Turn a Python keyword into librdkafka's name; its names use dots, but for a few.

    Example:
        >>> option_name("group_id"), option_name("error_cb"), option_name("linger.ms")
        ('group.id', 'error_cb', 'linger.ms')
    """
    if keyword.endswith("_cb") or keyword.startswith("on_") or keyword == "log_level":
        return keyword
    return keyword.replace("_", ".")

"""Redis key names. Everything of one input partition shares the hash tag `{namespace.p}`.

One tag means one slot, so a partition's state changes in one script on Redis Cluster too.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class PartitionKeys:
    """The keys of one input partition."""

    namespace: str
    partition: int

    @property
    def tag(self) -> str:
        """The hash tag with its braces."""
        return f"{{{self.namespace}.{self.partition}}}"

    @property
    def meta(self) -> str:
        """Owner's nonce and the partition's counters."""
        return f"{self.tag}:meta"

    @property
    def outbox(self) -> str:
        """What the last commit decided and Kafka may not have yet."""
        return f"{self.tag}:outbox"

    @property
    def due(self) -> str:
        """Sorted set: user → when to look again (ms)."""
        return f"{self.tag}:due"

    @property
    def trend(self) -> str:
        """Hash: what happened by hour and by day."""
        return f"{self.tag}:trend"

    @property
    def probe(self) -> str:
        """A key that never exists, to ask whether Redis takes writes."""
        return f"{self.tag}:probe"

    @property
    def user_prefix(self) -> bytes:
        """What stands before a user id in the key of that user's state."""
        return f"{self.tag}:u:".encode()

    def user(self, user_id: str) -> bytes:
        """The key of one user's packed state."""
        return self.user_prefix + user_id.encode()


def topology_key(namespace: str) -> str:
    """The record that every worker of a namespace must agree with."""
    return f"{namespace}:topology"


def model_key(namespace: str) -> str:
    """The newest model, for look-ups only."""
    return f"{namespace}:model"

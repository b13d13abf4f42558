"""One input partition as its owner holds it in memory."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from consumer.meta import PartitionMeta
from consumer.publisher import Publisher
from consumer.store import PartitionStore
from segments.changes import SegmentChange


@dataclass
class OwnedPartition:
    """What the owner of a partition knows; worthless as soon as the partition is dropped.

    Attributes:
        number: the partition.
        nonce: this ownership's nonce, in Redis as well.
        store: Redis, as this partition sees it.
        publisher: Kafka, likewise.
        meta: the counters as of the last commit, the one under way included.
        stored_meta: that, byte for byte as it stands in Redis when the commit is through.
        forced: published changes that Redis had lost, in order; taken over during catch-up.
        floor: at or below this input offset nothing is decided any more.
        dead_floor: dead letters at or below this input offset are published already.
        caught_up: the last fetch reached the end of the log.
        gap_trusted: a hole in the offsets needs no proof (see `worker`).
        next_due_ms: no user is due before this time.
        next_offset: the input offset to fetch next; what lies between the applied offset and it
            waits in the backlog.
        committing: the last commit, Redis and Kafka, while it is under way.
        on_committed: called once it is through.
        untidy: the outbox in Redis may hold something that is published by now.
        seeded: Redis knew nothing of the partition when it was taken.
        end_offset: the end of the log as the last partition-EOF event told it.
    """

    number: int
    nonce: str
    store: PartitionStore
    publisher: Publisher
    meta: PartitionMeta
    stored_meta: bytes
    forced: deque[SegmentChange] = field(default_factory=deque)
    floor: int = -1
    dead_floor: int = -1
    caught_up: bool = False
    gap_trusted: bool = False
    next_due_ms: float = 0.0
    next_offset: int = 0
    committing: Future[None] | None = None
    on_committed: Callable[[], None] = lambda: None
    untidy: bool = True
    seeded: bool = False
    end_offset: int = 0

    @property
    def catching_up(self) -> bool:
        """Whether the next record's decisions are published already."""
        return self.meta.applied_offset <= self.floor

    def settle(self) -> None:
        """Wait for the commit under way.

        Raises:
            Fenced, Away: it was refused, or may not have come through.
        """
        if self.committing is not None:
            committing, self.committing = self.committing, None
            committing.result()
            self.on_committed()

    def settle_if_done(self) -> None:
        """Take note of the commit under way if it is through.

        Raises:
            Fenced, Away: it was refused, or may not have come through.
        """
        if self.committing is not None and self.committing.done():
            self.settle()

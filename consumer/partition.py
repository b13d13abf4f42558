"""One input partition as its owner holds it in memory."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from consumer import crash
from consumer.meta import PartitionMeta, encode_meta
from consumer.publisher import Publisher
from consumer.store import Commit, PartitionStore
from consumer.trend import Trend
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
        trend: the current hour and day, as of the same commit.
        forced: published changes that Redis had lost, in order; taken over during catch-up.
        floor: at or below this input offset nothing is decided any more.
        dead_floor: dead letters at or below this input offset are published already.
        caught_up: the last fetch reached the end of the log.
        gap_trusted: a hole in the offsets needs no proof (see `worker`).
        next_due_ms: no user's time to be looked at comes before this one.
        queued: users whom a new major model version has queued to be looked at; None: not known.
        next_offset: the input offset to fetch next; what lies between the applied offset and it
            waits in the backlog.
        committing: the last commit, Redis and Kafka, while it is under way.
        on_committed: called once it is through.
        untidy: the outbox in Redis may hold something that is published by now.
        seeded: Redis knew nothing of the partition when it was taken.
        end_offset: the end of the log as the last partition-EOF event told it.
        log_end: the end of the log when the partition was taken.
        unpublished: changes and dead letters of the commit under way.
        is_moved: it came with a rebalance, and no record of it has come yet.
        counted: the counters as of the last commit that is known to be through.
    """

    number: int
    nonce: str
    store: PartitionStore
    publisher: Publisher
    meta: PartitionMeta
    stored_meta: bytes
    trend: Trend
    forced: deque[SegmentChange] = field(default_factory=deque)
    floor: int = -1
    dead_floor: int = -1
    caught_up: bool = False
    gap_trusted: bool = False
    next_due_ms: float = 0.0
    queued: int | None = None
    next_offset: int = 0
    committing: Future[None] | None = None
    on_committed: Callable[[], None] = lambda: None
    untidy: bool = True
    seeded: bool = False
    end_offset: int = 0
    log_end: int = 0
    unpublished: int = 0
    is_moved: bool = False
    counted: PartitionMeta = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing under way."""
        self.counted = self.meta

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
            self.unpublished, self.counted = 0, self.meta
            self.on_committed()

    def write(
        self,
        meta: PartitionMeta,
        *,
        states: Sequence[bytes] = (),
        due: Sequence[bytes] = (),
        queue_everybody: bool = False,
    ) -> None:
        """Commit at once what nothing has to be published for.

        Args:
            meta: the counters from here on (`PartitionMeta.following`).
            states: user states to set, key and value in turn.
            due: when to look at whom, ms and user in turn.
            queue_everybody: make every user due now.

        Raises:
            Fenced, Away: drop the partition.
        """
        self.settle()
        stored_meta = encode_meta(self.nonce, meta)
        trend = self.trend.take()
        self.store.commit(
            Commit(
                expected_meta=self.stored_meta,
                new_meta=stored_meta,
                outbox=b"",
                states=states,
                due=due,
                queue_everybody=queue_everybody,
                deleted=[self.store.keys.trend.encode()] if trend.restart else [],
                trend=trend.fields,
                trend_gone=trend.gone,
            )
        )
        self.meta, self.stored_meta = meta, stored_meta

    def settle_if_done(self) -> None:
        """Take note of the commit under way if it is through.

        Raises:
            Fenced, Away: it was refused, or may not have come through.
        """
        if self.committing is not None and self.committing.done():
            self.settle()

    def tidy(self) -> None:
        """Leave the idle partition so that its state stays true however long it lies there.

        The outbox is emptied: topics forget what was published after days, and a later owner that
        finds nothing published would publish it again. The applied offset moves over control and
        aborted records at the end of the log, which nothing else tells from records not read.

        Raises:
            Fenced, Away: drop the partition.
        """
        if not self.untidy and self.end_offset <= self.meta.applied_offset:
            return
        meta = self.meta.following()
        meta.applied_offset = max(meta.applied_offset, self.end_offset)
        meta.floor = -1
        self.write(meta)
        crash.point("after tidying")
        self.next_offset, self.floor, self.untidy = meta.applied_offset, -1, False

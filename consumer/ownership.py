"""Taking ownership of an input partition: fence, read back, publish what is left, then start.

1. init_transactions     fences the old owner in Kafka and aborts its open transaction;
                         one that Kafka itself has left hanging is ended (`lost_markers`)
2. own.lua               writes a fresh nonce: the old owner's commits fail from now on
3. read back             what is published, up to the high watermark
4. compare               published but not in Redis: Redis lost its tail, force it again;
                         no meta at all: Redis is new or was emptied, seed it (`seeding`)
5. publish the outbox    in Redis but not published: the old owner died in between
6. start                 at the applied offset, if the log still has it
"""

import secrets
import time
from collections import deque
from collections.abc import Callable

import structlog

from consumer import crash
from consumer.config import WorkerConfig
from consumer.errors import ProtectsData
from consumer.keys import PartitionKeys
from consumer.lost_markers import end_hanging, is_attempted, lost_outbox, unstated
from consumer.meta import PartitionMeta, decode_meta
from consumer.outbox import Outbox, decode_outbox
from consumer.partition import OwnedPartition
from consumer.publisher import Publisher
from consumer.readback import ReadBack
from consumer.redis_client import RedisClient
from consumer.seeding import seed
from consumer.store import PartitionStore
from consumer.trend import Trend, current_fields

_log = structlog.get_logger(__name__)


class Ownership:
    """Takes partitions. Thread-safe: several are taken in parallel."""

    def __init__(
        self,
        config: WorkerConfig,
        client: RedisClient,
        read_back: ReadBack,
        clock: Callable[[], int],
    ) -> None:
        """Remember the services, and the wall clock (ms)."""
        self._config = config
        self._client = client
        self._read_back = read_back
        self._clock = clock

    def take(self, number: int) -> OwnedPartition:
        """Carry out steps 1 to 6 for one partition.

        Raises:
            Away: Kafka or Redis did not answer; take it again later.
            Fenced: somebody else took it meanwhile.
            ProtectsData: records that Redis has not seen are gone from the log, or it is another.
        """
        started_s = time.monotonic()
        store = PartitionStore(self._client, PartitionKeys(self._config.namespace, number))
        store.check_writable()  # a producer costs threads: not one for each try of an outage
        publisher = Publisher(self._config, number)
        publisher.fence()
        crash.point("after the Kafka fence")
        end_hanging(self._read_back, publisher, number)
        publisher.restate(unstated(self._read_back, number))
        nonce = secrets.token_hex(8)
        stored_meta, stored_outbox = store.own(nonce)
        crash.point("after the nonce")
        meta, outbox = decode_meta(stored_meta), decode_outbox(stored_outbox)
        known = meta if meta is not None and not meta.restoring else None
        start = known or PartitionMeta(applied_offset=0)
        stored_trend = store.trend(current_fields(start.stream_ms)) if known else {}
        owned = OwnedPartition(
            number=number,
            nonce=nonce,
            store=store,
            publisher=publisher,
            meta=start,
            stored_meta=stored_meta,
            trend=Trend.resumed(start, stored_trend),
        )
        log_start, log_end = self._read_back.watermarks(self._config.topics.events, number)
        owned.log_end = log_end
        if known is None:
            seed(owned, self._read_back, log_start, log_end, self._clock())
            owned.seeded = True
        else:
            self._check_log(owned, log_start, log_end)
            self._compare(owned, outbox)
        owned.next_offset, owned.counted = owned.meta.applied_offset, owned.meta
        _log.info(
            "partition taken",
            partition=number,
            applied_offset=owned.meta.applied_offset,
            lag=log_end - owned.meta.applied_offset,
            sequence=owned.meta.sequence,
            forced=len(owned.forced),
            seconds=round(time.monotonic() - started_s, 3),
        )
        return owned

    def _compare(self, owned: OwnedPartition, outbox: Outbox) -> None:
        """Steps 3 to 5: make what Redis decided and what Kafka published agree."""
        sequence = owned.meta.sequence
        before = min([sequence, *(change.sequence - 1 for change in outbox.changes)])
        published, last_sequence = self._read_back.changes_after(owned.number, before)
        crash.point("during read-back")
        owned.dead_floor = self._read_back.last_dead_offset(owned.number)
        owned.forced = deque(change for change in published if change.sequence > sequence)
        if owned.forced and owned.forced[0].sequence != sequence + 1:
            msg = (
                f"partition {owned.number}: Redis is at sequence {sequence}, but the feed goes on "
                f"only at {owned.forced[0].sequence}: Redis holds a state older than the "
                f"retention of {self._config.topics.changes}. Delete the keys of the namespace "
                f"'{self._config.namespace}' to rebuild it from the topics"
            )
            raise ProtectsData(msg)
        last_forced = max((change.source_offset for change in owned.forced), default=-1)
        owned.floor = max(owned.meta.floor, last_forced)
        if (
            outbox.changes
            and not last_sequence
            and not is_attempted(self._read_back, owned.number, outbox.changes[0])
        ):
            # Nothing was published yet, or all of it has expired: the memberships, written in
            # the same transactions, never expire.
            memberships = self._read_back.memberships(owned.number).values()
            last_sequence = max((member.sequence for member in memberships), default=0)
        left = outbox.after(last_sequence, owned.dead_floor)
        lost = lost_outbox(
            self._read_back,
            owned.number,
            outbox,
            changes=range(last_sequence + 1, before + 1),
            dead=range(owned.dead_floor + 1, owned.meta.applied_offset),
        )
        left = Outbox([*lost.changes, *left.changes], [*lost.dead, *left.dead])
        owned.publisher.publish(left)
        crash.point("after the outbox")
        owned.dead_floor = max([owned.dead_floor, *(letter.offset for letter in left.dead)])

    def _check_log(self, owned: OwnedPartition, log_start: int, log_end: int) -> None:
        """Step 6: the applied offset must lie within the log."""
        applied, topic = owned.meta.applied_offset, self._config.topics.events
        if applied < log_start:
            msg = (
                f"{topic} [{owned.number}] starts at offset {log_start}, but Redis has applied "
                f"only up to {applied}: {log_start - applied} records were deleted by the topic's "
                "retention before they were read. To go on without them, rebuild into another "
                "SHOAL_NAMESPACE; to keep them next time, raise the topic's retention.ms"
            )
            raise ProtectsData(msg)
        if applied > log_end:
            msg = (
                f"{topic} [{owned.number}] ends at offset {log_end}, but Redis has applied up to "
                f"{applied}: this is another topic than the one the state was built from. Point "
                "SHOAL_KAFKA_BOOTSTRAP_SERVERS or the topic's name at the right one, or rebuild "
                "into another SHOAL_NAMESPACE"
            )
            raise ProtectsData(msg)
